package fleet

import (
	"errors"
	"slices"
	"strings"
)

// What Auto Scaling takes for an instance that has to go (Amazon EC2 Auto
// Scaling User Guide, "Configure termination policies").
var terminationPolicies = []string{
	"Default", "AllocationStrategy", "OldestLaunchTemplate", "ClosestToNextInstanceHour", "NewestInstance", "OldestInstance",
}

func checkHealth(s Spec) error {
	problems := []error{
		check(s.HealthCheckType == "EC2" || s.HealthCheckType == "ELB", "healthCheckType: want EC2 or ELB, got %q", s.HealthCheckType),
		check(s.HealthCheckGracePeriod >= 1 && s.HealthCheckGracePeriod <= longestGrace, "healthCheckGracePeriod: want 1 to %d seconds, got %d", longestGrace, s.HealthCheckGracePeriod),
		check(len(s.TerminationPolicies) > 0, "terminationPolicies: want at least one, got none; Default is AWS's own"),
	}
	for at, policy := range s.TerminationPolicies {
		problems = append(problems,
			check(slices.Contains(terminationPolicies, policy), "terminationPolicies[%d]: want one of %s, got %q", at, strings.Join(terminationPolicies, ", "), policy),
			check(slices.Index(s.TerminationPolicies, policy) == at, "terminationPolicies[%d]: %q is listed twice; remove one", at, policy),
		)
	}
	return errors.Join(problems...)
}

// longestGrace is ours: a day, past which a broken instance is not noticed.
const longestGrace = 24 * 60 * 60

// Losses are what the copy of a group may lack: see Spec.CopyLosses.
const (
	Warn   = "warn"
	Repair = "repair"
)
