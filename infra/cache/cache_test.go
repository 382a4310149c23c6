package cache

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
	groupToken   = "aws:elasticache/replicationGroup:ReplicationGroup"
	ingressToken = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	probeToken   = "aws:s3/bucketV2:BucketV2"
)

func arguments() Args {
	return Args{
		Spec:      Default(),
		VPCID:     pulumi.String("vpc-1"),
		SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		Clients:   map[string]pulumi.StringInput{"web": pulumi.String("sg-web"), "worker": pulumi.String("sg-worker")},
	}
}

// declare makes a cache, and buckets whose inputs are the cache's outputs: a
// bucket's name is not secret of itself.
func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		c, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		if _, err := s3.NewBucketV2(ctx, "url", &s3.BucketV2Args{Bucket: c.URL}); err != nil {
			return err
		}
		_, err = s3.NewBucketV2(ctx, "endpoint", &s3.BucketV2Args{Bucket: c.Endpoint})
		return err
	}, options...))
}

func group(t *testing.T, recorder *infratest.Recorder) infratest.Resource {
	t.Helper()
	found := recorder.OfType(groupToken)
	require.Len(t, found, 1)
	return found[0]
}

func TestReplicationGroup(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	made := group(t, &recorder)
	assert.Equal(t, "example-prod-cache-01", made.Name)
	assert.Equal(t, "valkey", made.Text("engine"))
	assert.Equal(t, "8.0", made.Text("engineVersion"))
	assert.True(t, made.Value("transitEncryptionEnabled").BoolValue())
	assert.Equal(t, "required", made.Text("transitEncryptionMode"))
	assert.True(t, made.Value("atRestEncryptionEnabled").BoolValue())
	assert.Equal(t, "example-prod-cache-id", made.Value("securityGroupIds").ArrayValue()[0].StringValue())
	assert.NotContains(t, made.Inputs, resource.PropertyKey("kmsKeyId"))
}

func TestSeveralNodesStandIn(t *testing.T) {
	for nodes, failover := range map[int]bool{1: false, 2: true, 6: true} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.Nodes = nodes })
		made := group(t, &recorder)
		assert.InDelta(t, nodes, made.Value("numCacheClusters").NumberValue(), 0)
		assert.Equal(t, failover, made.Value("automaticFailoverEnabled").BoolValue(), "%d nodes", nodes)
		assert.Equal(t, failover, made.Value("multiAzEnabled").BoolValue(), "%d nodes", nodes)
	}
}

func TestOnlyClientsConnect(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	got := map[string]string{}
	for _, rule := range recorder.OfType(ingressToken) {
		assert.Equal(t, "example-prod-cache-id", rule.Text("securityGroupId"))
		assert.InDelta(t, 6379, rule.Value("fromPort").NumberValue(), 0)
		assert.InDelta(t, 6379, rule.Value("toPort").NumberValue(), 0)
		assert.Equal(t, "tcp", rule.Text("ipProtocol"))
		assert.NotEmpty(t, rule.Text("description"))
		assert.Empty(t, rule.Text("cidrIpv4")+rule.Text("cidrIpv6")+rule.Text("prefixListId"), "a range of addresses may connect")
		got[rule.Name] = rule.Text("referencedSecurityGroupId")
	}
	assert.Equal(t, map[string]string{"example-prod-cache-web": "sg-web", "example-prod-cache-worker": "sg-worker"}, got)
}

func TestProtect(t *testing.T) {
	for _, protect := range []bool{true, false} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.Protect = protect })
		assert.Equal(t, protect, group(t, &recorder).Protect)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.KeyARN = pulumi.String("arn:aws:kms:us-east-2:123456789012:key/1") })

	location, found := recorder.Named(probeToken, "url")
	require.True(t, found)
	assert.True(t, location.Inputs["bucket"].IsSecret(), "the URL holds the token")
	assert.Equal(t, "rediss://:generated-example-prod-cache-token@master.example-prod-cache-01-id.abcdef.use2.cache.amazonaws.com:6379/0?ssl_cert_reqs=required",
		location.Text("bucket"))
	endpoint, found := recorder.Named(probeToken, "endpoint")
	require.True(t, found)
	assert.Equal(t, resource.NewProperty("master.example-prod-cache-01-id.abcdef.use2.cache.amazonaws.com:6379"), endpoint.Inputs["bucket"])

	made := group(t, &recorder)
	assert.True(t, made.Inputs["authToken"].IsSecret())
	assert.Equal(t, "arn:aws:kms:us-east-2:123456789012:key/1", made.Text("kmsKeyId"))
	for _, r := range recorder.Resources() {
		for key, value := range r.Inputs {
			if !value.IsSecret() {
				assert.NotContains(t, value.String(), "generated-example-prod-cache-token", "%s %s %s", r.Type, r.Name, key)
			}
		}
	}
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, nil, infratest.Preview)
	assert.Equal(t, "example-prod-cache-01", group(t, &recorder).Name)
	assert.Len(t, recorder.OfType(ingressToken), 2)
	location, found := recorder.Named(probeToken, "url")
	require.True(t, found)
	assert.True(t, location.Inputs["bucket"].IsSecret())
}

func TestEverythingBelongsToTheCache(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != probeToken {
			assert.Contains(t, r.Parent, typeToken, "%s %s", r.Type, r.Name)
			assert.True(t, strings.HasPrefix(r.Name, "example-prod-cache"), r.Name)
		}
	}
}

func TestNamesFit(t *testing.T) {
	var recorder infratest.Recorder
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, strings.Repeat("p", 20)+"-"+strings.Repeat("s", 20), arguments())
		return err
	}))
	assert.LessOrEqual(t, len(group(t, &recorder).Name)+len("-0123456"), 40)
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		spec := Default()
		spec.EngineVersion = "7.0"
		_, err := New(ctx, "example-prod", Args{Spec: spec, Clients: map[string]pulumi.StringInput{"web": nil}})
		return err
	})
	require.ErrorContains(t, err, `cache example-prod: engineVersion: want a version of valkey (7.2, 8.0, 8.1, 8.2, 9.0), got "7.0"; choose one of them and write it in quotes
vpcId: want the network's VPC, got none
subnetIds: want the network's subnets, got none
clients.web: want a security group, got none`)
	assert.Empty(t, recorder.Resources())

	none := arguments()
	none.Clients = nil
	assert.EqualError(t, none.Validate(), "clients: want at least one security group that may connect, got none")
}
