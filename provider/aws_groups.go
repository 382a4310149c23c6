package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// isCode tells whether AWS answered with the error code.
func isCode(err error, code string) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && answer.ErrorCode() == code
}

// isMissing tells whether the group of the call is gone: AWS has no code of
// its own for that.
func isMissing(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && answer.ErrorCode() == "ValidationError" && strings.Contains(strings.ToLower(answer.ErrorMessage()), "not found")
}

// Groups implements Cloud.
func (c *awsCloud) Groups(ctx context.Context) ([]Group, error) {
	var all []Group
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(c.groups, &autoscaling.DescribeAutoScalingGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.AutoScalingGroups {
			all = append(all, groupOf(g))
		}
	}
	return all, nil
}

func groupOf(g types.AutoScalingGroup) Group {
	group := Group{
		Name:            aws.ToString(g.AutoScalingGroupName),
		Deleting:        g.Status != nil,
		Created:         aws.ToTime(g.CreatedTime),
		DesiredCapacity: int(aws.ToInt32(g.DesiredCapacity)),
		Shape: Shape{
			CapacityRebalance:      aws.ToBool(g.CapacityRebalance),
			TargetGroupARNs:        g.TargetGroupARNs,
			MinSize:                int(aws.ToInt32(g.MinSize)),
			MaxSize:                int(aws.ToInt32(g.MaxSize)),
			HealthCheckType:        aws.ToString(g.HealthCheckType),
			HealthCheckGracePeriod: int(aws.ToInt32(g.HealthCheckGracePeriod)),
			TerminationPolicies:    g.TerminationPolicies,
			Tags:                   map[string]string{},
		},
	}
	if subnets := aws.ToString(g.VPCZoneIdentifier); subnets != "" {
		group.SubnetIDs = strings.Split(subnets, ",")
	}
	for _, tag := range g.Tags {
		group.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	group.Key = group.Tags[IdentityTag]
	delete(group.Tags, IdentityTag)
	for _, i := range g.Instances {
		group.Instances = append(group.Instances, Instance{
			ID:        aws.ToString(i.InstanceId),
			InService: i.LifecycleState == types.LifecycleStateInService && aws.ToString(i.HealthStatus) == "Healthy",
		})
	}
	launchOf(&group, g)
	return group
}

// launchOf reads how the group launches instances: from a launch template,
// with or without a mixed instances policy around it.
func launchOf(group *Group, g types.AutoScalingGroup) {
	template := g.LaunchTemplate
	if mixed := g.MixedInstancesPolicy; mixed != nil && mixed.LaunchTemplate != nil {
		group.Mixed = true
		template = mixed.LaunchTemplate.LaunchTemplateSpecification
		for _, o := range mixed.LaunchTemplate.Overrides {
			group.InstanceTypes = append(group.InstanceTypes, aws.ToString(o.InstanceType))
		}
		if d := mixed.InstancesDistribution; d != nil {
			group.OnDemandBaseCapacity = int(aws.ToInt32(d.OnDemandBaseCapacity))
			group.OnDemandPercentageAboveBaseCapacity = int(aws.ToInt32(d.OnDemandPercentageAboveBaseCapacity))
			group.SpotAllocationStrategy = aws.ToString(d.SpotAllocationStrategy)
			if group.SpotAllocationStrategy == lowestPrice {
				group.SpotInstancePools = int(aws.ToInt32(d.SpotInstancePools))
			}
		}
	}
	if template != nil {
		group.LaunchTemplateID = aws.ToString(template.LaunchTemplateId)
		group.LaunchTemplateVersion = aws.ToString(template.Version)
	}
}

func mixedPolicy(s Shape) *types.MixedInstancesPolicy {
	distribution := &types.InstancesDistribution{
		OnDemandBaseCapacity:                aws.Int32(int32(s.OnDemandBaseCapacity)),
		OnDemandPercentageAboveBaseCapacity: aws.Int32(int32(s.OnDemandPercentageAboveBaseCapacity)),
		SpotAllocationStrategy:              aws.String(s.SpotAllocationStrategy),
	}
	if s.SpotAllocationStrategy == lowestPrice {
		distribution.SpotInstancePools = aws.Int32(int32(s.SpotInstancePools))
	}
	overrides := make([]types.LaunchTemplateOverrides, 0, len(s.InstanceTypes))
	for _, instanceType := range s.InstanceTypes {
		overrides = append(overrides, types.LaunchTemplateOverrides{InstanceType: aws.String(instanceType)})
	}
	return &types.MixedInstancesPolicy{
		InstancesDistribution: distribution,
		LaunchTemplate: &types.LaunchTemplate{
			LaunchTemplateSpecification: &types.LaunchTemplateSpecification{
				LaunchTemplateId: aws.String(s.LaunchTemplateID),
				Version:          aws.String(latest),
			},
			Overrides: overrides,
		},
	}
}

// CreateGroup implements Cloud.
func (c *awsCloud) CreateGroup(ctx context.Context, g Group) error {
	tags := maps.Clone(g.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[IdentityTag] = g.Key
	_, err := c.groups.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName:   aws.String(g.Name),
		MixedInstancesPolicy:   mixedPolicy(g.Shape),
		MinSize:                aws.Int32(int32(g.MinSize)),
		MaxSize:                aws.Int32(int32(g.MaxSize)),
		DesiredCapacity:        aws.Int32(int32(g.DesiredCapacity)),
		CapacityRebalance:      aws.Bool(g.CapacityRebalance),
		VPCZoneIdentifier:      aws.String(strings.Join(g.SubnetIDs, ",")),
		TargetGroupARNs:        g.TargetGroupARNs,
		HealthCheckType:        aws.String(g.HealthCheckType),
		HealthCheckGracePeriod: aws.Int32(int32(g.HealthCheckGracePeriod)),
		TerminationPolicies:    g.TerminationPolicies,
		Tags:                   tagList(g.Name, tags),
	})
	if isCode(err, "AlreadyExists") || isCode(err, "AlreadyExistsFault") {
		return ErrGroupExists
	}
	return err
}

