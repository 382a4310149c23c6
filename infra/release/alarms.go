package release

import (
	"errors"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Alarms watch the load balancer's metrics, which keep their names when the
// Auto Scaling group does not. CodeDeploy stops a deployment when an alarm of
// its group is activated (AWS CodeDeploy User Guide, "Monitoring deployments
// with CloudWatch alarms in CodeDeploy"), and one that is on before the
// deployment starts stops it at once. A plain threshold would therefore block
// the releases it is to guard:
//
//   - Before the first release the only instances answer 503. They are
//     unhealthy, and since there is no healthy target the load balancer sends
//     them what visitors ask (Elastic Load Balancing, "Health checks for
//     Application Load Balancer target groups"). So errors count only while a
//     target is healthy.
//   - In every release new instances may be registered long before the
//     application is on them, unhealthy all that time. So what counts is not
//     how many targets are unhealthy but how many were healthy and no longer
//     are: the healthy count falls in the minute in which the unhealthy one
//     rises. An instance that comes adds to the second only, and one that
//     leaves takes from the first only.
//
// A release can't start while the site is failing in either way, its cure
// included. The second alarm ends by itself within minutes; the first lasts as
// the errors do. For one deployment the alarms can be overridden (AWS
// CodeDeploy API Reference, "CreateDeployment", overrideAlarmConfiguration).
//
// CodeDeploy watches until a deployment ends. In mode copy that is after the
// termination wait, while the original instances can still take over; in mode
// pair, as soon as traffic has moved.
type Alarms struct {
	// Enabled makes the alarms and has CodeDeploy heed them. The default is
	// true.
	Enabled bool `json:"enabled"`
	// Target5xx is how many answers 500 to 599 of the instances in a minute
	// are too many, at least 1. The default is 10; a busy site sets what is
	// more than its everyday noise.
	Target5xx int `json:"target5xx"`
	// UnhealthyHosts is how many instances that turn unhealthy in the same
	// minute are too many, at least 1. The default is 1.
	UnhealthyHosts int `json:"unhealthyHosts"`
	// EvaluationPeriods is for how many minutes in a row there have to be too
	// many errors, 1 to 1440. The default is 2. It should be well below
	// terminationWaitMinutes: what is found later can't be rolled back to
	// the original instances.
	EvaluationPeriods int `json:"evaluationPeriods"`
	// IgnorePollAlarmFailure goes on with a deployment when CodeDeploy can't
	// read the alarms. The default is false: it stops.
	IgnorePollAlarmFailure bool `json:"ignorePollAlarmFailure"`
}

const (
	alarmPeriod = 60 // seconds; the load balancer reports every minute
	// remembered is for how many minutes an instance that turned unhealthy
	// keeps its alarm on: a turn is in one minute only, and CodeDeploy must
	// come by in time to see it.
	remembered = 5
	// PutMetricAlarm takes a day of periods of a minute (Amazon CloudWatch API
	// Reference, "PutMetricAlarm", EvaluationPeriods).
	mostPeriods = 24 * 60
	mostCounted = 1_000_000 // ours: more is a slip of the finger
)

func (a Alarms) validate() error {
	return errors.Join(
		within("alarms.target5xx", a.Target5xx, 1, mostCounted),
		within("alarms.unhealthyHosts", a.UnhealthyHosts, 1, mostCounted),
		within("alarms.evaluationPeriods", a.EvaluationPeriods, 1, mostPeriods),
	)
}

// alarm is one alarm as data. It is on when the expression's value (Amazon
// CloudWatch User Guide, "Using math expressions with CloudWatch metrics") has
// reached threshold in datapoints of the last periods minutes.
type alarm struct {
	role, description   string
	metrics             []metric
	expression          string
	threshold           int
	periods, datapoints int
}

// metric is a metric of the target group. The statistics are chosen so that a
// minute of transition speaks for the fleet: as many healthy and as few
// unhealthy targets as there were in it.
type metric struct{ id, name, statistic string }

var (
	errorCount     = metric{"errors", "HTTPCode_Target_5XX_Count", "Sum"}
	healthyCount   = metric{"healthy", "HealthyHostCount", "Maximum"}
	unhealthyCount = metric{"unhealthy", "UnHealthyHostCount", "Minimum"}
)

func (a Alarms) table() []alarm {
	return []alarm{
		{
			role:        "target-5xx",
			description: "Instances answer with too many errors; a release is stopped.",
			metrics:     []metric{errorCount, healthyCount},
			expression:  "IF(healthy > 0, FILL(errors, 0), 0)", // no error is no data
			threshold:   a.Target5xx,
			periods:     a.EvaluationPeriods,
			datapoints:  a.EvaluationPeriods,
		},
		{
			role:        "unhealthy-hosts",
			description: "Instances that were healthy are not any more; a release is stopped.",
			metrics:     []metric{healthyCount, unhealthyCount},
			expression:  "IF(DIFF(healthy) < 0 AND DIFF(unhealthy) > 0, DIFF(unhealthy), 0)",
			threshold:   a.UnhealthyHosts,
			periods:     remembered,
			datapoints:  1,
		},
	}
}

// newAlarms declares the alarms, if there are to be any, and returns their
// names.
func newAlarms(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (names pulumi.StringArray, err error) {
	if !args.Alarms.Enabled {
		return nil, nil
	}
	for _, a := range args.Alarms.table() {
		full := name + "-" + a.role
		made, err := cloudwatch.NewMetricAlarm(ctx, full, &cloudwatch.MetricAlarmArgs{
			AlarmDescription:   pulumi.String(a.description),
			MetricQueries:      a.queries(args),
			ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
			Threshold:          pulumi.Float64(float64(a.threshold)),
			EvaluationPeriods:  pulumi.Int(a.periods),
			DatapointsToAlarm:  pulumi.Int(a.datapoints),
			TreatMissingData:   pulumi.String("notBreaching"),
			Tags:               pulumi.StringMap{"Name": pulumi.String(full)},
		}, own)
		if err != nil {
			return nil, err
		}
		names = append(names, made.Name)
	}
	return names, nil
}

func (a alarm) queries(args Args) cloudwatch.MetricAlarmMetricQueryArray {
	queries := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id:         pulumi.String("watched"),
		Label:      pulumi.String(a.role),
		Expression: pulumi.String(a.expression),
		ReturnData: pulumi.Bool(true),
	}}
	for _, m := range a.metrics {
		queries = append(queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(m.id),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace:  pulumi.String("AWS/ApplicationELB"),
				MetricName: pulumi.String(m.name),
				Stat:       pulumi.String(m.statistic),
				Period:     pulumi.Int(alarmPeriod),
				Dimensions: pulumi.StringMap{"LoadBalancer": args.LoadBalancerSuffix, "TargetGroup": args.TargetGroupSuffix},
			},
		})
	}
	return queries
}
