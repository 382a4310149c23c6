package stacks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What holds of every stack, whatever it chooses.
func TestInvariants(t *testing.T) {
	for _, file := range stackFiles {
		var recorder infratest.Recorder
		declare(t, &recorder, file)
		invariants(t, &recorder, strings.TrimPrefix(file, "../"))
	}
}

func invariants(t *testing.T, recorder *infratest.Recorder, of string) {
	for name, invariant := range map[string]func(*testing.T, *infratest.Recorder){
		"parents and provider":      parentsAndProvider,
		"tags":                      tagged,
		"open to the world":         openToTheWorld,
		"rules say why":             rulesSayWhy,
		"instance metadata":         instanceMetadata,
		"encryption":                encryption,
		"private buckets":           privateBuckets,
		"no wildcard on everything": noWildcardOnEverything,
	} {
		t.Run(of+" "+name, func(t *testing.T) { invariant(t, recorder) })
	}
}

func awsResources(recorder *infratest.Recorder) (found []infratest.Resource) {
	for _, r := range recorder.Resources() {
		if strings.HasPrefix(r.Type, "aws:") {
			found = append(found, r)
		}
	}
	return found
}

func parentsAndProvider(t *testing.T, recorder *infratest.Recorder) {
	resources := awsResources(recorder)
	require.NotEmpty(t, resources)
	for _, r := range resources {
		parent := resource.URN(r.Parent)
		assert.True(t, strings.HasPrefix(string(parent.Type()), "bluegreen:infra:"), "%s %s has parent %q, not a component", r.Type, r.Name, r.Parent)
		assert.Contains(t, r.Provider, "pulumi:providers:aws::aws::", "%s %s does not use the stack's provider", r.Type, r.Name)
	}
}

func tagged(t *testing.T, recorder *infratest.Recorder) {
	wanted := []resource.PropertyKey{"Project", "Environment", "ManagedBy"}
	providers := recorder.OfType("pulumi:providers:aws")
	require.Len(t, providers, 1)
	standard := providers[0].Value("defaultTags").ObjectValue()["tags"].ObjectValue()
	for _, key := range wanted {
		assert.NotEmpty(t, standard[key].StringValue())
	}
	// Default tags do not reach what Auto Scaling launches.
	for _, template := range recorder.OfType("aws:ec2/launchTemplate:LaunchTemplate") {
		kinds := map[string]bool{}
		for _, specification := range template.Value("tagSpecifications").ArrayValue() {
			kinds[specification.ObjectValue()["resourceType"].StringValue()] = true
			for _, key := range wanted {
				assert.NotEmpty(t, specification.ObjectValue()["tags"].ObjectValue()[key].StringValue())
			}
		}
		assert.True(t, kinds["instance"] && kinds["volume"], "got tags for %v", kinds)
	}
}

func openToTheWorld(t *testing.T, recorder *infratest.Recorder) {
	balancer := recorder.OfType("aws:lb/loadBalancer:LoadBalancer")
	require.Len(t, balancer, 1)
	groups := balancer[0].Value("securityGroups").ArrayValue()
	require.Len(t, groups, 1)
	open := 0
	for _, rule := range recorder.OfType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		if world := rule.Text("cidrIpv4") == "0.0.0.0/0" || rule.Text("cidrIpv6") == "::/0"; world {
			open++
			assert.Equal(t, groups[0].StringValue(), rule.Text("securityGroupId"), "%s opens another group than the load balancer's", rule.Name)
			port := rule.Value("fromPort").NumberValue()
			assert.Contains(t, []float64{80, 443}, port)
			assert.InDelta(t, port, rule.Value("toPort").NumberValue(), 0)
		}
	}
	assert.Equal(t, 4, open, "80 and 443, from IPv4 and IPv6")
	for _, database := range recorder.OfType("aws:rds/instance:Instance") {
		assert.False(t, database.Value("publiclyAccessible").BoolValue())
	}
	for _, group := range recorder.OfType("aws:ec2/securityGroup:SecurityGroup") {
		assert.False(t, group.Inputs["ingress"].IsArray() || group.Inputs["egress"].IsArray(), "%s: rules are resources of their own", group.Name)
	}
}

