package celery

import (
	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// oneAtATime takes one instance after the other: the rest work on meanwhile.
// A fleet of one is no exception (AWS CodeDeploy User Guide, "Predefined
// deployment configurations for an EC2/on-premises compute platform").
const oneAtATime = "CodeDeployDefault.OneAtATime"

// newDeploymentGroup declares how a fleet is released to: in place, with no
// load balancer. The alarms of the web fleet watch what visitors get, of which
// these instances give nothing.
func newDeploymentGroup(ctx *pulumi.Context, fleet Fleet, args Args, autoScalingGroup pulumi.StringInput, own pulumi.ResourceOption) (*codedeploy.DeploymentGroup, error) {
	name := args.Site.CeleryDeploymentGroup(fleet.Name)
	group := &codedeploy.DeploymentGroupArgs{
		AppName:              args.Application.ToStringOutput(),
		DeploymentGroupName:  pulumi.String(name),
		DeploymentConfigName: pulumi.String(oneAtATime),
		ServiceRoleArn:       args.ServiceRoleARN.ToStringOutput(),
		AutoscalingGroups:    pulumi.StringArray{autoScalingGroup},
		DeploymentStyle: &codedeploy.DeploymentGroupDeploymentStyleArgs{
			DeploymentType:   pulumi.String("IN_PLACE"),
			DeploymentOption: pulumi.String("WITHOUT_TRAFFIC_CONTROL"),
		},
		Tags: pulumi.StringMap{"Name": pulumi.String(name)},
	}
	if args.Rollback {
		group.AutoRollbackConfiguration = &codedeploy.DeploymentGroupAutoRollbackConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Events:  pulumi.ToStringArray([]string{"DEPLOYMENT_FAILURE"}),
		}
	}
	if args.FailureTopicARN != nil {
		group.TriggerConfigurations = codedeploy.DeploymentGroupTriggerConfigurationArray{
			&codedeploy.DeploymentGroupTriggerConfigurationArgs{
				TriggerName:      pulumi.String("failures"),
				TriggerEvents:    pulumi.ToStringArray([]string{"DeploymentFailure", "DeploymentRollback", "DeploymentStop"}),
				TriggerTargetArn: args.FailureTopicARN.ToStringOutput(),
			},
		}
	}
	return codedeploy.NewDeploymentGroup(ctx, name, group, own)
}

// newGuard is deleted before the deployment group, and waits for a running
// deployment, stops it or refuses.
func newGuard(ctx *pulumi.Context, fleet Fleet, args Args, group *codedeploy.DeploymentGroup, own pulumi.ResourceOption) error {
	name := args.Site.CeleryDeploymentGroup(fleet.Name)
	release := args.Release
	release.DeploymentGroup = pulumi.String(name)
	_, err := sdk.NewGuard(ctx, name+"-release", sdk.GuardArgs{Release: release, DeploymentGroupID: group.ID()}, own)
	return err
}
