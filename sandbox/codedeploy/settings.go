package codedeploy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ControlPath answers about the sandbox's own settings; no AWS service has such a
// path. GET returns Settings as JSON. PATCH takes some of them and leaves the
// others; a list replaces the whole list:
//
//	curl -X PATCH -d '{"failures": [{"event": "ValidateService"}]}' ENDPOINT/_bluegreen/codedeploy
const ControlPath = "/_bluegreen/codedeploy"

// Settings decide what AWS leaves open, and order failures. A deployment keeps
// those it started with.
type Settings struct {
	// Waits multiplies CodeDeploy's waits: before rerouting, and before the
	// original instances go. 1 is as on AWS; 0, the default, is no wait.
	Waits float64 `json:"waits"`
	// EventSeconds is how long each lifecycle event with a script takes on a
	// simulated instance; 0, the default, is no time.
	EventSeconds float64 `json:"eventSeconds"`
	// Copy is what a copied Auto Scaling group gets from the original; nil is all.
	Copy *Copy `json:"copy"`
	// SwitchAtEnd lets the deployment group follow the new Auto Scaling group only
	// when the deployment has ended, and not as soon as traffic does.
	SwitchAtEnd bool `json:"switchAtEnd"`
	// KeepGreen lets a rollback leave the copied Auto Scaling group behind, as
	// failing without a rollback always does.
	KeepGreen bool `json:"keepGreen"`
	// LaunchesBlock refuses a deployment while an instance that Auto Scaling has
	// launched gets its own. AWS has one deployment at a time for a group, and says
	// of a launch only that it counts for the account.
	LaunchesBlock bool `json:"launchesBlock"`
	// Failures are to befall the deployments that are created from now on.
	Failures []Failure `json:"failures"`
}

// Copy is what a copied Auto Scaling group gets besides sizes, subnets, health
// check and launch template, which no group can do without.
type Copy struct {
	Tags                 bool `json:"tags"`
	TargetGroups         bool `json:"targetGroups"`         // attached after the new instances got traffic
	MixedInstancesPolicy bool `json:"mixedInstancesPolicy"` // without it: the launch template of the policy
	CapacityRebalance    bool `json:"capacityRebalance"`
	TerminationPolicies  bool `json:"terminationPolicies"`
	ScalingPolicies      bool `json:"scalingPolicies"`
	ScheduledActions     bool `json:"scheduledActions"`
	Notifications        bool `json:"notifications"`
	LifecycleHooks       bool `json:"lifecycleHooks"` // those that are not CodeDeploy's own
	Metrics              bool `json:"metrics"`
}

// CopyAll is a Copy of everything.
func CopyAll() Copy {
	return Copy{
		Tags: true, TargetGroups: true, MixedInstancesPolicy: true, CapacityRebalance: true, TerminationPolicies: true,
		ScalingPolicies: true, ScheduledActions: true, Notifications: true, LifecycleHooks: true, Metrics: true,
	}
}

// Failure orders that a lifecycle event fails. It befalls one deployment, the
// next of its group, and is gone then.
type Failure struct {
	Event           string `json:"event"`           // "ValidateService"
	Instance        string `json:"instance"`        // id; "first" for one instance only; empty for all
	DeploymentGroup string `json:"deploymentGroup"` // empty for any
	Rollback        bool   `json:"rollback"`        // befalls the next rollback instead
	Log             string `json:"log"`             // end of the script's log
}

// firstInstance is Failure.Instance for the first instance that gets to the event.
const firstInstance = "first"

func (s Settings) complete() Settings {
	all := CopyAll()
	if s.Copy == nil {
		s.Copy = &all
	}
	if s.Failures == nil {
		s.Failures = []Failure{}
	}
	return s
}

func (s Settings) validate() error {
	if s.Waits < 0 {
		return fmt.Errorf("waits: want 0 or more, got %g", s.Waits)
	}
	if s.EventSeconds < 0 {
		return fmt.Errorf("eventSeconds: want 0 or more, got %g", s.EventSeconds)
	}
	for i, failure := range s.Failures {
		if known := allEvents(); !slices.Contains(known, failure.Event) {
			return fmt.Errorf("failures[%d].event: no lifecycle event is named %q; want one of %s", i, failure.Event, strings.Join(known, ", "))
		}
	}
	return nil
}

// claim takes the failures that are ordered for the next deployment of a group.
func (s *Settings) claim(group string) []Failure { return s.take(group, false) }

// claimForRollback takes those that are ordered for its next rollback.
func (s *Settings) claimForRollback(group string) []Failure { return s.take(group, true) }

func (s *Settings) take(group string, rollback bool) []Failure {
	taken, left := []Failure{}, []Failure{}
	for _, failure := range s.Failures {
		if failure.Rollback == rollback && (failure.DeploymentGroup == "" || failure.DeploymentGroup == group) {
			taken = append(taken, failure)
		} else {
			left = append(left, failure)
		}
	}
	s.Failures = left
	return taken
}

// Settings returns how the service behaves now, and the failures that have not
// befallen a deployment yet.
func (s *Service) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.clone()
}

func (s Settings) clone() Settings {
	what := *s.Copy
	s.Copy = &what
	s.Failures = slices.Clone(s.Failures)
	return s
}

// Change changes the settings for deployments that start from now on. Errors
// name the setting; nothing is changed then.
func (s *Service) Change(change func(*Settings)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.settings.clone()
	change(&changed)
	changed = changed.complete()
	if err := changed.validate(); err != nil {
		return err
	}
	s.settings = changed
	return nil
}

func (s *Service) serveControl(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPatch:
		var unreadable error
		err := s.Change(func(settings *Settings) {
			decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
			decoder.DisallowUnknownFields() // a misspelt setting must not pass for one that is set
			before := settings.clone()
			settings.Failures = nil
			if unreadable = decoder.Decode(settings); unreadable != nil {
				*settings = before
			}
			if settings.Failures == nil {
				settings.Failures = before.Failures
			}
		})
		if unreadable != nil {
			err = unreadable
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PATCH")
		http.Error(w, "want GET or PATCH", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Settings()) // the client has gone: nobody to tell
}
