package emulator

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testVPC makes a dual-stack network of two subnets.
func testVPC(t *testing.T, client *ec2.Client) (vpc string, subnets []ec2types.Subnet) {
	t.Helper()
	created := must[*ec2.CreateVpcOutput](t)(client.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16"), AmazonProvidedIpv6CidrBlock: aws.Bool(true)}))
	vpc = *created.Vpc.VpcId
	block := *must[*ec2.DescribeVpcsOutput](t)(client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{vpc}})).Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock
	for i, zone := range []string{"eu-west-1a", "eu-west-1b"} {
		digit := string(rune('0' + i))
		subnet := must[*ec2.CreateSubnetOutput](t)(client.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
			VpcId: &vpc, CidrBlock: aws.String("10.9." + digit + ".0/24"), AvailabilityZone: &zone,
			Ipv6CidrBlock: aws.String(strings.TrimSuffix(block, "00::/56") + "0" + digit + "::/64"),
		}))
		subnets = append(subnets, *subnet.Subnet)
	}
	return vpc, subnets
}

func testNetwork(t *testing.T, config aws.Config) {
	client := ec2.NewFromConfig(config)
	vpc, subnets := testVPC(t, client)
	association := subnets[0].Ipv6CidrBlockAssociationSet[0].AssociationId
	found := must[*ec2.DescribeSubnetsOutput](t)(client.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []ec2types.Filter{{Name: aws.String("ipv6-cidr-block-association.association-id"), Values: []string{*association}}},
	})).Subnets
	require.Len(t, found, 1)
	assert.Equal(t, subnets[0].SubnetId, found[0].SubnetId)
	assert.Equal(t, ec2types.SubnetCidrBlockStateCodeAssociated, found[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State)

	endpoint := must[*ec2.CreateVpcEndpointOutput](t)(client.CreateVpcEndpoint(t.Context(), &ec2.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: aws.String("com.amazonaws.eu-west-1.s3")}))
	must[*ec2.DeleteVpcEndpointsOutput](t)(client.DeleteVpcEndpoints(t.Context(), &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*endpoint.VpcEndpoint.VpcEndpointId}}))
	_, err := client.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{*endpoint.VpcEndpoint.VpcEndpointId}})
	assert.ErrorContains(t, err, "InvalidVpcEndpointId.NotFound")
}

func testFirewallRules(t *testing.T, config aws.Config) {
	client := ec2.NewFromConfig(config)
	vpc, _ := testVPC(t, client)
	group := func(name string) *string {
		return must[*ec2.CreateSecurityGroupOutput](t)(client.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name, VpcId: &vpc})).GroupId
	}
	web, app, other := group("web"), group("app"), group("other")
	rules := must[*ec2.AuthorizeSecurityGroupIngressOutput](t)(client.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: app, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: web, Description: aws.String("from web")}},
	}}})).SecurityGroupRules
	require.Len(t, rules, 1)
	assert.Equal(t, "from web", aws.ToString(rules[0].Description))

	must[*ec2.ModifySecurityGroupRulesOutput](t)(client.ModifySecurityGroupRules(t.Context(), &ec2.ModifySecurityGroupRulesInput{GroupId: app, SecurityGroupRules: []ec2types.SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: rules[0].SecurityGroupRuleId,
		SecurityGroupRule:   &ec2types.SecurityGroupRuleRequest{IpProtocol: aws.String("-1"), ReferencedGroupId: other, Description: aws.String("from other")},
	}}}))
	changed := must[*ec2.DescribeSecurityGroupRulesOutput](t)(client.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*rules[0].SecurityGroupRuleId}})).SecurityGroupRules[0]
	assert.Equal(t, "from other", aws.ToString(changed.Description))
	assert.Equal(t, *other, *changed.ReferencedGroupInfo.GroupId)
	assert.EqualValues(t, -1, *changed.FromPort)
}

