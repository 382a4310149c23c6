package sandbox

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	codedeployapi "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// destroy deletes everything that the stack has in the emulated AWS, which goes
// on: nothing may be left in it.
func (s *site) destroy() error {
	s.t.Helper()
	unlock, interrupted, err := s.exclusive("destroy")
	require.NoError(s.t, err)
	defer unlock()
	_, err = s.destroyStack(s.t.Context(), interrupted, s.record)
	return err
}

// empty checks that nothing of the site exists: by its tags, and by asking for
// what has no tags.
func (s *site) empty() {
	s.t.Helper()
	ctx := s.t.Context()
	assert.Empty(s.t, slices.Collect(maps.Keys(s.groups())), "auto scaling groups")
	instances, err := s.machines.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}}},
	})
	require.NoError(s.t, err)
	assert.Empty(s.t, instances.Reservations, "instances")
	for kind, count := range s.networkParts() {
		assert.Zero(s.t, count, kind)
	}
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(s.tagged, &resourcegroupstaggingapi.GetResourcesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(s.t, err)
		for _, resource := range page.ResourceTagMappingList {
			if arn := aws.ToString(resource.ResourceARN); strings.Contains(arn, "web-sandbox") {
				assert.Fail(s.t, "left", arn)
			}
		}
	}
	applications, err := s.deploying.ListApplications(ctx, &codedeployapi.ListApplicationsInput{})
	require.NoError(s.t, err)
	assert.Empty(s.t, applications.Applications, "codedeploy applications")
	roles, err := s.roles.ListRoles(ctx, &iam.ListRolesInput{})
	require.NoError(s.t, err)
	for _, role := range roles.Roles {
		assert.NotContains(s.t, aws.ToString(role.RoleName), "web-sandbox", "roles")
	}
}

// networkParts counts what the site has in EC2 besides instances, by kind. AWS
// forgets the tags of what is deleted; the emulator does not, so each is asked
// for by itself.
func (s *site) networkParts() map[string]int {
	s.t.Helper()
	ctx := s.t.Context()
	ours := []ec2types.Filter{{Name: aws.String("tag:Project"), Values: []string{"web"}}}
	counts := map[string]int{}
	for kind, count := range map[string]func() (int, error){
		"vpcs": func() (int, error) {
			found, err := s.machines.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: ours})
			return len(found.Vpcs), err
		},
		"subnets": func() (int, error) {
			found, err := s.machines.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: ours})
			return len(found.Subnets), err
		},
		"security groups": func() (int, error) {
			found, err := s.machines.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: ours})
			return len(found.SecurityGroups), err
		},
		"internet gateways": func() (int, error) {
			found, err := s.machines.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{Filters: ours})
			return len(found.InternetGateways), err
		},
		"vpc endpoints": func() (int, error) {
			found, err := s.machines.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: append(slices.Clone(ours),
				ec2types.Filter{Name: aws.String("vpc-endpoint-state"), Values: []string{"available", "pending"}})})
			return len(found.VpcEndpoints), err
		},
		"launch templates": func() (int, error) {
			found, err := s.machines.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{})
			return len(found.LaunchTemplates), err
		},
		"volumes": func() (int, error) {
			found, err := s.machines.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
			return len(found.Volumes), err
		},
		"network interfaces": func() (int, error) {
			found, err := s.machines.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{})
			return len(found.NetworkInterfaces), err
		},
	} {
		n, err := count()
		require.NoError(s.t, err, kind)
		counts[kind] = n
	}
	return counts
}
