package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// edited is the repository's Pulumi.sandbox.yaml with one setting changed.
func edited(t *testing.T, section, name string, value any) string {
	t.Helper()
	text, err := os.ReadFile("Pulumi.sandbox.yaml")
	require.NoError(t, err)
	var stack struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(text, &stack))
	settings, ok := stack.Config["bluegreen:"+section].(map[string]any)
	require.True(t, ok, "Pulumi.sandbox.yaml: bluegreen:%s", section)
	settings[name] = value
	text, err = yaml.Marshal(stack)
	require.NoError(t, err)
	return string(text)
}

// emulated are clients of the emulated AWS: the tests read there, not in
// Pulumi's state.
type emulated struct {
	ec2 *ec2.Client
	elb *elasticloadbalancingv2.Client
	rds *rds.Client
	s3  *s3.Client
	ssm *ssm.Client
}

func clients(summary Summary) emulated {
	config := aws.Config{
		Region: summary.Region, BaseEndpoint: &summary.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}
	return emulated{
		ec2: ec2.NewFromConfig(config), elb: elasticloadbalancingv2.NewFromConfig(config), rds: rds.NewFromConfig(config),
		s3:  s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }),
		ssm: ssm.NewFromConfig(config),
	}
}

// idleTimeout is an attribute of the one load balancer, "" when there is none.
func (e emulated) idleTimeout(ctx context.Context, t *testing.T) string {
	t.Helper()
	found, err := e.elb.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	require.NoError(t, err)
	if len(found.LoadBalancers) == 0 {
		return ""
	}
	require.Len(t, found.LoadBalancers, 1)
	attributes, err := e.elb.DescribeLoadBalancerAttributes(ctx, &elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{
		LoadBalancerArn: found.LoadBalancers[0].LoadBalancerArn,
	})
	require.NoError(t, err)
	for _, attribute := range attributes.Attributes {
		if aws.ToString(attribute.Key) == "idle_timeout.timeout_seconds" {
			return aws.ToString(attribute.Value)
		}
	}
	return ""
}

// networks are the VPCs that carry the project's tag; AWS has a default one.
func (e emulated) networks(ctx context.Context, t *testing.T) []ec2types.Vpc {
	t.Helper()
	found, err := e.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{
		Filters: []ec2types.Filter{{Name: aws.String("tag:Project"), Values: []string{"example"}}},
	})
	require.NoError(t, err)
	return found.Vpcs
}

