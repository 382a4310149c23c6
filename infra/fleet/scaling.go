package fleet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
	"github.com/robfig/cron/v3"
)

// TargetTracking keeps a metric at a value by adding and removing instances.
type TargetTracking struct {
	// Metric is ASGAverageCPUUtilization (in percent), ASGAverageNetworkIn or
	// ASGAverageNetworkOut (in bytes), or ALBRequestCountPerTarget. Required.
	Metric string `json:"metric"`
	// Target is the value to keep, more than 0. Required.
	Target float64 `json:"target"`
	// DisableScaleIn lets the policy add instances only. The default is false.
	DisableScaleIn bool `json:"disableScaleIn"`
}

// Schedule changes sizes at set times. What is left out stays as it is.
type Schedule struct {
	// Recurrence is a cron expression of five fields, as in "0 22 * * *".
	// Required.
	Recurrence string `json:"recurrence"`
	// TimeZone is an IANA name, as in Europe/Berlin; the default is UTC.
	TimeZone string `json:"timeZone"`
	// MinSize is the least number of instances from then on.
	MinSize *int `json:"minSize"`
	// MaxSize is the largest number of instances from then on.
	MaxSize *int `json:"maxSize"`
	// DesiredSize is the number of instances to aim at then.
	DesiredSize *int `json:"desiredSize"`
}

// requestsPerTarget is the one metric that names the target group.
const requestsPerTarget = "ALBRequestCountPerTarget"

// The predefined metrics of Auto Scaling (Amazon EC2 Auto Scaling API
// Reference, PredefinedMetricSpecification).
var metrics = []string{"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", requestsPerTarget}

// Quotas of an Auto Scaling group (Amazon EC2 Auto Scaling User Guide,
// "Quotas for Auto Scaling resources and groups").
const (
	mostPolicies  = 50
	mostSchedules = 125
)

func checkScaling(policies map[string]TargetTracking, schedules map[string]Schedule, least, most int) error {
	problems := []error{
		check(len(policies) <= mostPolicies, "targetTracking: want at most %d, got %d", mostPolicies, len(policies)),
		check(len(schedules) <= mostSchedules, "schedules: want at most %d, got %d", mostSchedules, len(schedules)),
	}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		policy := policies[name]
		problems = append(problems,
			check(slices.Contains(metrics, policy.Metric), "targetTracking.%s.metric: want one of %s, got %q", name, strings.Join(metrics, ", "), policy.Metric),
			check(policy.Target > 0, "targetTracking.%s.target: want more than 0, got %g", name, policy.Target),
		)
	}
	for _, name := range slices.Sorted(maps.Keys(schedules)) {
		problems = append(problems, schedules[name].check("schedules."+name), schedules[name].fits("schedules."+name, least, most))
	}
	return errors.Join(problems...)
}

func (s Schedule) check(path string) error {
	problems := []error{
		check(isCron(s.Recurrence), "%s.recurrence: want five cron fields like \"0 22 * * *\", got %q", path, s.Recurrence),
		check(s.MinSize != nil || s.MaxSize != nil || s.DesiredSize != nil, "%s: changes nothing; give minSize, maxSize or desiredSize", path),
	}
	for _, size := range []struct {
		name  string
		value *int
	}{{"minSize", s.MinSize}, {"maxSize", s.MaxSize}, {"desiredSize", s.DesiredSize}} {
		problems = append(problems, check(size.value == nil || *size.value >= 0, "%s.%s: want 0 or more, got %d", path, size.name, value(size.value)))
	}
	if s.MinSize != nil && s.MaxSize != nil && *s.MinSize > *s.MaxSize {
		problems = append(problems, fmt.Errorf("%s.minSize: %d exceeds maxSize %d; raise the second or lower the first", path, *s.MinSize, *s.MaxSize))
	}
	return errors.Join(problems...)
}

// isCron tells whether text is a cron expression of five fields.
func isCron(text string) bool {
	_, err := cron.ParseStandard(text)
	return err == nil && len(strings.Fields(text)) == 5
}

// fits reports sizes that the group's own, where a schedule leaves one alone, do
// not allow.
func (s Schedule) fits(path string, least, most int) error {
	if s.MinSize != nil {
		least = *s.MinSize
	}
	if s.MaxSize != nil {
		most = *s.MaxSize
	}
	problems := []error{
		check(s.MinSize != nil && s.MaxSize != nil || least <= most, "%s: minSize %d exceeds maxSize %d; give both", path, least, most),
	}
	if s.DesiredSize != nil && least <= most {
		problems = append(problems, check(*s.DesiredSize >= least && *s.DesiredSize <= most, "%s.desiredSize: want minSize %d to maxSize %d, got %d", path, least, most, *s.DesiredSize))
	}
	return errors.Join(problems...)
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// tracking and schedules are in the order of their names, so that two runs
// declare the same.
func (a Args) tracking() (all []sdk.TargetTracking) {
	for _, name := range slices.Sorted(maps.Keys(a.TargetTracking)) {
		policy := a.TargetTracking[name]
		declared := sdk.TargetTracking{Name: name, Metric: policy.Metric, Target: policy.Target, DisableScaleIn: policy.DisableScaleIn}
		if policy.Metric == requestsPerTarget {
			declared.ResourceLabel = pulumi.StringOutput(pulumix.Apply2(
				a.Group.LoadBalancerARNSuffix.ToStringOutput(), a.Group.TargetGroupARNSuffix.ToStringOutput(), resourceLabel))
		}
		all = append(all, declared)
	}
	return all
}

// resourceLabel names a target group for Auto Scaling (Amazon EC2 Auto Scaling
// API Reference, PredefinedMetricSpecification).
func resourceLabel(balancer, target string) string { return balancer + "/" + target }

func (a Args) schedules() (all []sdk.Schedule) {
	for _, name := range slices.Sorted(maps.Keys(a.Schedules)) {
		schedule := a.Schedules[name]
		all = append(all, sdk.Schedule{
			Name: name, Recurrence: schedule.Recurrence, TimeZone: schedule.TimeZone,
			MinSize: schedule.MinSize, MaxSize: schedule.MaxSize, DesiredCapacity: schedule.DesiredSize,
		})
	}
	return all
}