// testTemplate makes a launch template with everything that an instance should
// take from it; the second version has the larger volume.
func testTemplate(t *testing.T, config aws.Config, name string) (id, group *string, subnets []string) {
	t.Helper()
	client := ec2.NewFromConfig(config)
	vpc, zones := testVPC(t, client)
	for _, subnet := range zones {
		subnets = append(subnets, *subnet.SubnetId)
	}
	group = must[*ec2.CreateSecurityGroupOutput](t)(client.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name, VpcId: &vpc})).GroupId
	profile := must[*iam.CreateInstanceProfileOutput](t)(iam.NewFromConfig(config).CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &name}))
	data := func(size int32) *ec2types.RequestLaunchTemplateData {
		return &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String(UbuntuImages()[0].ID), InstanceType: ec2types.InstanceTypeT3Micro, SecurityGroupIds: []string{*group},
			UserData:           aws.String(base64.StdEncoding.EncodeToString([]byte("#!/bin/sh"))),
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: profile.InstanceProfile.Arn},
			MetadataOptions:    &ec2types.LaunchTemplateInstanceMetadataOptionsRequest{HttpTokens: ec2types.LaunchTemplateHttpTokensStateRequired},
			Monitoring:         &ec2types.LaunchTemplatesMonitoringRequest{Enabled: aws.Bool(true)},
			BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{{
				DeviceName: aws.String("/dev/sda1"),
				Ebs:        &ec2types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: &size, VolumeType: ec2types.VolumeTypeGp3, Encrypted: aws.Bool(true), DeleteOnTermination: aws.Bool(true)},
			}},
			TagSpecifications: []ec2types.LaunchTemplateTagSpecificationRequest{{ResourceType: ec2types.ResourceTypeVolume, Tags: []ec2types.Tag{{Key: aws.String("of"), Value: &name}}}},
		}
	}
	id = must[*ec2.CreateLaunchTemplateOutput](t)(client.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name, LaunchTemplateData: data(8),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeLaunchTemplate, Tags: []ec2types.Tag{{Key: aws.String("project"), Value: aws.String("demo")}}}},
	})).LaunchTemplate.LaunchTemplateId
	must[*ec2.CreateLaunchTemplateVersionOutput](t)(client.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: id, LaunchTemplateData: data(16)}))
	return id, group, subnets
}

func testLaunchTemplate(t *testing.T, config aws.Config) {
	client := ec2.NewFromConfig(config)
	id, _, _ := testTemplate(t, config, "template")
	versions := must[*ec2.DescribeLaunchTemplateVersionsOutput](t)(client.DescribeLaunchTemplateVersions(t.Context(), &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: id})).LaunchTemplateVersions
	require.Len(t, versions, 2)
	for _, version := range versions {
		specifications := version.LaunchTemplateData.TagSpecifications
		require.Len(t, specifications, 1, "the template's own tags are not for what it launches")
		assert.Equal(t, ec2types.ResourceTypeVolume, specifications[0].ResourceType)
	}
	template := must[*ec2.DescribeLaunchTemplatesOutput](t)(client.DescribeLaunchTemplates(t.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{*id}})).LaunchTemplates[0]
	assert.Equal(t, []ec2types.Tag{{Key: aws.String("project"), Value: aws.String("demo")}}, template.Tags)
}