func (e emulated) parameters(ctx context.Context, t *testing.T) map[string]ssmtypes.ParameterType {
	t.Helper()
	types := map[string]ssmtypes.ParameterType{}
	pages := ssm.NewGetParametersByPathPaginator(e.ssm, &ssm.GetParametersByPathInput{Path: aws.String("/example/sandbox/"), Recursive: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, parameter := range page.Parameters {
			types[aws.ToString(parameter.Name)] = parameter.Type
		}
	}
	return types
}

func (e emulated) buckets(ctx context.Context, t *testing.T) []string {
	t.Helper()
	found, err := e.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
	require.NoError(t, err)
	names := []string{}
	for _, bucket := range found.Buckets {
		names = append(names, aws.ToString(bucket.Name))
	}
	return names
}

func TestThePlatformLivesInTheSandbox(t *testing.T) {
	ctx := t.Context()
	s := stand(t, Platform(), edited(t, "edge", "idleTimeout", 61))
	summary, err := s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"create": summary.Resources}, summary.Changes)
	assert.Equal(t, "https://example.com", summary.Outputs["siteUrl"])
	assert.Equal(t, "[secret]", summary.Outputs["CI_CD_DEPLOYMENT_AUTH_TOKEN"])

	there := clients(summary)
	vpcs := there.networks(ctx, t)
	require.Len(t, vpcs, 1)
	assert.Equal(t, "10.0.0.0/16", aws.ToString(vpcs[0].CidrBlock))
	assert.Equal(t, "61", there.idleTimeout(ctx, t))
	databases, err := there.rds.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{})
	require.NoError(t, err)
	require.Len(t, databases.DBInstances, 1)
	assert.True(t, aws.ToBool(databases.DBInstances[0].StorageEncrypted))
	assert.False(t, aws.ToBool(databases.DBInstances[0].PubliclyAccessible))
	parameters := there.parameters(ctx, t)
	assert.Equal(t, ssmtypes.ParameterTypeSecureString, parameters["/example/sandbox/DATABASE_URL"])
	assert.Equal(t, ssmtypes.ParameterTypeString, parameters["/example/sandbox/DJANGO_ALLOWED_HOSTS"])
	assert.Contains(t, there.buckets(ctx, t), summary.Outputs["releaseBucket"])

	t.Run("a second look finds nothing to do", func(t *testing.T) {
		changes, err := s.Preview(ctx, RefreshAlways)
		require.NoError(t, err)
		assert.Empty(t, changes.Steps)
		assert.Equal(t, map[string]int{"same": summary.Resources}, changes.Count)
	})
	t.Run("its digest lists everything and no secret", func(t *testing.T) { wantNoSecretInDigest(t, s, summary) })
	t.Run("status shows it without secrets", func(t *testing.T) {
		status, err := s.Status(ctx)
		require.NoError(t, err)
		assert.True(t, status.Running)
		assert.Empty(t, status.Problem)
		assert.Equal(t, summary.Resources, status.Resources)
		assert.Equal(t, summary.Outputs, status.Outputs)
	})
	t.Run("an edit changes that and nothing else", func(t *testing.T) {
		configure(t, s, edited(t, "edge", "idleTimeout", 75))
		changes, err := s.Preview(ctx, RefreshAsConfigured)
		require.NoError(t, err)
		require.Len(t, changes.Steps, 1)
		assert.Equal(t, "update", changes.Steps[0].Operation)
		assert.Equal(t, "aws:lb/loadBalancer:LoadBalancer", changes.Steps[0].Type)
		assert.Equal(t, []string{"idleTimeout"}, changes.Steps[0].Properties)
		assert.Equal(t, "61", there.idleTimeout(ctx, t), "a preview changes nothing")
		after, err := s.Up(ctx)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"update": 1, "same": summary.Resources - 1}, after.Changes)
		assert.Equal(t, "75", there.idleTimeout(ctx, t))
		assert.Equal(t, vpcs[0].VpcId, there.networks(ctx, t)[0].VpcId)
	})
	t.Run("destroy leaves nothing", func(t *testing.T) {
		record, _, err := s.lookup()
		require.NoError(t, err)
		deleted, err := s.destroyStack(ctx, false, record) // the first half of Destroy: the second stops what is looked at here
		require.NoError(t, err)
		assert.Equal(t, summary.Resources, deleted)
		assert.Empty(t, there.networks(ctx, t))
		assert.Empty(t, there.idleTimeout(ctx, t))
		assert.Empty(t, there.parameters(ctx, t))
		assert.Empty(t, there.buckets(ctx, t))
		_, err = s.Destroy(ctx, false)
		require.NoError(t, err)
		_, err = there.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
		require.Error(t, err, "nobody answers any more")
		status, err := s.Status(ctx)
		require.NoError(t, err)
		assert.False(t, status.Running)
	})
}

func TestProductionIsPreviewedOffline(t *testing.T) {
	s := stand(t, Platform(), "config: {}\n")
	for _, name := range []string{"prod", "staging"} {
		file, err := filepath.Abs("Pulumi." + name + ".yaml")
		require.NoError(t, err)
		before, err := os.ReadFile(file)
		require.NoError(t, err)
		changes, err := s.PreviewFile(t.Context(), file)
		require.NoError(t, err)
		assert.Equal(t, name, changes.Stack)
		assert.Len(t, changes.Count, 1)
		assert.Greater(t, changes.Count["create"], 50)
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(before), string(after))
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(s.Folder), "preview-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	_, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, none, now, "no sandbox was started")
}
