package release

import (
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// longestConfiguration is the limit of a deployment configuration's name (AWS
// CodeDeploy API Reference, "CreateDeploymentConfig"), less the eight
// characters that Pulumi adds.
const longestConfiguration = 100 - 8

// newConfiguration returns the name of the deployment configuration, and
// declares it where it is the site's own. AWS's HalfAtATime keeps half of the
// instances, rounded up: of one instance that is all, and every deployment
// would fail at its start. A fleet that may be one gets AllAtOnce.
func newConfiguration(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (pulumi.StringOutput, error) {
	switch {
	case args.CustomConfiguration.Enabled:
	case args.MinSize == 1:
		return pulumi.String("CodeDeployDefault.AllAtOnce").ToStringOutput(), nil
	default:
		return pulumi.String("CodeDeployDefault.HalfAtATime").ToStringOutput(), nil
	}
	// A configuration can't be changed. Pulumi names it, so that a new one can
	// stand beside the old until the deployment group has moved.
	config, err := codedeploy.NewDeploymentConfig(ctx, naming.Fit(longestConfiguration, name, "DeploymentConfig"), &codedeploy.DeploymentConfigArgs{
		ComputePlatform: pulumi.String("Server"),
		MinimumHealthyHosts: &codedeploy.DeploymentConfigMinimumHealthyHostsArgs{
			Type:  pulumi.String("FLEET_PERCENT"),
			Value: pulumi.Int(args.CustomConfiguration.MinimumHealthyPercent),
		},
	}, own)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return config.DeploymentConfigName, nil
}

// parts are what a deployment group is put together from.
type parts struct {
	application, config pulumi.StringOutput
	alarms              pulumi.StringArray // nil for none
	topic               pulumi.StringInput // nil for none
}

// newDeploymentGroup declares what is released to, and how.
//
// What a refresh reads has to be what stands here, or the preview after it
// shows a difference. The provider leaves out alarms, rollback and waits that
// are switched off or zero, so they are left out here too; alarms, triggers,
// events and Auto Scaling groups are sets, their order is nothing. Ours is the
// provider's default of everything else (outdated instances are updated, no
// termination hook).
func newDeploymentGroup(ctx *pulumi.Context, name string, args Args, from parts, own pulumi.ResourceOption) (*codedeploy.DeploymentGroup, error) {
	group := &codedeploy.DeploymentGroupArgs{
		AppName:              from.application,
		DeploymentGroupName:  pulumi.String(args.Site.DeploymentGroup()),
		DeploymentConfigName: from.config,
		ServiceRoleArn:       args.ServiceRoleARN,
		// CodeDeploy puts the new group's name here at each release, and an
		// update of BlueGreenDeploymentConfig sends the name again: it must be
		// the one that serves.
		AutoscalingGroups: pulumi.StringArray{args.AutoScalingGroup},
		DeploymentStyle: &codedeploy.DeploymentGroupDeploymentStyleArgs{
			DeploymentType:   pulumi.String("BLUE_GREEN"),
			DeploymentOption: pulumi.String("WITH_TRAFFIC_CONTROL"),
		},
		BlueGreenDeploymentConfig: blueGreen(args.Spec),
		LoadBalancerInfo: &codedeploy.DeploymentGroupLoadBalancerInfoArgs{
			TargetGroupInfos: codedeploy.DeploymentGroupLoadBalancerInfoTargetGroupInfoArray{
				&codedeploy.DeploymentGroupLoadBalancerInfoTargetGroupInfoArgs{Name: args.TargetGroupName.ToStringOutput()},
			},
		},
		Tags: pulumi.StringMap{"Name": pulumi.String(args.Site.DeploymentGroup())},
	}
	if len(from.alarms) > 0 {
		group.AlarmConfiguration = &codedeploy.DeploymentGroupAlarmConfigurationArgs{
			Enabled:                pulumi.Bool(true),
			Alarms:                 from.alarms,
			IgnorePollAlarmFailure: pulumi.Bool(args.Alarms.IgnorePollAlarmFailure),
		}
	}
	if args.Rollback {
		group.AutoRollbackConfiguration = &codedeploy.DeploymentGroupAutoRollbackConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Events:  pulumi.ToStringArray(rollbackEvents(args.Spec)),
		}
	}
	if from.topic != nil {
		group.TriggerConfigurations = codedeploy.DeploymentGroupTriggerConfigurationArray{
			&codedeploy.DeploymentGroupTriggerConfigurationArgs{
				TriggerName:      pulumi.String("failures"),
				TriggerEvents:    pulumi.ToStringArray(failureEvents),
				TriggerTargetArn: from.topic,
			},
		}
	}
	options := []pulumi.ResourceOption{own}
	if args.Underway {
		options = append(options, pulumi.IgnoreChanges([]string{"autoscalingGroups"}))
	}
	return codedeploy.NewDeploymentGroup(ctx, name+"-DeploymentGroup-01", group, options...)
}

func rollbackEvents(spec Spec) []string {
	events := []string{"DEPLOYMENT_FAILURE"}
	if spec.Alarms.Enabled {
		events = append(events, "DEPLOYMENT_STOP_ON_ALARM")
	}
	return events
}

// blueGreen moves traffic as soon as the new instances are ready.
//
// In mode copy the original group goes after the wait. In mode pair CodeDeploy
// keeps its hands off the original instances: their group would start new ones
// for those it terminates, and the group itself, were CodeDeploy to delete it
// as it does with a copied one, is a resource of the stack. The release
// command waits and then sets the group's size to zero.
func blueGreen(spec Spec) *codedeploy.DeploymentGroupBlueGreenDeploymentConfigArgs {
	provisioning := "COPY_AUTO_SCALING_GROUP"
	original := &codedeploy.DeploymentGroupBlueGreenDeploymentConfigTerminateBlueInstancesOnDeploymentSuccessArgs{
		Action: pulumi.String("TERMINATE"),
	}
	switch {
	case spec.Mode == Pair:
		provisioning = "DISCOVER_EXISTING"
		original.Action = pulumi.String("KEEP_ALIVE")
	case spec.TerminationWaitMinutes > 0:
		original.TerminationWaitTimeInMinutes = pulumi.Int(spec.TerminationWaitMinutes)
	}
	return &codedeploy.DeploymentGroupBlueGreenDeploymentConfigArgs{
		DeploymentReadyOption: &codedeploy.DeploymentGroupBlueGreenDeploymentConfigDeploymentReadyOptionArgs{
			ActionOnTimeout: pulumi.String("CONTINUE_DEPLOYMENT"),
		},
		GreenFleetProvisioningOption: &codedeploy.DeploymentGroupBlueGreenDeploymentConfigGreenFleetProvisioningOptionArgs{
			Action: pulumi.String(provisioning),
		},
		TerminateBlueInstancesOnDeploymentSuccess: original,
	}
}