func testAutoScaling(t *testing.T, config aws.Config) {
	client, name := autoscaling.NewFromConfig(config), aws.String("group")
	template, firewall, subnets := testTemplate(t, config, "launched")
	must[*autoscaling.CreateAutoScalingGroupOutput](t)(client.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: name, MinSize: aws.Int32(0), MaxSize: aws.Int32(3), DesiredCapacity: aws.Int32(1), VPCZoneIdentifier: aws.String(strings.Join(subnets, ",")),
		CapacityRebalance: aws.Bool(true), DefaultInstanceWarmup: aws.Int32(60),
		MixedInstancesPolicy: &autoscalingtypes.MixedInstancesPolicy{
			InstancesDistribution: &autoscalingtypes.InstancesDistribution{OnDemandBaseCapacity: aws.Int32(0), OnDemandPercentageAboveBaseCapacity: aws.Int32(50)},
			LaunchTemplate: &autoscalingtypes.LaunchTemplate{
				LaunchTemplateSpecification: &autoscalingtypes.LaunchTemplateSpecification{LaunchTemplateId: template, Version: aws.String("$Latest")},
				Overrides:                   []autoscalingtypes.LaunchTemplateOverrides{{InstanceType: aws.String("t3a.micro")}, {InstanceType: aws.String("t3.micro")}},
			},
		},
	}))
	must[*autoscaling.UpdateAutoScalingGroupOutput](t)(client.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: name, DesiredCapacity: aws.Int32(3), CapacityRebalance: aws.Bool(false), MaxInstanceLifetime: aws.Int32(604800),
	}))
	group := must[*autoscaling.DescribeAutoScalingGroupsOutput](t)(client.DescribeAutoScalingGroups(t.Context(), nil)).AutoScalingGroups[0]
	require.NotNil(t, group.MixedInstancesPolicy)
	assert.Equal(t, "$Latest", *group.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version)
	assert.Len(t, group.MixedInstancesPolicy.LaunchTemplate.Overrides, 2)
	assert.False(t, *group.CapacityRebalance)
	assert.EqualValues(t, 60, *group.DefaultInstanceWarmup)
	assert.EqualValues(t, 604800, *group.MaxInstanceLifetime)
	require.Len(t, group.Instances, 3)
	var ids []string
	for _, instance := range group.Instances {
		ids = append(ids, *instance.InstanceId)
	}
	assertLaunched(t, config, ids, *firewall, subnets)

	must[*autoscaling.DeleteAutoScalingGroupOutput](t)(client.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: name, ForceDelete: aws.Bool(true)}))
	volumes := must[*ec2.DescribeVolumesOutput](t)(ec2.NewFromConfig(config).DescribeVolumes(t.Context(), nil)).Volumes
	interfaces := must[*ec2.DescribeNetworkInterfacesOutput](t)(ec2.NewFromConfig(config).DescribeNetworkInterfaces(t.Context(), nil)).NetworkInterfaces
	assert.Empty(t, volumes)
	assert.Empty(t, interfaces)
}

// assertLaunched checks that instances are what their template says, of its
// second version.
func assertLaunched(t *testing.T, config aws.Config, ids []string, firewall string, subnets []string) {
	t.Helper()
	client := ec2.NewFromConfig(config)
	inSubnet, spot := map[string]int{}, 0
	for _, reservation := range must[*ec2.DescribeInstancesOutput](t)(client.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})).Reservations {
		for _, instance := range reservation.Instances {
			inSubnet[*instance.SubnetId]++
			if instance.InstanceLifecycle == ec2types.InstanceLifecycleTypeSpot {
				spot++
			}
			assert.Equal(t, ec2types.HttpTokensStateRequired, instance.MetadataOptions.HttpTokens)
			assert.Equal(t, ec2types.MonitoringStateEnabled, instance.Monitoring.State)
			assert.Equal(t, ec2types.InstanceType("t3a.micro"), instance.InstanceType)
			assert.Equal(t, firewall, *instance.SecurityGroups[0].GroupId)
			require.NotNil(t, instance.IamInstanceProfile)
			assert.True(t, strings.HasSuffix(*instance.IamInstanceProfile.Arn, "/launched"))
			require.Len(t, instance.BlockDeviceMappings, 1)
			volume := must[*ec2.DescribeVolumesOutput](t)(client.DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{*instance.BlockDeviceMappings[0].Ebs.VolumeId}})).Volumes[0]
			assert.True(t, *volume.Encrypted)
			assert.EqualValues(t, 16, *volume.Size)
			assert.Equal(t, []ec2types.Tag{{Key: aws.String("of"), Value: aws.String("launched")}}, volume.Tags)
			assert.WithinDuration(t, time.Now(), *instance.LaunchTime, time.Hour)
		}
	}
	assert.Equal(t, 1, spot, "of three, half rounded up is on demand")
	counts := []int{inSubnet[subnets[0]], inSubnet[subnets[1]]}
	slices.Sort(counts)
	assert.Equal(t, []int{1, 2}, counts, "instances in each subnet")
}
