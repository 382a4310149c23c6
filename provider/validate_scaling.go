package provider

import (
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // an operator's machine may lack the time zones

	"github.com/robfig/cron/v3"
)

func (p *problems) tags(tags map[string]string) {
	if most := mostTags - 1; len(tags) > most {
		p.add("tags", "want at most %d beside %s (tags per Auto Scaling group: %d), got %d", most, IdentityTag, mostTags, len(tags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == IdentityTag:
			p.add("tags", "%s is the fleet's identity; set key instead", key)
		case key == "" || len(key) > longestTagKey:
			p.add("tags", "%q: want a key of 1 to %d characters, got %d", key, longestTagKey, len(key))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			p.add("tags", "%q: keys that begin with aws: are AWS's own; choose another", key)
		}
		if len(tags[key]) > longestTagValue {
			p.add("tags", "%q: want a value of at most %d characters, got %d", key, longestTagValue, len(tags[key]))
		}
	}
}

// requestsPerTarget is the one metric that needs to know the target group.
const requestsPerTarget = "ALBRequestCountPerTarget"

// longestScalingName is the limit of a policy's and an action's name (Amazon
// EC2 Auto Scaling API Reference).
const longestScalingName = 255

func (p *problems) tracking(policies []TargetTracking) {
	const field = "targetTracking"
	if len(policies) > mostScalingPolicies {
		p.add(field, "want at most %d (scaling policies per Auto Scaling group), got %d", mostScalingPolicies, len(policies))
	}
	metrics := []string{"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", requestsPerTarget}
	for at, policy := range policies {
		named(p, field, at, policies, TargetTracking.name)
		if !slices.Contains(metrics, policy.Metric) {
			p.add(field, "[%d].metric: want one of %s, got %q", at, strings.Join(metrics, ", "), policy.Metric)
		}
		if policy.Target <= 0 {
			p.add(field, "[%d].target: want more than 0, got %g", at, policy.Target)
		}
		if wants := policy.Metric == requestsPerTarget; wants != (policy.ResourceLabel != "") {
			p.add(field, "[%d].resourceLabel: goes with metric %s and no other; metric is %s and resourceLabel %q", at, requestsPerTarget, policy.Metric, policy.ResourceLabel)
		}
	}
}

func (p *problems) schedules(schedules []Schedule) {
	const field = "schedules"
	if len(schedules) > mostScheduledActions {
		p.add(field, "want at most %d (scheduled actions per Auto Scaling group), got %d", mostScheduledActions, len(schedules))
	}
	for at, schedule := range schedules {
		named(p, field, at, schedules, Schedule.name)
		if _, err := cron.ParseStandard(schedule.Recurrence); err != nil || len(strings.Fields(schedule.Recurrence)) != 5 {
			p.add(field, "[%d].recurrence: want five cron fields like 0 8 * * 1-5, got %q", at, schedule.Recurrence)
		}
		if _, err := time.LoadLocation(schedule.TimeZone); err != nil || schedule.TimeZone == "Local" {
			p.add(field, "[%d].timeZone: want an IANA name like Europe/Berlin, got %q", at, schedule.TimeZone)
		}
		p.scheduledSizes(at, schedule)
	}
}

func (p *problems) scheduledSizes(at int, s Schedule) {
	const field = "schedules"
	if s.MinSize == nil && s.MaxSize == nil && s.DesiredCapacity == nil {
		p.add(field, "[%d]: want minSize, maxSize or desiredCapacity, got none", at)
	}
	for _, size := range []struct {
		name  string
		value *int
	}{{"minSize", s.MinSize}, {"maxSize", s.MaxSize}, {"desiredCapacity", s.DesiredCapacity}} {
		if size.value != nil && *size.value < 0 {
			p.add(field, "[%d].%s: want 0 or more, got %d", at, size.name, *size.value)
		}
	}
	if s.MinSize != nil && s.MaxSize != nil && *s.MinSize > *s.MaxSize {
		p.add(field, "[%d].minSize: %d exceeds maxSize %d; raise the second or lower the first", at, *s.MinSize, *s.MaxSize)
	}
}

// named checks the name that tells an element from the others.
func named[T any](p *problems, field string, at int, all []T, name func(T) string) {
	own := name(all[at])
	if own == "" || len(own) > longestScalingName {
		p.add(field, "[%d].name: want 1 to %d characters, got %d", at, longestScalingName, len(own))
	}
	if slices.IndexFunc(all, func(other T) bool { return name(other) == own }) < at {
		p.add(field, "[%d].name: %q is used twice; rename one", at, own)
	}
}