// UpdateGroup implements Cloud.
func (c *awsCloud) UpdateGroup(ctx context.Context, name string, s Shape, minSize, maxSize *int) error {
	input := &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName:   aws.String(name),
		MixedInstancesPolicy:   mixedPolicy(s),
		CapacityRebalance:      aws.Bool(s.CapacityRebalance),
		VPCZoneIdentifier:      aws.String(strings.Join(s.SubnetIDs, ",")),
		HealthCheckType:        aws.String(s.HealthCheckType),
		HealthCheckGracePeriod: aws.Int32(int32(s.HealthCheckGracePeriod)),
		TerminationPolicies:    s.TerminationPolicies,
		MinSize:                narrow(minSize),
		MaxSize:                narrow(maxSize),
	}
	_, err := c.groups.UpdateAutoScalingGroup(ctx, input)
	return err
}

// narrow keeps nil nil: AWS leaves alone what is not named.
func narrow(n *int) *int32 {
	if n == nil {
		return nil
	}
	return aws.Int32(int32(*n))
}

// DeleteGroup implements Cloud.
func (c *awsCloud) DeleteGroup(ctx context.Context, name string) error {
	_, err := c.groups.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name),
		ForceDelete:          aws.Bool(true),
	})
	switch {
	case isMissing(err):
		return nil
	case isCode(err, "ScalingActivityInProgress"), isCode(err, "ResourceInUse"):
		return fmt.Errorf("%w: %w", ErrGroupBusy, err)
	}
	return err
}

// AttachTargetGroups implements Cloud.
func (c *awsCloud) AttachTargetGroups(ctx context.Context, name string, arns []string) error {
	_, err := c.groups.AttachLoadBalancerTargetGroups(ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: aws.String(name), TargetGroupARNs: arns,
	})
	return err
}

// DetachTargetGroups implements Cloud.
func (c *awsCloud) DetachTargetGroups(ctx context.Context, name string, arns []string) error {
	_, err := c.groups.DetachLoadBalancerTargetGroups(ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: aws.String(name), TargetGroupARNs: arns,
	})
	return err
}

func tagList(name string, tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{
			ResourceId:        aws.String(name),
			ResourceType:      aws.String("auto-scaling-group"),
			Key:               aws.String(key),
			Value:             aws.String(tags[key]),
			PropagateAtLaunch: aws.Bool(true),
		})
	}
	return list
}

// PutTags implements Cloud.
func (c *awsCloud) PutTags(ctx context.Context, name string, tags map[string]string) error {
	_, err := c.groups.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: tagList(name, tags)})
	return err
}

// DeleteTags implements Cloud.
func (c *awsCloud) DeleteTags(ctx context.Context, name string, keys []string) error {
	var list []types.Tag
	for _, key := range keys {
		list = append(list, types.Tag{
			ResourceId: aws.String(name), ResourceType: aws.String("auto-scaling-group"), Key: aws.String(key),
		})
	}
	_, err := c.groups.DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: list})
	return err
}

// LastActivity implements Cloud.
func (c *awsCloud) LastActivity(ctx context.Context, name string) (string, error) {
	found, err := c.groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String(name), MaxRecords: aws.Int32(1),
	})
	if err != nil || len(found.Activities) == 0 {
		return "", err
	}
	last := found.Activities[0]
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s", last.StatusCode, aws.ToString(last.Description), aws.ToString(last.StatusMessage))), nil
}

// Instances implements Cloud.
func (c *awsCloud) Instances(ctx context.Context, key string, ids []string) ([]string, error) {
	left := map[string]bool{}
	filters := []ec2types.Filter{{Name: aws.String("tag:" + IdentityTag), Values: []string{key}}}
	if err := c.notTerminated(ctx, filters, left); err != nil {
		return nil, err
	}
	// A filter does not mind an instance that EC2 has forgotten already.
	for batch := range slices.Chunk(ids, 200) {
		filters := []ec2types.Filter{{Name: aws.String("instance-id"), Values: batch}}
		if err := c.notTerminated(ctx, filters, left); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(left)), nil
}

func (c *awsCloud) notTerminated(ctx context.Context, filters []ec2types.Filter, left map[string]bool) error {
	pages := ec2.NewDescribeInstancesPaginator(c.instances, &ec2.DescribeInstancesInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				if i.State == nil || i.State.Name != ec2types.InstanceStateNameTerminated {
					left[aws.ToString(i.InstanceId)] = true
				}
			}
		}
	}
	return nil
}
