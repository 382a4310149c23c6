package doctor

import (
	"context"
	"slices"

	"bluegreen/stacks"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// own tells by the tags that everything of the stack has whether a thing is one
// of its own.
func own(s stacks.Settings, tags map[string]string) bool {
	return tags["Project"] == s.Project && tags["Environment"] == s.Stack
}

// cpusOfOthers are the vCPUs of the instances, spot or on-demand, that run in the
// account and are not the stack's.
func cpusOfOthers(ctx context.Context, account aws.Config, s stacks.Settings, spot bool) (int, error) {
	total := 0
	pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(account), &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, reservation := range page.Reservations {
			for _, one := range reservation.Instances {
				isSpot := one.InstanceLifecycle == ec2types.InstanceLifecycleTypeSpot
				if isSpot == spot && standard(string(one.InstanceType)) && !own(s, ec2Tags(one.Tags)) && one.CpuOptions != nil {
					total += int(aws.ToInt32(one.CpuOptions.CoreCount) * max(1, aws.ToInt32(one.CpuOptions.ThreadsPerCore)))
				}
			}
		}
	}
	return total, nil
}

func groupsOfOthers(ctx context.Context, account aws.Config, s stacks.Settings) (int, error) {
	total := 0
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(autoscaling.NewFromConfig(account), &autoscaling.DescribeAutoScalingGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, group := range page.AutoScalingGroups {
			if !own(s, groupTags(group.Tags)) {
				total++
			}
		}
	}
	return total, nil
}

// balancersOfOthers counts Application Load Balancers by their names: the
// stack's begins with its prefix.
func balancersOfOthers(ctx context.Context, account aws.Config, s stacks.Settings) (int, error) {
	total := 0
	client := elasticloadbalancingv2.NewFromConfig(account)
	pages := elasticloadbalancingv2.NewDescribeLoadBalancersPaginator(client, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		var arns []string
		for _, one := range page.LoadBalancers {
			if one.Type == elbtypes.LoadBalancerTypeEnumApplication {
				arns = append(arns, aws.ToString(one.LoadBalancerArn))
			}
		}
		for some := range slices.Chunk(arns, tagsAtOnce) {
			answer, err := client.DescribeTags(ctx, &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: some})
			if err != nil {
				return 0, err
			}
			for _, one := range answer.TagDescriptions {
				tags := map[string]string{}
				for _, tag := range one.Tags {
					tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
				}
				if !own(s, tags) {
					total++
				}
			}
		}
	}
	return total, nil
}

// tagsAtOnce is how many resources one call may name (Elastic Load Balancing API
// Reference, "DescribeTags").
const tagsAtOnce = 20

func networksOfOthers(ctx context.Context, account aws.Config, s stacks.Settings) (int, error) {
	total := 0
	pages := ec2.NewDescribeVpcsPaginator(ec2.NewFromConfig(account), &ec2.DescribeVpcsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, one := range page.Vpcs {
			if !own(s, ec2Tags(one.Tags)) {
				total++
			}
		}
	}
	return total, nil
}

func ec2Tags(list []ec2types.Tag) map[string]string {
	tags := map[string]string{}
	for _, tag := range list {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags
}

func groupTags(list []asgtypes.TagDescription) map[string]string {
	tags := map[string]string{}
	for _, tag := range list {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags
}
