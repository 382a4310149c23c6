package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// emulated is the cloud of an emulator.
type emulated struct {
	config    aws.Config
	scaling   *autoscaling.Client
	machines  *ec2.Client
	balancing *elasticloadbalancingv2.Client
	objects   *s3.Client
}

func newEmulated(endpoint, region string) *emulated {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the user's web proxy is not for loopback
	config := aws.Config{
		BaseEndpoint: &endpoint, Region: region,
		HTTPClient:  &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(emulatedCredentials),
		Retryer: func() aws.Retryer { // for connections, and for an emulator that was told to throttle
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 20, 100*time.Millisecond })
		},
	}
	return &emulated{
		config:    config,
		scaling:   autoscaling.NewFromConfig(config),
		machines:  ec2.NewFromConfig(config),
		balancing: elasticloadbalancingv2.NewFromConfig(config),
		objects:   s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// emulatedCredentials are any: an emulator does not check them.
func emulatedCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "codedeploy", SecretAccessKey: "emulated"}, nil
}

func (e *emulated) group(ctx context.Context, name string) (*asgtypes.AutoScalingGroup, error) {
	out, err := e.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil {
		return nil, err
	}
	if len(out.AutoScalingGroups) == 0 {
		return nil, fmt.Errorf("%s: %w", name, errNoGroup)
	}
	return &out.AutoScalingGroups[0], nil
}

func (e *emulated) healthy(ctx context.Context, name string) ([]string, error) {
	group, err := e.group(ctx, name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, member := range group.Instances {
		if member.LifecycleState == asgtypes.LifecycleStateInService && aws.ToString(member.HealthStatus) == "Healthy" {
			ids = append(ids, *member.InstanceId)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (e *emulated) members(ctx context.Context, name string) ([]string, error) {
	group, err := e.group(ctx, name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, member := range group.Instances {
		if state := string(member.LifecycleState); !strings.HasPrefix(state, "Terminat") && !strings.HasPrefix(state, "Detach") {
			ids = append(ids, *member.InstanceId)
		}
	}
	return ids, nil
}

func (e *emulated) alive(ctx context.Context, instance string) (bool, error) {
	out, err := e.machines.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("instance-id"), Values: []string{instance}},
		{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}},
	}})
	if err != nil {
		return false, err
	}
	return len(out.Reservations) > 0, nil
}

func (e *emulated) tagged(ctx context.Context, sets [][]types.EC2TagFilter) ([]string, error) {
	running := &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"running"}}}}
	var ids []string
	for pages := ec2.NewDescribeInstancesPaginator(e.machines, running); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, reservation := range out.Reservations {
			for _, instance := range reservation.Instances {
				if matches(instance.Tags, sets) {
					ids = append(ids, *instance.InstanceId)
				}
			}
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// matches tells whether tags fit a filter of every set.
func matches(tags []ec2types.Tag, sets [][]types.EC2TagFilter) bool {
	for _, filters := range sets {
		fits := func(filter types.EC2TagFilter) bool {
			return slices.ContainsFunc(tags, func(tag ec2types.Tag) bool {
				return (filter.Type == types.EC2TagFilterTypeValueOnly || aws.ToString(filter.Key) == aws.ToString(tag.Key)) &&
					(filter.Type == types.EC2TagFilterTypeKeyOnly || aws.ToString(filter.Value) == aws.ToString(tag.Value))
			})
		}
		if !slices.ContainsFunc(filters, fits) {
			return false
		}
	}
	return true
}

func (e *emulated) deleteGroup(ctx context.Context, name string) error {
	_, err := e.scaling.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &name, ForceDelete: aws.Bool(true)})
	if err != nil && strings.Contains(err.Error(), "not found") {
		return nil
	}
	return err
}

func (e *emulated) terminate(ctx context.Context, instances []string) error {
	_, err := e.machines.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: instances})
	return err
}

func (e *emulated) abandon(ctx context.Context, instance string) error {
	_, err := e.scaling.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &instance, ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	if err == nil {
		return nil
	}
	if alive, failure := e.alive(ctx, instance); failure == nil && !alive {
		return nil
	}
	return err
}

// arns turns names of target groups into their resource names.
func (e *emulated) arns(ctx context.Context, targetGroups []string) ([]string, error) {
	if len(targetGroups) == 0 {
		return nil, nil
	}
	out, err := e.balancing.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: targetGroups})
	if err != nil {
		return nil, fmt.Errorf("target groups %s: %w", strings.Join(targetGroups, ", "), err)
	}
	var arns []string
	for _, found := range out.TargetGroups {
		arns = append(arns, *found.TargetGroupArn)
	}
	return arns, nil
}

func (e *emulated) register(ctx context.Context, targetGroups []string, instance string) error {
	arns, err := e.arns(ctx, targetGroups)
	for _, arn := range arns {
		_, failure := e.balancing.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &instance}},
		})
		err = firstOf(err, failure)
	}
	return err
}

func (e *emulated) deregister(ctx context.Context, targetGroups []string, instance string) error {
	arns, err := e.arns(ctx, targetGroups)
	for _, arn := range arns {
		_, failure := e.balancing.DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &instance}},
		})
		err = firstOf(err, unlessGone(failure))
	}
	return err
}

// unlessGone passes over the error that what is to be no target is none already.
func unlessGone(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "InvalidTarget" {
		return nil
	}
	return err
}

func firstOf(before, now error) error {
	if before != nil {
		return before
	}
	return now
}

func (e *emulated) attach(ctx context.Context, name string, targetGroups []string) error {
	arns, err := e.arns(ctx, targetGroups)
	if err != nil || len(arns) == 0 {
		return err
	}
	_, err = e.scaling.AttachLoadBalancerTargetGroups(ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: &name, TargetGroupARNs: arns,
	})
	return err
}

func (e *emulated) detach(ctx context.Context, name string, targetGroups []string) error {
	group, err := e.group(ctx, name)
	if err != nil {
		return err
	}
	arns, err := e.arns(ctx, targetGroups)
	arns = slices.DeleteFunc(arns, func(arn string) bool { return !slices.Contains(group.TargetGroupARNs, arn) })
	if err != nil || len(arns) == 0 {
		return err
	}
	_, err = e.scaling.DetachLoadBalancerTargetGroups(ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: &name, TargetGroupARNs: arns,
	})
	return unlessGone(err)
}

func (e *emulated) addHook(ctx context.Context, name, hook string) error {
	if _, err := e.group(ctx, name); err != nil {
		return err
	}
	_, err := e.scaling.PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: &name, LifecycleHookName: &hook, LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
		HeartbeatTimeout: aws.Int32(600), DefaultResult: aws.String("ABANDON"),
	})
	return err
}

func (e *emulated) removeHook(ctx context.Context, name, hook string) error {
	_, err := e.scaling.DeleteLifecycleHook(ctx, &autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: &name, LifecycleHookName: &hook})
	return err
}

func (e *emulated) bundle(ctx context.Context, at types.S3Location) error {
	head, err := e.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version})
	if err != nil {
		return fmt.Errorf("s3://%s/%s: %w", *at.Bucket, *at.Key, err)
	}
	if wanted := aws.ToString(at.ETag); wanted != "" && strings.Trim(wanted, `"`) != strings.Trim(aws.ToString(head.ETag), `"`) {
		return fmt.Errorf("s3://%s/%s: the ETag is %s, not %s", *at.Bucket, *at.Key, aws.ToString(head.ETag), wanted)
	}
	return nil
}
