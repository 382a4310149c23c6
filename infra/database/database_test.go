package database

import (
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	instanceToken = "aws:rds/instance:Instance"
	ingressToken  = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	probeToken    = "aws:s3/bucketV2:BucketV2"
)

func arguments() Args {
	return Args{
		Spec:      Default(),
		VPCID:     pulumi.String("vpc-1"),
		SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		Clients:   map[string]pulumi.StringInput{"web": pulumi.String("sg-web"), "worker": pulumi.String("sg-worker")},
	}
}

// declare makes a database, and buckets whose inputs are the database's
// outputs: a bucket's name is not secret of itself.
func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		d, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		for name, output := range map[string]pulumi.StringOutput{"url": d.URL, "endpoint": d.Endpoint, "name": d.Name, "identifier": d.Identifier} {
			if _, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{Bucket: output}); err != nil {
				return err
			}
		}
		return nil
	}, options...))
}

func instance(t *testing.T, recorder *infratest.Recorder) infratest.Resource {
	t.Helper()
	found := recorder.OfType(instanceToken)
	require.Len(t, found, 1)
	return found[0]
}

func probe(t *testing.T, recorder *infratest.Recorder, name string) resource.PropertyValue {
	t.Helper()
	found, ok := recorder.Named(probeToken, name)
	require.True(t, ok)
	return found.Inputs["bucket"]
}

func TestInstance(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	made := instance(t, &recorder)
	assert.Equal(t, "example-prod-database-01", made.Name)
	assert.Equal(t, "postgres", made.Text("engine"))
	assert.Equal(t, "17", made.Text("engineVersion"))
	assert.Equal(t, "gp3", made.Text("storageType"))
	assert.True(t, made.Value("storageEncrypted").BoolValue())
	assert.False(t, made.Value("publiclyAccessible").BoolValue())
	assert.False(t, made.Value("applyImmediately").BoolValue())
	assert.False(t, made.Value("iamDatabaseAuthenticationEnabled").BoolValue(), "password only")
	assert.Equal(t, "example-prod-database-id", made.Value("vpcSecurityGroupIds").ArrayValue()[0].StringValue())
	assert.NotContains(t, made.Inputs, resource.PropertyKey("kmsKeyId"), "the account's key")

	groups := recorder.OfType("aws:rds/parameterGroup:ParameterGroup")
	require.Len(t, groups, 1)
	assert.Equal(t, "postgres17", groups[0].Text("family"))
	parameter := groups[0].Value("parameters").ArrayValue()[0].ObjectValue()
	assert.Equal(t, "rds.force_ssl", parameter["name"].StringValue())
	assert.Equal(t, "1", parameter["value"].StringValue())
	assert.Equal(t, groups[0].Name, made.Text("parameterGroupName"))
}

func TestOnlyClientsConnect(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	got := map[string]string{}
	for _, rule := range recorder.OfType(ingressToken) {
		assert.Equal(t, "example-prod-database-id", rule.Text("securityGroupId"))
		assert.InDelta(t, 5432, rule.Value("fromPort").NumberValue(), 0)
		assert.InDelta(t, 5432, rule.Value("toPort").NumberValue(), 0)
		assert.Equal(t, "tcp", rule.Text("ipProtocol"))
		assert.NotEmpty(t, rule.Text("description"))
		assert.Empty(t, rule.Text("cidrIpv4")+rule.Text("cidrIpv6")+rule.Text("prefixListId"), "a range of addresses may connect")
		got[rule.Name] = rule.Text("referencedSecurityGroupId")
	}
	assert.Equal(t, map[string]string{"example-prod-database-web": "sg-web", "example-prod-database-worker": "sg-worker"}, got)
}

