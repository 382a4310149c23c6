package newcomer

import (
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
)

// object is what is under a key of the bucket with Pulumi's state.
func (n *newcomer) object(key string) string {
	n.Helper()
	found, err := n.account.s3().GetObject(n.Context(), &s3.GetObjectInput{Bucket: aws.String(stateBucket), Key: &key})
	require.NoError(n, err)
	defer found.Body.Close()
	text, err := io.ReadAll(found.Body)
	require.NoError(n, err)
	return string(text)
}

// left are the things of the account that the stack or a release made, by kind.
func (n *newcomer) left() map[string]int {
	n.Helper()
	ctx, config := n.Context(), n.account.Config
	machines := ec2.NewFromConfig(config)
	ours := []ec2types.Filter{{Name: aws.String("tag:Project"), Values: []string{"bakery"}}}
	living := append([]ec2types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}}}, ours...)
	counts := map[string]int{}
	for kind, count := range map[string]func() (int, error){
		"instances": func() (int, error) {
			found, err := machines.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: living})
			return len(found.Reservations), err
		},
		"vpcs": func() (int, error) {
			found, err := machines.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: ours})
			return len(found.Vpcs), err
		},
		"launch templates": func() (int, error) {
			found, err := machines.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{})
			return len(found.LaunchTemplates), err
		},
		"auto scaling groups": func() (int, error) {
			found, err := autoscaling.NewFromConfig(config).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
			return len(found.AutoScalingGroups), err
		},
		"load balancers": func() (int, error) {
			found, err := elbv2.NewFromConfig(config).DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{})
			return len(found.LoadBalancers), err
		},
		"certificates": func() (int, error) {
			found, err := acm.NewFromConfig(config).ListCertificates(ctx, &acm.ListCertificatesInput{})
			return len(found.CertificateSummaryList), err
		},
		"applications": func() (int, error) {
			found, err := codedeploy.NewFromConfig(config).ListApplications(ctx, &codedeploy.ListApplicationsInput{})
			return len(found.Applications), err
		},
		"parameters": func() (int, error) {
			found, err := ssm.NewFromConfig(config).GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/bakery/")})
			return len(found.Parameters), err
		},
		"identity providers": func() (int, error) {
			found, err := iam.NewFromConfig(config).ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
			return len(found.OpenIDConnectProviderList), err
		},
		"roles":   n.roles,
		"records": n.records,
		"buckets": func() (int, error) {
			found, err := n.account.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
			return len(found.Buckets) - 1, err // that of Pulumi's state is the newcomer's own
		},
	} {
		found, err := count()
		require.NoError(n, err, kind)
		counts[kind] = found
	}
	return counts
}

func (n *newcomer) roles() (count int, err error) {
	pages := iam.NewListRolesPaginator(iam.NewFromConfig(n.account.Config), &iam.ListRolesInput{})
	for pages.HasMorePages() {
		list, err := pages.NextPage(n.Context())
		if err != nil {
			return 0, err
		}
		for _, role := range list.Roles {
			if strings.HasPrefix(aws.ToString(role.RoleName), "bakery-") {
				count++
			}
		}
	}
	return count, nil
}

// records are those of the zone beside its own two.
func (n *newcomer) records() (count int, err error) {
	dns := route53.NewFromConfig(n.account.Config)
	zones, err := dns.ListHostedZones(n.Context(), &route53.ListHostedZonesInput{})
	if err != nil {
		return 0, err
	}
	for _, zone := range zones.HostedZones {
		list, err := dns.ListResourceRecordSets(n.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: zone.Id})
		if err != nil {
			return 0, err
		}
		for _, record := range list.ResourceRecordSets {
			if record.Type != "NS" && record.Type != "SOA" {
				count++
			}
		}
	}
	return count, nil
}
