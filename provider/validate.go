package provider

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// problem is one mistake in the inputs.
type problem struct {
	Field  string // the top-level input
	Reason string
}

func (p problem) Error() string { return p.Field + ": " + p.Reason }

type problems []problem

func (p *problems) add(field, format string, values ...any) {
	*p = append(*p, problem{field, fmt.Sprintf(format, values...)})
}

// err joins all of them.
func (p problems) err() error {
	var all []error
	for _, one := range p {
		all = append(all, one)
	}
	return errors.Join(all...)
}

// validate reports every mistake at once, before any call to AWS.
func (a FleetArgs) validate() problems {
	p := a.identity().validate()
	p = append(p, a.Release.validate()...)
	p = append(p, a.Shape.validate()...)
	if a.CopyLosses != lossesWarn && a.CopyLosses != lossesRepair {
		p.add("copyLosses", "want %s or %s, got %q", lossesWarn, lossesRepair, a.CopyLosses)
	}
	if copyName.MatchString(a.BootstrapName) || len(a.BootstrapName) > longestGroupName || strings.ContainsRune(a.BootstrapName, ':') {
		p.add("bootstrapName", "want at most %d characters, no colon, and no name like CodeDeploy's own (CodeDeploy_GROUP_d-ID), got %q", longestGroupName, a.BootstrapName)
	}
	if d := a.DesiredCapacity; d != nil && (*d < a.MinSize || *d > a.MaxSize) {
		p.add("desiredCapacity", "want minSize %d to maxSize %d, got %d", a.MinSize, a.MaxSize, *d)
	}
	return p
}

var (
	keyForm      = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){2,}$`)
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9._+=,@-]+$`)
	templateForm = regexp.MustCompile(`^lt-[0-9a-f]+$`)
	subnetForm   = regexp.MustCompile(`^subnet-[0-9a-z-]+$`)
	typeForm     = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
	targetForm   = regexp.MustCompile(`^arn:aws[a-z-]*:elasticloadbalancing:[^:]+:[^:]+:targetgroup/.+$`)
)

// Limits of what ties the fleet to other services.
const (
	longestTagValue = 256 // Amazon EC2 User Guide, "Tag your Amazon EC2 resources", "Tag restrictions"
	longestTagKey   = 128 // as above
	longestName     = 100 // AWS CodeDeploy User Guide, "CodeDeploy quotas": application and deployment group names
	longestPatience = 24 * time.Hour
)

func (i identity) validate() (p problems) {
	switch {
	case !keyForm.MatchString(i.Key):
		p.add("key", "want project/stack/name, got %q", i.Key)
	case len(i.Key) > longestTagValue:
		p.add("key", "want at most %d characters (EC2 tag value), got %d", longestTagValue, len(i.Key))
	}
	if !templateForm.MatchString(i.LaunchTemplateID) {
		p.add("launchTemplateId", "want an id like lt-0123456789abcdef0, got %q", i.LaunchTemplateID)
	}
	return p
}

func (r Release) validate() (p problems) {
	for field, name := range map[string]string{"application": r.Application, "deploymentGroup": r.DeploymentGroup} {
		switch {
		case !nameForm.MatchString(name):
			p.add(field, "want letters, digits and ._+=,@- only, got %q", name)
		case len(name) > longestName:
			p.add(field, "want at most %d characters (CodeDeploy quota), got %d", longestName, len(name))
		}
	}
	slices.SortFunc(p, func(a, b problem) int { return strings.Compare(a.Field, b.Field) })
	if d, err := time.ParseDuration(r.WaitForDeployment); err != nil || d < 0 || d > longestPatience {
		p.add("waitForDeployment", "want a duration of 0s to %s like 30m, got %q", longestPatience, r.WaitForDeployment)
	}
	return p
}

// Quotas of Amazon EC2 Auto Scaling (User Guide, "Quotas for Auto Scaling
// resources and groups"; API Reference, LaunchTemplate and
// InstancesDistribution).
const (
	mostInstanceTypes    = 40  // overrides of a launch template
	mostSpotPools        = 20  // SpotInstancePools
	mostTargetGroups     = 50  // target groups per Auto Scaling group
	mostTags             = 50  // tags per Auto Scaling group, ours included
	mostScalingPolicies  = 50  // scaling policies per Auto Scaling group
	mostScheduledActions = 125 // scheduled actions per Auto Scaling group
)