func TestProtect(t *testing.T) {
	for _, test := range []struct {
		name     string
		protect  bool
		snapshot string
	}{
		{"to keep", true, "example-prod-database-final-generatedexampleproddatabasename"},
		{"to throw away", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			declare(t, &recorder, func(a *Args) { a.Protect = test.protect })
			made := instance(t, &recorder)
			assert.Equal(t, test.protect, made.Protect)
			assert.Equal(t, test.protect, made.Value("deletionProtection").BoolValue())
			assert.Equal(t, !test.protect, made.Value("skipFinalSnapshot").BoolValue())
			assert.Equal(t, !test.protect, made.Value("deleteAutomatedBackups").BoolValue())
			assert.Equal(t, test.snapshot, made.Text("finalSnapshotIdentifier"))
		})
	}
}

func TestChoices(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.EngineVersion, a.AllowMajorVersionUpgrade = "18", true
		a.MultiAZ, a.MaxAllocatedStorage, a.PerformanceInsights = true, 0, true
		a.KeyARN = pulumi.String("arn:aws:kms:us-east-2:123456789012:key/1")
	})
	made := instance(t, &recorder)
	assert.True(t, made.Value("multiAz").BoolValue())
	assert.True(t, made.Value("performanceInsightsEnabled").BoolValue())
	assert.InDelta(t, 0, made.Value("maxAllocatedStorage").NumberValue(), 0)
	assert.Equal(t, "arn:aws:kms:us-east-2:123456789012:key/1", made.Text("kmsKeyId"))
	assert.True(t, made.Value("applyImmediately").BoolValue(), "an upgrade that waits holds on to the old parameter group")
	assert.Equal(t, "postgres18", recorder.OfType("aws:rds/parameterGroup:ParameterGroup")[0].Text("family"))
}

func TestSecretsStaySecret(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	location := probe(t, &recorder, "url")
	assert.True(t, location.IsSecret(), "the URL holds the password")
	assert.Equal(t, "postgresql://generatedexampleproddatabaseusername:generated-example-prod-database-password"+
		"@example-prod-database-01-id.abcdefghijkl.us-east-2.rds.amazonaws.com:5432/generatedexampleproddatabasename?sslmode=require",
		location.SecretValue().Element.StringValue())
	for _, open := range []string{"endpoint", "name", "identifier"} {
		assert.False(t, probe(t, &recorder, open).IsSecret(), open)
	}

	password := "generated-example-prod-database-password"
	for _, r := range recorder.Resources() {
		for key, value := range r.Inputs {
			if !value.IsSecret() {
				assert.NotContains(t, value.String(), password, "%s %s %s", r.Type, r.Name, key)
			}
		}
	}
	assert.True(t, instance(t, &recorder).Inputs["password"].IsSecret())
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, nil, infratest.Preview)
	assert.Equal(t, "example-prod-database-01", instance(t, &recorder).Name)
	assert.Len(t, recorder.OfType(ingressToken), 2)
	assert.True(t, probe(t, &recorder, "url").IsSecret())
}

func TestEverythingBelongsToTheDatabase(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != probeToken {
			assert.Contains(t, r.Parent, typeToken, "%s %s", r.Type, r.Name)
			assert.True(t, strings.HasPrefix(r.Name, "example-prod-database"), r.Name)
		}
	}
}

func TestNamesFit(t *testing.T) {
	var recorder infratest.Recorder
	args := arguments()
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, strings.Repeat("p", 40)+"-"+strings.Repeat("s", 40), args)
		return err
	}))
	assert.LessOrEqual(t, len(instance(t, &recorder).Name)+len("-0123456"), 63)
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		spec := Default()
		spec.EngineVersion = "12"
		_, err := New(ctx, "example-prod", Args{Spec: spec, Clients: map[string]pulumi.StringInput{"web": nil}})
		return err
	})
	require.ErrorContains(t, err, `database example-prod: engineVersion: want a major version in standard support (14, 15, 16, 17, 18), got "12"; choose one of them
vpcId: want the network's VPC, got none
subnetIds: want the network's subnets, got none
clients.web: want a security group, got none`)
	assert.Empty(t, recorder.Resources())

	none := arguments()
	none.Clients = nil
	assert.EqualError(t, none.Validate(), "clients: want at least one security group that may connect, got none")
}
