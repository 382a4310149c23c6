package release

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
)

// Values of Spec.Mode.
const (
	Copy = "copy" // CodeDeploy copies the Auto Scaling group and deletes the original
	Pair = "pair" // two groups of the stack take turns
)

// Values of Spec.Revision.
const (
	S3     = "s3"     // the release command uploads a bundle
	GitHub = "github" // CodeDeploy fetches a commit
)

// Spec is what an operator chooses.
type Spec struct {
	// Mode is copy or pair. The default is copy.
	Mode string `json:"mode"`
	// Revision is s3 or github. The default is s3, which needs no step by
	// hand and carries what was built. For github the CodeDeploy application
	// must once be connected to GitHub in the console, because no API can do
	// that (AWS CodeDeploy User Guide, "Integrating CodeDeploy with GitHub").
	// It changes nothing that this component declares.
	Revision string `json:"revision"`
	// CustomConfiguration replaces AWS's own deployment configuration.
	CustomConfiguration CustomConfiguration `json:"customConfiguration"`
	// TerminationWaitMinutes is how long the original instances stay after
	// traffic has left them, 0 to 2880. The default is 10. CodeDeploy counts
	// in mode copy, the release command in mode pair.
	TerminationWaitMinutes int `json:"terminationWaitMinutes"`
	// Rollback deploys the last good revision again when a deployment fails
	// or an alarm stops it. The default is true.
	Rollback bool `json:"rollback"`
	// Alarms stop a release that harms visitors.
	Alarms Alarms `json:"alarms"`
	// FailureTopic tells people of failed releases.
	FailureTopic FailureTopic `json:"failureTopic"`
	// WaitForDeploymentMinutes is how long an update of the fleet, or a
	// destroy, waits for a running deployment before it refuses, 0 to 1440.
	// The default is 30.
	WaitForDeploymentMinutes int `json:"waitForDeploymentMinutes"`
	// StopOnDestroy stops a running deployment when the stack is destroyed,
	// and does not wait for it. The default is false.
	StopOnDestroy bool `json:"stopOnDestroy"`
}

// CustomConfiguration says how many instances are worked on at a time. In a
// blue/green deployment it is about the new ones (AWS CodeDeploy User Guide,
// "Instance health").
type CustomConfiguration struct {
	// Enabled makes a deployment configuration. The default is false: AWS's
	// HalfAtATime, or AllAtOnce for a fleet that may be one instance.
	Enabled bool `json:"enabled"`
	// MinimumHealthyPercent is how many of a hundred instances stay out of
	// it, 1 to 99, rounded up. The default is 80, a fifth of them at a time,
	// which takes a fleet of at least 5.
	MinimumHealthyPercent int `json:"minimumHealthyPercent"`
}

// FailureTopic is an SNS topic for deployments that failed, were stopped or
// are rolled back.
type FailureTopic struct {
	// Enabled makes the topic. The default is false.
	Enabled bool `json:"enabled"`
	// Emails are addresses to send to; each has to confirm once. The default
	// is none.
	Emails []string `json:"emails"`
}

// Default is what the original stack did, with alarms.
func Default() Spec {
	return Spec{
		Mode:                   Copy,
		Revision:               S3,
		CustomConfiguration:    CustomConfiguration{MinimumHealthyPercent: 80},
		TerminationWaitMinutes: 10,
		Rollback:               true,
		Alarms:                 Alarms{Enabled: true, Target5xx: 10, UnhealthyHosts: 1, EvaluationPeriods: 2},

		WaitForDeploymentMinutes: 30,
	}
}

// Validate reports every mistake at once. Fits needs the fleet's size too.
func (s Spec) Validate() error {
	return errors.Join(
		oneOf("mode", s.Mode, Copy, Pair),
		oneOf("revision", s.Revision, S3, GitHub),
		// The least is ours: 0 would be AllAtOnce. The most is AWS's, 99 (AWS
		// CodeDeploy API Reference, "MinimumHealthyHosts").
		within("customConfiguration.minimumHealthyPercent", s.CustomConfiguration.MinimumHealthyPercent, 1, 99),
		// Two days (AWS CodeDeploy API Reference, "BlueInstanceTerminationOption").
		within("terminationWaitMinutes", s.TerminationWaitMinutes, 0, 2880),
		s.Alarms.validate(),
		s.FailureTopic.validate(),
		s.checkPatience(),
	)
}

// Fits reports a deployment configuration that no release could meet with a
// fleet of minSize instances: CodeDeploy fails a deployment at its start when
// the instances that must stay healthy, rounded up, are all there are (AWS
// CodeDeploy User Guide, "Instance health").
func (s Spec) Fits(minSize int) error {
	if minSize < 1 {
		return fmt.Errorf("minSize: want at least 1, got %d", minSize)
	}
	percent := s.CustomConfiguration.MinimumHealthyPercent
	if !s.CustomConfiguration.Enabled || percent < 1 || percent > 99 || healthy(percent, minSize) < minSize {
		return nil
	}
	least := (100 + 99 - percent) / (100 - percent)
	return fmt.Errorf("customConfiguration.minimumHealthyPercent: %d%% of a fleet of %d, rounded up, leaves no instance to deploy to; "+
		"raise the fleet's minSize to %d, lower the percentage, or set customConfiguration.enabled to false", percent, minSize, least)
}

// healthy is a percentage of instances, rounded up.
func healthy(percent, instances int) int { return (percent*instances + 99) / 100 }

func (f FailureTopic) validate() error {
	var problems []error
	if len(f.Emails) > 0 && !f.Enabled {
		problems = append(problems, fmt.Errorf("failureTopic.emails: want none while failureTopic.enabled is false, got %d; enable the topic", len(f.Emails)))
	}
	for i, email := range f.Emails {
		switch address, err := mail.ParseAddress(email); {
		case err != nil || address.Address != email:
			problems = append(problems, fmt.Errorf("failureTopic.emails[%d]: want an address like ops@example.com, got %q", i, email))
		case slices.Contains(f.Emails[:i], email):
			problems = append(problems, fmt.Errorf("failureTopic.emails[%d]: %s is there twice; remove one", i, email))
		}
	}
	return errors.Join(problems...)
}

func oneOf(key, got string, known ...string) error {
	if slices.Contains(known, got) {
		return nil
	}
	return fmt.Errorf("%s: want %s or %s, got %q", key, known[0], known[1], got)
}

func within(key string, got, least, most int) error {
	if got < least || got > most {
		return fmt.Errorf("%s: want %d to %d, got %d", key, least, most, got)
	}
	return nil
}