func rulesSayWhy(t *testing.T, recorder *infratest.Recorder) {
	rules := append(recorder.OfType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
		recorder.OfType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")...)
	require.NotEmpty(t, rules)
	for _, rule := range rules {
		assert.NotEmpty(t, rule.Text("description"), rule.Name)
		ends := rule.Text("cidrIpv4") + rule.Text("cidrIpv6") + rule.Text("referencedSecurityGroupId") + rule.Text("prefixListId")
		assert.NotEmpty(t, ends, "%s says neither where from nor where to", rule.Name)
	}
}

func instanceMetadata(t *testing.T, recorder *infratest.Recorder) {
	templates := recorder.OfType("aws:ec2/launchTemplate:LaunchTemplate")
	require.NotEmpty(t, templates)
	for _, template := range templates {
		options := template.Value("metadataOptions").ObjectValue()
		assert.Equal(t, "required", options["httpTokens"].StringValue(), "instance metadata v2 only")
		assert.Empty(t, template.Text("keyName"), "no key pair by default")
	}
}

func encryption(t *testing.T, recorder *infratest.Recorder) {
	for _, template := range recorder.OfType("aws:ec2/launchTemplate:LaunchTemplate") {
		for _, device := range template.Value("blockDeviceMappings").ArrayValue() {
			ebs := device.ObjectValue()["ebs"].ObjectValue()
			assert.Equal(t, "true", fmt.Sprint(ebs["encrypted"].V), template.Name)
		}
	}
	for _, database := range recorder.OfType("aws:rds/instance:Instance") {
		assert.True(t, database.Value("storageEncrypted").BoolValue())
	}
	for _, cache := range recorder.OfType("aws:elasticache/replicationGroup:ReplicationGroup") {
		assert.True(t, cache.Value("atRestEncryptionEnabled").BoolValue())
		assert.True(t, cache.Value("transitEncryptionEnabled").BoolValue())
	}
	for _, parameter := range recorder.OfType("aws:ssm/parameter:Parameter") {
		if parameter.Inputs["value"].ContainsSecrets() {
			assert.Equal(t, "SecureString", parameter.Text("type"), parameter.Name)
		}
	}
	for _, listener := range recorder.OfType("aws:lb/listener:Listener") {
		if listener.Text("protocol") == "HTTPS" {
			assert.Contains(t, listener.Text("sslPolicy"), "TLS13")
		}
	}
}

func privateBuckets(t *testing.T, recorder *infratest.Recorder) {
	buckets := recorder.OfType("aws:s3/bucketV2:BucketV2")
	blocks := recorder.OfType("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
	require.NotEmpty(t, buckets)
	assert.Len(t, blocks, len(buckets))
	for _, block := range blocks {
		for _, key := range []resource.PropertyKey{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
			assert.True(t, block.Value(key).BoolValue(), "%s %s", block.Name, key)
		}
	}
	assert.Len(t, recorder.OfType("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"), len(buckets))
	policies := recorder.OfType("aws:s3/bucketPolicy:BucketPolicy")
	assert.Len(t, policies, len(buckets))
	for _, policy := range policies {
		assert.Contains(t, policy.Text("policy"), "aws:SecureTransport", policy.Name)
	}
}

// noWildcardOnEverything reads every policy document of the graph.
func noWildcardOnEverything(t *testing.T, recorder *infratest.Recorder) {
	documents := 0
	for _, r := range awsResources(recorder) {
		for key := range r.Inputs {
			text := r.Text(key)
			if !strings.HasPrefix(text, `{"Version"`) {
				continue
			}
			documents++
			var document struct{ Statement []map[string]any }
			require.NoError(t, json.Unmarshal([]byte(text), &document))
			for _, statement := range document.Statement {
				wildcard := slices.ContainsFunc(many(statement["Action"]), func(action string) bool {
					return action == "*" || strings.HasSuffix(action, ":*")
				})
				// A key's policy says "*" and means that key (AWS KMS, "Key policies").
				everything := slices.Contains(many(statement["Resource"]), "*") && r.Type != "aws:kms/key:Key"
				assert.False(t, statement["Effect"] == "Allow" && wildcard && everything, "%s %s: %v", r.Type, r.Name, statement)
			}
		}
	}
	assert.Greater(t, documents, 5, "the search itself works")
}

func many(value any) (all []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, inner := range v {
			all = append(all, fmt.Sprint(inner))
		}
	}
	return all
}

// What holds data stays when a stack is destroyed by mistake; a throw-away
// stack destroys cleanly.
func TestStatefulResourcesAreProtectedInProduction(t *testing.T) {
	stateful := []string{
		"aws:rds/instance:Instance", "aws:s3/bucketV2:BucketV2", "aws:elasticache/replicationGroup:ReplicationGroup", "aws:kms/key:Key",
	}
	for file, want := range map[string]bool{"../Pulumi.prod.yaml": true, "../Pulumi.sandbox.yaml": false} {
		var recorder infratest.Recorder
		declare(t, &recorder, file)
		for _, token := range stateful {
			found := recorder.OfType(token)
			require.NotEmpty(t, found, "%s %s", file, token)
			for _, r := range found {
				assert.Equal(t, want, r.Protect, "%s %s %s", file, r.Type, r.Name)
			}
		}
		for _, r := range recorder.OfType("aws:rds/instance:Instance") {
			assert.Equal(t, want, r.Value("deletionProtection").BoolValue(), file)
			assert.Equal(t, !want, r.Value("skipFinalSnapshot").BoolValue(), file)
		}
		for _, r := range recorder.OfType("aws:lb/loadBalancer:LoadBalancer") {
			assert.Equal(t, want, r.Value("enableDeletionProtection").BoolValue(), file)
		}
	}
}
