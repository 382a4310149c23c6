package provider

import (
	"slices"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Shape is what a group of the fleet looks like, whatever its name is.
type Shape struct {
	LaunchTemplateID                    string            `pulumi:"launchTemplateId"`
	InstanceTypes                       []string          `pulumi:"instanceTypes"`
	OnDemandBaseCapacity                int               `pulumi:"onDemandBaseCapacity,optional"`
	OnDemandPercentageAboveBaseCapacity int               `pulumi:"onDemandPercentageAboveBaseCapacity"`
	SpotAllocationStrategy              string            `pulumi:"spotAllocationStrategy,optional"`
	SpotInstancePools                   int               `pulumi:"spotInstancePools,optional"`
	CapacityRebalance                   bool              `pulumi:"capacityRebalance,optional"`
	SubnetIDs                           []string          `pulumi:"subnetIds"`
	TargetGroupARNs                     []string          `pulumi:"targetGroupArns,optional"`
	MinSize                             int               `pulumi:"minSize"`
	MaxSize                             int               `pulumi:"maxSize"`
	HealthCheckType                     string            `pulumi:"healthCheckType,optional"`
	HealthCheckGracePeriod              int               `pulumi:"healthCheckGracePeriod,optional"`
	TerminationPolicies                 []string          `pulumi:"terminationPolicies,optional"`
	Tags                                map[string]string `pulumi:"tags,optional"`
	TargetTracking                      []TargetTracking  `pulumi:"targetTracking,optional"`
	Schedules                           []Schedule        `pulumi:"schedules,optional"`
}

// Annotate implements infer.Annotated.
func (s *Shape) Annotate(a infer.Annotator) {
	a.Describe(&s.LaunchTemplateID, "The launch template, always used at $Latest.")
	a.Describe(&s.InstanceTypes, "EC2 instance types, the preferred one first; 1 to 40.")
	a.Describe(&s.OnDemandBaseCapacity, "How many instances are on-demand before any spot instance. Default 0.")
	a.Describe(&s.OnDemandPercentageAboveBaseCapacity, "Percentage of on-demand instances above the base, 0 (all spot) to 100. Required, because it decides the bill.")
	a.Describe(&s.SpotAllocationStrategy, "price-capacity-optimized (default), lowest-price, capacity-optimized or capacity-optimized-prioritized.")
	a.Describe(&s.SpotInstancePools, "With lowest-price only: the number of spot pools, 1 to 20. Default 2.")
	a.Describe(&s.CapacityRebalance, "Replace a spot instance when EC2 warns of its interruption. Default false.")
	a.Describe(&s.SubnetIDs, "Where instances are; at least one.")
	a.Describe(&s.TargetGroupARNs, "Target groups that instances are registered with.")
	a.Describe(&s.MinSize, "Least number of instances.")
	a.Describe(&s.MaxSize, "Largest number of instances.")
	a.Describe(&s.HealthCheckType, "EC2 (default) or ELB. ELB kills the first instance in a loop, because nothing is released on it yet.")
	a.Describe(&s.HealthCheckGracePeriod, "Seconds before the first health check, at least 1. Default 300.")
	a.Describe(&s.TerminationPolicies, "Which instance goes first. Default [Default].")
	a.Describe(&s.Tags, "Tags of the group and of its instances. Tags that others put on the group are left alone.")
	a.Describe(&s.TargetTracking, "Scaling policies, by name. Policies of other names are left alone.")
	a.Describe(&s.Schedules, "Scheduled actions, by name. Actions of other names are left alone.")
}

// TargetTracking keeps a metric at a value by adding and removing instances.
type TargetTracking struct {
	Name string `pulumi:"name"`
	// Metric is one of ASGAverageCPUUtilization, ASGAverageNetworkIn,
	// ASGAverageNetworkOut and ALBRequestCountPerTarget.
	Metric string `pulumi:"metric"`
	// Target is the metric's value to keep.
	Target float64 `pulumi:"target"`
	// ResourceLabel names load balancer and target group; required with
	// ALBRequestCountPerTarget, as in "app/name/id/targetgroup/name/id".
	ResourceLabel  string `pulumi:"resourceLabel,optional"`
	DisableScaleIn bool   `pulumi:"disableScaleIn,optional"`
}

// Schedule changes sizes at set times.
type Schedule struct {
	Name string `pulumi:"name"`
	// Recurrence is a cron expression of five fields.
	Recurrence string `pulumi:"recurrence"`
	// TimeZone is an IANA name; UTC when empty.
	TimeZone        string `pulumi:"timeZone,optional"`
	MinSize         *int   `pulumi:"minSize,optional"`
	MaxSize         *int   `pulumi:"maxSize,optional"`
	DesiredCapacity *int   `pulumi:"desiredCapacity,optional"`
}

// What becomes of target groups, policies and tags that CodeDeploy did not
// copy.
const (
	lossesWarn   = "warn"   // named in a warning; no difference
	lossesRepair = "repair" // a difference, so that the next update puts them back
)

// Release says how the fleet is tied to CodeDeploy.
type Release struct {
	Application            string `pulumi:"application"`
	DeploymentGroup        string `pulumi:"deploymentGroup"`
	WaitForDeployment      string `pulumi:"waitForDeployment,optional"`
	StopDeploymentOnDelete bool   `pulumi:"stopDeploymentOnDelete,optional"`
}

// Annotate implements infer.Annotated.
func (r *Release) Annotate(a infer.Annotator) {
	a.Describe(&r.Application, "Name of the CodeDeploy application. It need not exist yet.")
	a.Describe(&r.DeploymentGroup, "Name of the CodeDeploy deployment group. It need not exist yet.")
	a.Describe(&r.WaitForDeployment, "How long an update or a deletion waits for a running deployment before it refuses, as in 30m. Default 30m.")
	a.Describe(&r.StopDeploymentOnDelete, "Stop a running deployment on deletion instead of waiting for it. Default false.")
}

// patience is WaitForDeployment as a duration.
func (r Release) patience() time.Duration {
	d, err := time.ParseDuration(r.WaitForDeployment)
	if err != nil {
		return defaultPatience // validation has reported it already
	}
	return d
}

const defaultPatience = 30 * time.Minute

// FleetArgs are the inputs of a Fleet.
type FleetArgs struct {
	Key string `pulumi:"key"`
	Release
	Shape
	BootstrapName   string `pulumi:"bootstrapName,optional"`
	DesiredCapacity *int   `pulumi:"desiredCapacity,optional"`
	CopyLosses      string `pulumi:"copyLosses,optional"`
	ReleaseSettings string `pulumi:"releaseSettings,optional"`
}

// Annotate implements infer.Annotated.
func (a *FleetArgs) Annotate(an infer.Annotator) {
	an.Describe(&a.Key, "The fleet's identity, project/stack/name: the value of the tag bluegreen:fleet on every group of the fleet. Changing it replaces the fleet.")
	an.Describe(&a.BootstrapName, "Name of the fleet's first group, which CodeDeploy's copies replace. Read at creation only; default: the key and a hash of it.")
	an.Describe(&a.DesiredCapacity, "Number of instances to begin with. Read at creation only; default minSize.")
	an.Describe(&a.ReleaseSettings, "Whatever the deployment group's settings are made from. When it changes, the fleet waits for a running deployment and looks for the live group anew: the deployment group is about to be updated, and sends the group's name again.")
	an.Describe(&a.CopyLosses, "What to do when CodeDeploy did not copy target groups, policies or tags: warn (default) names them in a warning, repair also shows a difference so that the next update puts them back.")
}

// FleetState is what the Pulumi state keeps of a Fleet.
type FleetState struct {
	FleetArgs
	GroupName string   `pulumi:"groupName"`
	Leftovers []string `pulumi:"leftovers,optional"`
	Lost      []string `pulumi:"lost,optional"`
	Region    string   `pulumi:"region"`
}

// Annotate implements infer.Annotated.
func (s *FleetState) Annotate(a infer.Annotator) {
	a.Describe(&s.GroupName, "Name of the live Auto Scaling group. Only the deployment group should take it: it changes at every release.")
	a.Describe(&s.Leftovers, "Groups of the fleet that failed releases left behind.")
	a.Describe(&s.Lost, "What the live group should have and CodeDeploy did not copy.")
	a.Describe(&s.Region, "The region the fleet was made in.")
}

// withDefaults fills in what the operator left out.
func (a FleetArgs) withDefaults() FleetArgs {
	if a.SpotAllocationStrategy == "" {
		a.SpotAllocationStrategy = "price-capacity-optimized"
	}
	if a.SpotAllocationStrategy == lowestPrice && a.SpotInstancePools == 0 {
		a.SpotInstancePools = 2
	}
	if a.HealthCheckType == "" {
		a.HealthCheckType = "EC2"
	}
	if a.HealthCheckGracePeriod == 0 {
		a.HealthCheckGracePeriod = 300
	}
	if len(a.TerminationPolicies) == 0 {
		a.TerminationPolicies = []string{"Default"}
	}
	if a.CopyLosses == "" {
		a.CopyLosses = lossesWarn
	}
	a.Release = a.Release.withDefaults()
	a.Schedules = slices.Clone(a.Schedules)
	for at := range a.Schedules {
		a.Schedules[at].TimeZone = plainTimeZone(a.Schedules[at].TimeZone)
	}
	return a
}

// plainTimeZone is the one spelling of UTC: AWS answers with any of them.
func plainTimeZone(zone string) string {
	if zone == "UTC" || zone == "Etc/UTC" {
		return ""
	}
	return zone
}

func (r Release) withDefaults() Release {
	if r.WaitForDeployment == "" {
		r.WaitForDeployment = "30m"
	}
	return r
}

const lowestPrice = "lowest-price"
