package emulator

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// emulated starts moto with a zone, the images and an OIDC provider in it.
func emulated(t *testing.T) (*Emulator, aws.Config) {
	t.Helper()
	config := fakeConfig(t.TempDir())
	config.Python = partstest.Tools(t).Python
	config.Seed = Seed{
		Zones:         []string{"example.com"},
		Images:        UbuntuImages(),
		OIDCProviders: []string{"https://token.actions.githubusercontent.com"},
	}
	e := start(t, config)
	return e, client(e.Endpoint())
}

// must unwraps the answer of a call that has to succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}

func TestEmulatedAWS(t *testing.T) {
	e, config := emulated(t)
	// They share an account: starting moto takes seconds.
	for name, test := range map[string]func(*testing.T, aws.Config){
		"account":             testAccount,
		"seeds":               testSeeds,
		"calls at once":       testCallsAtOnce,
		"network":             testNetwork,
		"firewall rules":      testFirewallRules,
		"launch template":     testLaunchTemplate,
		"auto scaling":        testAutoScaling,
		"scaling":             testScaling,
		"users and roles":     testUsersAndRoles,
		"versioned bucket":    testVersionedBucket,
		"bucket policy":       testBucketPolicy,
		"database":            testDatabase,
		"database parameters": testDatabaseParameters,
		"cache":               testCache,
		"cache subnet group":  testCacheSubnetGroup,
		"certificate":         testCertificate,
	} {
		t.Run(name, func(t *testing.T) { test(t, config) })
	}
	t.Run("what moto lacks is said so", func(t *testing.T) { testFault(t, e, config) })
	t.Run("boto3", func(t *testing.T) { testBoto3(t, e) })
}

func testAccount(t *testing.T, config aws.Config) {
	identity := must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil))
	assert.Equal(t, "123456789012", *identity.Account)
	_, err := iam.NewFromConfig(config).GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole")})
	assert.NoError(t, err, "AWS's own policies are there")
}

func testSeeds(t *testing.T, config aws.Config) {
	zones := must[*route53.ListHostedZonesByNameOutput](t)(route53.NewFromConfig(config).ListHostedZonesByName(t.Context(), nil))
	require.Len(t, zones.HostedZones, 1)
	assert.Equal(t, "example.com.", *zones.HostedZones[0].Name)

	_, err := iam.NewFromConfig(config).GetOpenIDConnectProvider(t.Context(), &iam.GetOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: aws.String("arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"),
	})
	assert.NoError(t, err)

	images := must[*ec2.DescribeImagesOutput](t)(ec2.NewFromConfig(config).DescribeImages(t.Context(), &ec2.DescribeImagesInput{
		Owners: []string{canonical},
		Filters: []ec2types.Filter{
			{Name: aws.String("name"), Values: []string{"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*"}},
			{Name: aws.String("architecture"), Values: []string{"arm64"}},
			{Name: aws.String("root-device-type"), Values: []string{"ebs"}},
			{Name: aws.String("virtualization-type"), Values: []string{"hvm"}},
		},
	})).Images
	require.Len(t, images, 2)
	newest := slices.MaxFunc(images, func(a, b ec2types.Image) int { return strings.Compare(*a.CreationDate, *b.CreationDate) })
	assert.Equal(t, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260601", *newest.Name)
	require.Len(t, newest.BlockDeviceMappings, 1)
	assert.Equal(t, *newest.RootDeviceName, *newest.BlockDeviceMappings[0].DeviceName)
	assert.Equal(t, ec2types.VolumeTypeGp3, newest.BlockDeviceMappings[0].Ebs.VolumeType)
}

// testCallsAtOnce makes the calls of a busy engine.
func testCallsAtOnce(t *testing.T, config aws.Config) {
	parameters := ssm.NewFromConfig(config)
	group, ctx := errgroup.WithContext(t.Context())
	names := make([]string, 64)
	for i := range names {
		names[i] = "/many/" + strings.Repeat("x", i+1)
		group.Go(func() error {
			_, err := parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: &names[i], Value: aws.String("v"), Type: ssmtypes.ParameterTypeSecureString})
			if err != nil {
				return err
			}
			_, err = parameters.DescribeParameters(ctx, nil)
			return err
		})
	}
	require.NoError(t, group.Wait())
	for batch := range slices.Chunk(names, 10) {
		deleted := must[*ssm.DeleteParametersOutput](t)(parameters.DeleteParameters(t.Context(), &ssm.DeleteParametersInput{Names: batch}))
		assert.Empty(t, deleted.InvalidParameters)
	}
}

func testFault(t *testing.T, e *Emulator, config aws.Config) {
	_, err := elasticache.NewFromConfig(config).CreateCacheParameterGroup(t.Context(), &elasticache.CreateCacheParameterGroupInput{
		CacheParameterGroupFamily: aws.String("valkey8"), CacheParameterGroupName: aws.String("p"), Description: aws.String("d"),
	})
	var fault smithy.APIError
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, emulatorFault, fault.ErrorCode())
	assert.Contains(t, fault.ErrorMessage(), "elasticache CreateCacheParameterGroup: the emulated AWS cannot answer this: NotImplementedError: The create_cache_parameter_group action has not been implemented")
	assert.Contains(t, fault.ErrorMessage(), e.moto.logPath)
	log, err := os.ReadFile(e.moto.logPath)
	require.NoError(t, err)
	assert.Contains(t, string(log), "Traceback (most recent call last)")
	requests, err := os.ReadFile(filepath.Join(filepath.Dir(e.moto.logPath), requestLogName))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(requests), "operation=CreateCacheParameterGroup status=400"), "tries")
}

// testBoto3 uses the endpoint as any tool of AWS's does: by the environment.
func testBoto3(t *testing.T, e *Emulator) {
	const script = `
import boto3
account = boto3.client("sts").get_caller_identity()["Account"]
s3 = boto3.client("s3")
s3.create_bucket(Bucket="boto3", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket="boto3", Key="a//b", Body=b"content " * 100000)
assert len(s3.get_object(Bucket="boto3", Key="a//b")["Body"].read()) == 800000
s3.delete_object(Bucket="boto3", Key="a//b")
s3.delete_bucket(Bucket="boto3")
logs = boto3.client("logs")
logs.create_log_group(logGroupName="g")
logs.delete_log_group(logGroupName="g")
alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
print(account, len(alarms))
`
	command := exec.CommandContext(t.Context(), partstest.Tools(t).Python, "-c", script)
	command.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+e.Endpoint(), "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Equal(t, "123456789012 0\n", string(output))
}

func TestTwoEmulatedAWSDoNotShareTheirState(t *testing.T) {
	_, first := emulated(t)
	_, second := emulated(t)
	group := errgroup.Group{}
	for _, config := range []aws.Config{first, second} {
		group.Go(func() error {
			_, err := iam.NewFromConfig(config).CreateRole(context.Background(), &iam.CreateRoleInput{RoleName: aws.String("same"), AssumeRolePolicyDocument: aws.String("{}")})
			return err
		})
	}
	assert.NoError(t, group.Wait())
}
