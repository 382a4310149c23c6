// Package fleet declares instances of one site: the firewall in front of them,
// the launch template they start from, and the Auto Scaling group that keeps
// their number.
//
// An instance is ready for CodeDeploy a minute after its start, and answers
// 503 until a release is on it. Nobody logs in over SSH: there is no port 22
// and, unless a key pair is named, no key. Session Manager gives a shell.
package fleet

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the fleet.
const typeToken = "bluegreen:infra:Fleet"

// Spec is what an operator chooses.
type Spec struct {
	// InstanceTypes are the EC2 instance types that may be launched, the
	// preferred one first, all of one processor architecture. Several types
	// let EC2 choose where it has capacity. The default is t3.micro,
	// t3a.micro, t2.micro: 1 GiB of memory each.
	InstanceTypes []string `json:"instanceTypes"`
	// Ubuntu is the release of Ubuntu LTS: 22.04, 24.04 or 26.04. The default
	// is 24.04, the newest on which both CodeDeploy agents install: where a
	// region does not have agent 2.x yet, 26.04 would be left without one.
	Ubuntu string `json:"ubuntu"`
	// ImageID pins the machine image, as in "ami-0123456789abcdef0". It must
	// fit the architecture of InstanceTypes. Empty, the default, takes
	// Canonical's newest image of the Ubuntu release.
	ImageID string `json:"imageId"`
	// VolumeSize is the size of the root volume in GiB, 8 to 16384. The
	// default is 8. Running instances keep theirs; new ones get this.
	VolumeSize int `json:"volumeSize"`
	// KeyName is an EC2 key pair that exists in the region. Empty, the
	// default, gives instances none.
	KeyName string `json:"keyName"`
	// MinSize is the least number of instances, at least 1: a deployment
	// needs a running one. The default is 1.
	MinSize int `json:"minSize"`
	// MaxSize is the largest number of instances. The default is 1.
	MaxSize int `json:"maxSize"`
	// DesiredSize is the number of instances to begin with, MinSize to
	// MaxSize. 0, the default, is MinSize. It is read when the group is made;
	// from then on Auto Scaling decides.
	DesiredSize int `json:"desiredSize"`

	// OnDemandBaseCapacity is how many instances are on-demand before any spot
	// instance. The default is 0.
	OnDemandBaseCapacity int `json:"onDemandBaseCapacity"`
	// OnDemandPercentage is the share of on-demand instances above
	// OnDemandBaseCapacity, 0 to 100. The default is 0: all spot.
	OnDemandPercentage int `json:"onDemandPercentage"`
	// SpotAllocationStrategy is how EC2 chooses among instance types and
	// zones: price-capacity-optimized, lowest-price, capacity-optimized or
	// capacity-optimized-prioritized. The default is price-capacity-optimized:
	// lowest-price picks the pools that are interrupted most.
	SpotAllocationStrategy string `json:"spotAllocationStrategy"`
	// SpotInstancePools is how many of the cheapest pools lowest-price spreads
	// over, 1 to 20; the other strategies do without. The default is 2.
	SpotInstancePools int `json:"spotInstancePools"`
	// CapacityRebalance replaces a spot instance when EC2 warns that it may be
	// interrupted, before it is. The default is true.
	CapacityRebalance bool `json:"capacityRebalance"`
	// HealthCheckType is EC2, the default, or ELB. With ELB, Auto Scaling ends
	// what the load balancer calls unhealthy; do not use it before the first
	// release, whose instances all are.
	HealthCheckType string `json:"healthCheckType"`
	// HealthCheckGracePeriod is how many seconds after its start an instance
	// is left in peace, at least 1. The default is 300.
	HealthCheckGracePeriod int `json:"healthCheckGracePeriod"`
	// TerminationPolicies say which instance goes first: Default,
	// AllocationStrategy, OldestLaunchTemplate, ClosestToNextInstanceHour,
	// NewestInstance, OldestInstance. The default is Default.
	TerminationPolicies []string `json:"terminationPolicies"`
	// TargetTracking are scaling policies by name; the default is none.
	TargetTracking map[string]TargetTracking `json:"targetTracking"`
	// Schedules are scheduled actions by name; the default is none.
	Schedules map[string]Schedule `json:"schedules"`
	// CopyLosses is what to do when CodeDeploy's copy of the group lacks
	// target groups, policies or tags of the original: warn, the default, or
	// repair, which puts them back at the next update.
	CopyLosses string `json:"copyLosses"`
}

// Default is one small spot instance on the newest image.
func Default() Spec {
	return Spec{
		InstanceTypes:          []string{"t3.micro", "t3a.micro", "t2.micro"},
		Ubuntu:                 "24.04",
		VolumeSize:             8,
		MinSize:                1,
		MaxSize:                1,
		SpotAllocationStrategy: PriceCapacityOptimized,
		SpotInstancePools:      2,
		CapacityRebalance:      true,
		HealthCheckType:        "EC2",
		HealthCheckGracePeriod: 300,
		TerminationPolicies:    []string{"Default"},
		CopyLosses:             Warn,
	}
}

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	return errors.Join(
		checkInstanceTypes(s.InstanceTypes),
		checkImage(s.Ubuntu, s.ImageID),
		checkVolume(s.VolumeSize),
		checkKeyName(s.KeyName),
		checkSizes(s.MinSize, s.DesiredSize, s.MaxSize),
		checkPurchase(s),
		checkHealth(s),
		checkScaling(s.TargetTracking, s.Schedules, s.MinSize, s.MaxSize),
		check(s.CopyLosses == Warn || s.CopyLosses == Repair, "copyLosses: want %s or %s, got %q", Warn, Repair, s.CopyLosses),
	)
}