func (s Shape) validate() (p problems) {
	p.list("instanceTypes", s.InstanceTypes, 1, mostInstanceTypes, typeForm, "t3.micro")
	p.list("subnetIds", s.SubnetIDs, 1, 1<<10, subnetForm, "subnet-0123456789abcdef0")
	p.list("targetGroupArns", s.TargetGroupARNs, 0, mostTargetGroups, targetForm, "arn:aws:elasticloadbalancing:…:targetgroup/…")
	p.purchase(s)
	p.sizes(s)
	p.health(s)
	p.tags(s.Tags)
	p.tracking(s.TargetTracking)
	p.schedules(s.Schedules)
	return p
}

func (p *problems) list(field string, values []string, least, most int, form *regexp.Regexp, example string) {
	if len(values) < least || len(values) > most {
		p.add(field, "want %d to %d, got %d", least, most, len(values))
	}
	for at, value := range values {
		switch {
		case !form.MatchString(value):
			p.add(field, "[%d]: want one like %s, got %q", at, example, value)
		case slices.Index(values, value) < at:
			p.add(field, "[%d]: %q is listed twice; remove one", at, value)
		}
	}
}

func (p *problems) purchase(s Shape) {
	if s.OnDemandBaseCapacity < 0 {
		p.add("onDemandBaseCapacity", "want 0 or more, got %d", s.OnDemandBaseCapacity)
	}
	if percentage := s.OnDemandPercentageAboveBaseCapacity; percentage < 0 || percentage > 100 {
		p.add("onDemandPercentageAboveBaseCapacity", "want 0 to 100, got %d", percentage)
	}
	strategies := []string{"price-capacity-optimized", lowestPrice, "capacity-optimized", "capacity-optimized-prioritized"}
	if !slices.Contains(strategies, s.SpotAllocationStrategy) {
		p.add("spotAllocationStrategy", "want one of %s, got %q", strings.Join(strategies, ", "), s.SpotAllocationStrategy)
	}
	switch pools := s.SpotInstancePools; {
	case s.SpotAllocationStrategy != lowestPrice && pools != 0:
		p.add("spotInstancePools", "goes with spotAllocationStrategy %s only, which is %s; remove one of them", lowestPrice, s.SpotAllocationStrategy)
	case s.SpotAllocationStrategy == lowestPrice && (pools < 1 || pools > mostSpotPools):
		p.add("spotInstancePools", "want 1 to %d, got %d", mostSpotPools, pools)
	}
}

func (p *problems) sizes(s Shape) {
	if s.MinSize < 0 {
		p.add("minSize", "want 0 or more, got %d", s.MinSize)
	}
	if s.MaxSize < 1 {
		p.add("maxSize", "want at least 1, because a deployment needs a running instance; got %d", s.MaxSize)
	}
	if s.MinSize > s.MaxSize {
		p.add("minSize", "%d exceeds maxSize %d; raise the second or lower the first", s.MinSize, s.MaxSize)
	}
}

func (p *problems) health(s Shape) {
	if s.HealthCheckType != "EC2" && s.HealthCheckType != "ELB" {
		p.add("healthCheckType", "want EC2 or ELB, got %q", s.HealthCheckType)
	}
	if s.HealthCheckGracePeriod < 1 {
		p.add("healthCheckGracePeriod", "want at least 1 second, got %d", s.HealthCheckGracePeriod)
	}
	policies := []string{
		"Default", "AllocationStrategy", "OldestLaunchTemplate", "OldestLaunchConfiguration",
		"ClosestToNextInstanceHour", "NewestInstance", "OldestInstance",
	}
	for at, policy := range s.TerminationPolicies {
		switch {
		case !slices.Contains(policies, policy) && !strings.HasPrefix(policy, "arn:aws"):
			p.add("terminationPolicies", "[%d]: want one of %s, or the ARN of a Lambda function, got %q", at, strings.Join(policies, ", "), policy)
		case slices.Index(s.TerminationPolicies, policy) < at:
			p.add("terminationPolicies", "[%d]: %q is listed twice; remove one", at, policy)
		}
	}
}
