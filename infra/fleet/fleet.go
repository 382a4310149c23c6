// Package fleet declares the web instances of one site: the firewall in front
// of them and the launch template they start from.
//
// An instance is ready for CodeDeploy a minute after its start, and answers
// 503 until a release is on it. Nobody logs in over SSH: there is no port 22
// and, unless a key pair is named, no key. Session Manager gives a shell.
package fleet

import (
	"errors"
	"fmt"

	"bluegreen/infra/firewall"

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
	// MaxSize. 0, the default, is MinSize.
	DesiredSize int `json:"desiredSize"`
}

// Default is one small instance on the newest image.
func Default() Spec {
	return Spec{
		InstanceTypes: []string{"t3.micro", "t3a.micro", "t2.micro"},
		Ubuntu:        "24.04",
		VolumeSize:    8,
		MinSize:       1,
		MaxSize:       1,
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
// IPv6 and Tags is required.
type Args struct {
	Spec
	// ImageID is the image to launch: Spec.ImageID, or what a look-up of
	// ImageName found.
	ImageID                     string
	Region                      string             // as in "us-east-2"
	ParameterPath               string             // where the application's environment is, as in "/example/prod/"
	IPv6                        bool               // the network is dual-stack
	Tags                        map[string]string  // for instances, their volumes and interfaces, which the provider's default tags do not reach
	VPCID                       pulumi.StringInput // where the instances are
	LoadBalancerSecurityGroupID pulumi.StringInput // the only source of traffic
	InstanceProfileARN          pulumi.StringInput // what the instances may do
}

func (a Args) check() error {
	problems := []error{a.Validate()}
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"imageId", a.ImageID == ""},
		{"vpcId", a.VPCID == nil},
		{"loadBalancerSecurityGroupId", a.LoadBalancerSecurityGroupID == nil},
		{"instanceProfileArn", a.InstanceProfileARN == nil},
	} {
		if input.missing {
			problems = append(problems, fmt.Errorf("%s: required, got none", input.name))
		}
	}
	return errors.Join(problems...)
}

// Fleet is what instances start from.
type Fleet struct {
	pulumi.ResourceState

	SecurityGroupID    pulumi.StringOutput // of the instances; databases and caches let it in
	LaunchTemplateID   pulumi.StringOutput
	LaunchTemplateName pulumi.StringOutput
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
	script, err := render(userData{Region: args.Region, ParameterPath: args.ParameterPath})
	if err != nil {
		return nil, err
	}
	f = &Fleet{}
	if err := ctx.RegisterComponentResource(typeToken, name, f, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(f)
	group, err := firewall.New(ctx, name+"-reverse-proxy", firewall.Args{
		Description: "Web instances: HTTP from the load balancer only.", VPCID: args.VPCID, IPv6: args.IPv6,
		Ingress: []firewall.Ingress{
			{Key: "http", Port: 80, Group: args.LoadBalancerSecurityGroupID, Description: "HTTP from the load balancer"},
		},
	}, own)
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
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{
		"securityGroupId":    f.SecurityGroupID,
		"launchTemplateId":   f.LaunchTemplateID,
		"launchTemplateName": f.LaunchTemplateName,
	})
}
