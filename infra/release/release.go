// Package release declares how a new version reaches the fleet: the CodeDeploy
// application and its blue/green deployment group, the alarms that stop and
// roll back a release, and whom a failed one is told to.
//
// There are two modes. In "copy" CodeDeploy makes a copy of the Auto Scaling
// group, moves traffic to it and deletes the original. In "pair" two groups
// stand for good and take turns; the release command sizes them.
package release

import (
	"errors"
	"fmt"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the application with all its history.
const typeToken = "bluegreen:infra:Release"

// Args is a Spec and what the rest of the platform supplies. Everything but
// Underway is required.
type Args struct {
	Spec
	Site naming.Site // names the application and the deployment group
	// MinSize is the least number of instances of the fleet: the deployment
	// configuration must fit a release at that size.
	MinSize int
	// AutoScalingGroup is the name of the group that serves. It changes at
	// every release, and comes from something whose state changes with it: a
	// refresh then moves both ends, and no refresh moves neither.
	AutoScalingGroup pulumi.StringInput
	// Underway says that both groups of a pair have instances. Which of them
	// the deployment group names is CodeDeploy's to change until the release
	// is over, so the program leaves it alone.
	Underway           bool
	ServiceRoleARN     pulumi.StringInput // what CodeDeploy works as, with its permissions in place
	TargetGroupName    pulumi.StringInput // a name, not an ARN; 32 characters at most
	TargetGroupSuffix  pulumi.StringInput // "targetgroup/<name>/<id>", as CloudWatch names it
	LoadBalancerSuffix pulumi.StringInput // "app/<name>/<id>"
}

func (a Args) check() error {
	problems := []error{a.Validate(), a.Fits(a.MinSize)}
	for _, input := range []struct {
		name    string
		missing bool
	}{
		{"site", a.Site == naming.Site{}},
		{"autoScalingGroup", a.AutoScalingGroup == nil},
		{"serviceRoleArn", a.ServiceRoleARN == nil},
		{"targetGroupName", a.TargetGroupName == nil},
		{"targetGroupSuffix", a.TargetGroupSuffix == nil},
		{"loadBalancerSuffix", a.LoadBalancerSuffix == nil},
	} {
		if input.missing {
			problems = append(problems, fmt.Errorf("%s: required, got none", input.name))
		}
	}
	return errors.Join(problems...)
}

// Release is where deployments are created.
type Release struct {
	pulumi.ResourceState

	Application      pulumi.StringOutput // name
	DeploymentGroup  pulumi.StringOutput // name
	DeploymentConfig pulumi.StringOutput // name
	// FailureTopicARN is the topic of failed releases, "" when there is none.
	FailureTopicARN pulumi.StringOutput
}

// New declares the release.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (r *Release, err error) {
	defer func() {
		if err != nil {
			r, err = nil, fmt.Errorf("release %s: %w", name, err)
		}
	}()
	if err := args.check(); err != nil {
		return nil, err
	}
	r = &Release{}
	if err := ctx.RegisterComponentResource(typeToken, name, r, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(r)
	application, err := codedeploy.NewApplication(ctx, name+"-Application", &codedeploy.ApplicationArgs{
		Name:            pulumi.String(args.Site.Application()),
		ComputePlatform: pulumi.String("Server"), // the console's "EC2/On-premises"
		Tags:            pulumi.StringMap{"Name": pulumi.String(args.Site.Application())},
	}, own)
	if err != nil {
		return nil, err
	}
	config, err := newConfiguration(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	alarms, err := newAlarms(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	topic, err := newFailureTopic(ctx, name, args, own)
	if err != nil {
		return nil, err
	}
	group, err := newDeploymentGroup(ctx, name, args, parts{application.Name, config, alarms, topic}, own)
	if err != nil {
		return nil, err
	}
	if err := newGuard(ctx, name, args, group, own); err != nil {
		return nil, err
	}
	r.Application, r.DeploymentGroup, r.DeploymentConfig = application.Name, group.DeploymentGroupName, config
	r.FailureTopicARN = pulumi.String("").ToStringOutput()
	if topic != nil {
		r.FailureTopicARN = topic.ToStringOutput()
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{
		"application": r.Application, "deploymentGroup": r.DeploymentGroup,
		"deploymentConfig": r.DeploymentConfig, "failureTopicArn": r.FailureTopicARN,
	})
}
