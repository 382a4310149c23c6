package sdk

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// FleetArgs are the arguments of a Fleet. What is nil takes the provider's
// default.
type FleetArgs struct {
	// Key is the Identity's.
	Key pulumi.StringInput
	Release
	LaunchTemplateID pulumi.StringInput // always used at $Latest
	// InstanceTypes has the preferred one first; 1 to 40.
	InstanceTypes pulumi.StringArrayInput
	// OnDemandBaseCapacity is the number of instances that are on-demand
	// before any spot instance; 0 by default.
	OnDemandBaseCapacity pulumi.IntInput
	// OnDemandPercentageAboveBaseCapacity is 0, all spot, to 100. Required.
	OnDemandPercentageAboveBaseCapacity pulumi.IntInput
	// SpotAllocationStrategy is price-capacity-optimized by default.
	SpotAllocationStrategy pulumi.StringInput
	// SpotInstancePools goes with lowest-price; 2 by default, at most 20.
	SpotInstancePools pulumi.IntInput
	CapacityRebalance pulumi.BoolInput
	SubnetIDs         pulumi.StringArrayInput
	TargetGroupARNs   pulumi.StringArrayInput
	MinSize, MaxSize  pulumi.IntInput
	// BootstrapName is the first group's name, read at creation only; made of
	// Key by default.
	BootstrapName pulumi.StringInput
	// DesiredCapacity is read at creation only; MinSize by default.
	DesiredCapacity pulumi.IntInput
	// HealthCheckType is EC2 by default. ELB kills the first instance in a
	// loop, because nothing is released on it yet.
	HealthCheckType        pulumi.StringInput
	HealthCheckGracePeriod pulumi.IntInput // seconds, at least 1; 300 by default
	TerminationPolicies    pulumi.StringArrayInput
	Tags                   pulumi.StringMapInput // of the group and its instances
	TargetTracking         []TargetTracking
	Schedules              []Schedule
	// ReleaseSettings are whatever the deployment group's settings are made
	// from. When they change, the fleet waits for a running deployment and looks
	// for the live group anew, before the deployment group sends its name again.
	ReleaseSettings pulumi.StringInput
	// CopyLosses is warn, the default, or repair: whether target groups,
	// policies and tags that CodeDeploy did not copy are a difference.
	CopyLosses pulumi.StringInput
}

// TargetTracking keeps a metric at a value by adding and removing instances.
// Name is its identity in the group.
type TargetTracking struct {
	Name           string
	Metric         string             // a predefined metric of Auto Scaling, as in "ASGAverageCPUUtilization"
	Target         float64            // the metric's value to keep
	ResourceLabel  pulumi.StringInput // with ALBRequestCountPerTarget only
	DisableScaleIn bool
}

// Schedule changes sizes at set times. Name is its identity in the group.
type Schedule struct {
	Name       string
	Recurrence string // cron, five fields
	TimeZone   string // IANA name; UTC when empty
	// MinSize, MaxSize and DesiredCapacity stay as they are where nil.
	MinSize, MaxSize, DesiredCapacity *int
}

// Fleet is an Auto Scaling group that stays one resource while CodeDeploy
// replaces the group at every release.
type Fleet struct {
	pulumi.CustomResourceState

	// GroupName is the live group's name. It changes at every release: only
	// the deployment group may take it, since anything else on it would be
	// replaced each time.
	GroupName pulumi.StringOutput `pulumi:"groupName"`
	// Leftovers are groups that failed releases left behind.
	Leftovers pulumi.StringArrayOutput `pulumi:"leftovers"`
	// Lost is what CodeDeploy did not copy to the live group.
	Lost pulumi.StringArrayOutput `pulumi:"lost"`
}

// NewFleet declares a Fleet.
func NewFleet(ctx *pulumi.Context, name string, args FleetArgs, opts ...pulumi.ResourceOption) (*Fleet, error) {
	properties := args.Release.properties()
	for property, value := range map[string]pulumi.Input{
		"key":                                 args.Key,
		"launchTemplateId":                    args.LaunchTemplateID,
		"instanceTypes":                       args.InstanceTypes,
		"onDemandBaseCapacity":                args.OnDemandBaseCapacity,
		"onDemandPercentageAboveBaseCapacity": args.OnDemandPercentageAboveBaseCapacity,
		"spotAllocationStrategy":              args.SpotAllocationStrategy,
		"spotInstancePools":                   args.SpotInstancePools,
		"capacityRebalance":                   args.CapacityRebalance,
		"subnetIds":                           args.SubnetIDs,
		"targetGroupArns":                     args.TargetGroupARNs,
		"minSize":                             args.MinSize,
		"maxSize":                             args.MaxSize,
		"bootstrapName":                       args.BootstrapName,
		"desiredCapacity":                     args.DesiredCapacity,
		"healthCheckType":                     args.HealthCheckType,
		"healthCheckGracePeriod":              args.HealthCheckGracePeriod,
		"terminationPolicies":                 args.TerminationPolicies,
		"tags":                                args.Tags,
		"targetTracking":                      tracking(args.TargetTracking),
		"schedules":                           schedules(args.Schedules),
		"copyLosses":                          args.CopyLosses,
		"releaseSettings":                     args.ReleaseSettings,
	} {
		properties[property] = value
	}
	f := &Fleet{}
	opts = append([]pulumi.ResourceOption{
		// Creation adopts the group that carries the key. A replacement made
		// first would adopt the old group, which is deleted right after.
		pulumi.DeleteBeforeReplace(true),
		// The key holds the stack's name, which may change; the fleet stays.
		pulumi.IgnoreChanges([]string{"key"}),
	}, opts...)
	return f, ctx.RegisterResource(fleetToken, name, given(properties), f, opts...)
}

func tracking(policies []TargetTracking) pulumi.Input {
	var all pulumi.Array
	for _, t := range policies {
		all = append(all, given(pulumi.Map{
			"name": pulumi.String(t.Name), "metric": pulumi.String(t.Metric), "target": pulumi.Float64(t.Target),
			"resourceLabel": t.ResourceLabel, "disableScaleIn": pulumi.Bool(t.DisableScaleIn),
		}))
	}
	return all
}

func schedules(schedules []Schedule) pulumi.Input {
	var all pulumi.Array
	for _, s := range schedules {
		all = append(all, given(pulumi.Map{
			"name": pulumi.String(s.Name), "recurrence": pulumi.String(s.Recurrence), "timeZone": pulumi.String(s.TimeZone),
			"minSize": number(s.MinSize), "maxSize": number(s.MaxSize), "desiredCapacity": number(s.DesiredCapacity),
		}))
	}
	return all
}

func number(n *int) pulumi.Input {
	if n == nil {
		return nil
	}
	return pulumi.Int(*n)
}

// given leaves out what is nil, so that the provider's defaults apply.
func given(properties pulumi.Map) pulumi.Map {
	set := pulumi.Map{}
	for name, value := range properties {
		if value == nil {
			continue
		}
		if v := reflect.ValueOf(value); (v.Kind() == reflect.Slice || v.Kind() == reflect.Map || v.Kind() == reflect.Pointer) && v.IsNil() {
			continue
		}
		set[name] = value
	}
	return set
}