// The limits of a gp3 volume in GiB (Amazon EBS User Guide, "General Purpose
// SSD volumes"; the lower one is the size of Canonical's images).
const (
	smallestVolume = 8
	largestVolume  = 16384
)

func checkVolume(size int) error {
	if size < smallestVolume || size > largestVolume {
		return fmt.Errorf("volumeSize: want %d to %d GiB, got %d", smallestVolume, largestVolume, size)
	}
	return nil
}

// longestKeyName is the limit of CreateKeyPair (Amazon EC2 API Reference).
const longestKeyName = 255

func checkKeyName(name string) error {
	if len(name) > longestKeyName {
		return fmt.Errorf("keyName: want at most %d characters, got %d", longestKeyName, len(name))
	}
	return nil
}

func checkSizes(least, desired, most int) error {
	var problems []error
	if least < 1 {
		problems = append(problems, fmt.Errorf("minSize: want at least 1, because a deployment needs a running instance; got %d", least))
	}
	if least > most {
		problems = append(problems, fmt.Errorf("minSize: %d exceeds maxSize %d; raise the second or lower the first", least, most))
	}
	if desired != 0 && desired < least {
		problems = append(problems, fmt.Errorf("desiredSize: %d is below minSize %d; raise the first or lower the second", desired, least))
	}
	if desired > most {
		problems = append(problems, fmt.Errorf("desiredSize: %d exceeds maxSize %d; raise the second or lower the first", desired, most))
	}
	return errors.Join(problems...)
}

// Args is a Spec and what the rest of the platform supplies. Everything but
// LogGroup, IPv6, Tags, Group and, without web, LoadBalancerSecurityGroupID is
// required.
type Args struct {
	Spec
	// ImageID is the image to launch: Spec.ImageID, or what a look-up of
	// ImageName found.
	ImageID       string
	Region        string // as in "us-east-2"
	ParameterPath string // where the application's environment is, as in "/example/prod/"
	// Services are what each instance runs, as in "web worker beat": names that
	// app/release.sh knows.
	Services                    string
	LogGroup                    string             // of CloudWatch Logs, where instances send what they log; empty sends nothing
	IPv6                        bool               // the network is dual-stack
	Tags                        map[string]string  // for instances, their volumes and interfaces, which the provider's default tags do not reach
	VPCID                       pulumi.StringInput // where the instances are
	LoadBalancerSecurityGroupID pulumi.StringInput // the only source of traffic; nil without web, where nobody comes in
	InstanceProfileARN          pulumi.StringInput // what the instances may do
	// Group is the Auto Scaling group; nil leaves groups to the caller.
	Group *Group
}

func (a Args) check() error {
	problems := []error{a.Validate()}
	if !a.web() && a.LoadBalancerSecurityGroupID != nil {
		problems = append(problems, fmt.Errorf("loadBalancerSecurityGroupId: want none for services %q, which no visitor comes to", a.Services))
	}
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"imageId", a.ImageID == ""},
		{"vpcId", a.VPCID == nil},
		{"loadBalancerSecurityGroupId", a.LoadBalancerSecurityGroupID == nil && a.web()},
		{"instanceProfileArn", a.InstanceProfileARN == nil},
	} {
		if input.missing {
			problems = append(problems, fmt.Errorf("%s: required, got none", input.name))
		}
	}
	if a.Group != nil {
		problems = append(problems, a.Group.check())
	}
	return errors.Join(problems...)
}

// Fleet is the site's instances.
type Fleet struct {
	pulumi.ResourceState

	SecurityGroupID    pulumi.StringOutput // of the instances; databases and caches let it in
	LaunchTemplateID   pulumi.StringOutput
	LaunchTemplateName pulumi.StringOutput
	// GroupName is the name of the live Auto Scaling group, for the deployment
	// group only: it changes at each release. Unset where Args has no Group.
	GroupName pulumi.StringOutput
}

// New declares the fleet.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (f *Fleet, err error) {
	defer func() {
		if err != nil {
			f, err = nil, fmt.Errorf("fleet %s: %w", name, err)
		}
	}()
	if err := args.check(); err != nil {
		return nil, err
	}
	script, err := render(userData{Region: args.Region, ParameterPath: args.ParameterPath, Services: args.Services, LogGroup: args.LogGroup})
	if err != nil {
		return nil, err
	}
	f = &Fleet{}
	if err := ctx.RegisterComponentResource(typeToken, name, f, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(f)
	group, err := newSecurityGroup(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	template, err := newLaunchTemplate(ctx, name, args, script, group, own)
	if err != nil {
		return nil, err
	}
	f.SecurityGroupID = group.ID().ToStringOutput()
	f.LaunchTemplateID = template.ID().ToStringOutput()
	f.LaunchTemplateName = template.Name
	if args.Group != nil {
		if f.GroupName, err = newGroup(ctx, name, args, f.LaunchTemplateID, own); err != nil {
			return nil, err
		}
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{
		"securityGroupId":    f.SecurityGroupID,
		"launchTemplateId":   f.LaunchTemplateID,
		"launchTemplateName": f.LaunchTemplateName,
	})
}
