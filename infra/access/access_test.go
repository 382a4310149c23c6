package access

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	roleType       = "aws:iam/role:Role"
	inlineType     = "aws:iam/rolePolicy:RolePolicy"
	managedType    = "aws:iam/policy:Policy"
	attachmentType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	userType       = "aws:iam/user:User"
	sinkType       = "test:index:Sink"
	boundary       = "arn:aws:iam::123456789012:policy/boundary"
)

// complete is the default for a repository, with whatever else change sets.
func complete(change func(*Args)) Args {
	args := Args{
		Spec: Default(), Site: naming.Site{Project: "example", Environment: "prod"},
		Account: infratest.Account, Region: infratest.Region, Partition: "aws",
		StorageBucketARN: pulumi.String("arn:aws:s3:::example-prod-storage-1"),
		ReleaseBucketARN: pulumi.String("arn:aws:s3:::example-prod-releases-1"),
	}
	args.GitHub.Repository, args.GitHub.Environment = "octo-org/site", "prod"
	if change != nil {
		change(&args)
	}
	return args
}

// declare runs the component, with its outputs as the inputs of a resource so
// that they are recorded too.
func declare(t *testing.T, recorder *infratest.Recorder, args Args, options ...pulumi.RunOption) infratest.Resource {
	t.Helper()
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		a, err := New(ctx, args.Site.Prefix(), args)
		if err != nil {
			return err
		}
		var sink pulumi.CustomResourceState
		return ctx.RegisterResource(sinkType, "sink", pulumi.Map{
			"instanceRole": a.InstanceRoleARN, "instanceProfile": a.InstanceProfileARN, "instanceProfileName": a.InstanceProfileName,
			"serviceRole": a.ServiceRoleARN, "key": a.KeyARN, "preview": a.PreviewRoleARN, "up": a.UpRoleARN, "release": a.ReleaseRoleARN,
			"accessKeyId": a.AccessKeyID, "secretAccessKey": a.SecretAccessKey,
		}, &sink)
	}, options...))
	sink, ok := recorder.Named(sinkType, "sink")
	require.True(t, ok)
	return sink
}

func names(resources []infratest.Resource) (all []string) {
	for _, r := range resources {
		all = append(all, r.Name)
	}
	return all
}

// document is a policy as IAM reads it.
type document struct{ Statement []statement }

type statement struct {
	Effect    string
	Action    oneOrMore
	Resource  oneOrMore
	Principal map[string]oneOrMore
	Condition map[string]map[string]oneOrMore
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

func parse(t *testing.T, text string) (d document) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.NotEmpty(t, d.Statement)
	return d
}

// inline are the inline policies of each role, by the role's logical name.
func inline(recorder *infratest.Recorder) map[string][]string {
	all := map[string][]string{}
	for _, p := range recorder.OfType(inlineType) {
		role := strings.TrimSuffix(p.Text("role"), "-id")
		all[role] = append(all[role], p.Text("policy"))
	}
	return all
}

func TestTrustOfServices(t *testing.T) {
	for _, test := range []struct {
		regional bool
		service  string
	}{{false, "codedeploy.amazonaws.com"}, {true, "codedeploy.us-east-2.amazonaws.com"}} {
		var recorder infratest.Recorder
		declare(t, &recorder, complete(func(a *Args) { a.RegionalService = test.regional }))
		service, _ := recorder.Named(roleType, "example-prod-CodeDeploy")
		assert.Equal(t, []statement{{
			Effect: "Allow", Action: oneOrMore{"sts:AssumeRole"}, Principal: map[string]oneOrMore{"Service": {test.service}},
			Condition: map[string]map[string]oneOrMore{
				"StringEquals": {"aws:SourceAccount": {"123456789012"}},
				"StringLike":   {"aws:SourceArn": {"arn:aws:codedeploy:us-east-2:123456789012:deploymentgroup:example-prod/*"}},
			},
		}}, parse(t, service.Text("assumeRolePolicy")).Statement)
		_, limited := recorder.Named(inlineType, "example-prod-stay-in-region")
		assert.Equal(t, test.regional, limited)

		instance, _ := recorder.Named(roleType, "example-prod-ec2")
		assert.Equal(t, []statement{{
			Effect: "Allow", Action: oneOrMore{"sts:AssumeRole"}, Principal: map[string]oneOrMore{"Service": {"ec2.amazonaws.com"}},
		}}, parse(t, instance.Text("assumeRolePolicy")).Statement)
	}
}

func TestCodeDeployHasAWSsOwnPolicyAndPassesTheInstanceRole(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(nil))
	attached, ok := recorder.Named(attachmentType, "example-prod-CodeDeploy")
	require.True(t, ok)
	assert.Equal(t, "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole", attached.Text("policyArn"))

	policies := inline(&recorder)["example-prod-CodeDeploy"]
	require.Len(t, policies, 1)
	passing := slices.DeleteFunc(parse(t, policies[0]).Statement, func(s statement) bool { return !slices.Contains(s.Action, "iam:PassRole") })
	require.Len(t, passing, 1)
	assert.Equal(t, oneOrMore{sink.Text("instanceRole")}, passing[0].Resource)
	assert.Equal(t, map[string]map[string]oneOrMore{"StringEquals": {"iam:PassedToService": {"ec2.amazonaws.com"}}}, passing[0].Condition)
}

// Whoever uses a role through the component's outputs waits for what it may.
func TestUsersOfRolesWaitForPermissions(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(func(a *Args) { a.Logs = true }))
	waitsFor := func(r infratest.Resource, name string) bool {
		return slices.ContainsFunc(r.Dependencies, func(urn string) bool { return strings.HasSuffix(urn, "::"+name) })
	}
	profile, ok := recorder.Named("aws:iam/instanceProfile:InstanceProfile", "example-prod-ec2")
	require.True(t, ok)
	for _, permission := range []string{"read-parameters", "use-storage", "read-releases", "install-agent", "open-sessions", "write-logs"} {
		assert.True(t, waitsFor(profile, "example-prod-"+permission), permission)
	}
	assert.True(t, waitsFor(sink, "example-prod-copy-fleet"))
	assert.True(t, waitsFor(sink, "example-prod-CodeDeploy"))
}

func TestKey(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(nil))
	made := recorder.OfType("aws:kms/key:Key")
	require.Len(t, made, 1)
	assert.True(t, made[0].Value("enableKeyRotation").BoolValue())
	assert.Equal(t, 30.0, made[0].Value("deletionWindowInDays").NumberValue())
	alias := recorder.OfType("aws:kms/alias:Alias")
	require.Len(t, alias, 1)
	assert.Equal(t, "alias/example-prod-parameters", alias[0].Text("name"))
	assert.Equal(t, "example-prod-parameters-id", alias[0].Text("targetKeyId"))
	reading, _ := recorder.Named(inlineType, "example-prod-read-parameters")
	assert.Equal(t, oneOrMore{sink.Text("key")}, parse(t, reading.Text("policy")).Statement[1].Resource)

	var without infratest.Recorder
	sink = declare(t, &without, complete(func(a *Args) { a.CustomerManagedKey = false }))
	assert.Empty(t, without.OfType("aws:kms/key:Key"))
	assert.Empty(t, sink.Text("key"))
	reading, _ = without.Named(inlineType, "example-prod-read-parameters")
	assert.NotContains(t, reading.Text("policy"), "kms:")
}

func TestLogsAreOptional(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(nil))
	for _, text := range inline(&recorder)["example-prod-ec2"] {
		assert.NotContains(t, text, "logs:")
	}
}

func TestBoundaryIsOnEverybody(t *testing.T) {
	for _, ci := range []string{GitHub, Keys} {
		for _, want := range []string{"", boundary} {
			var recorder infratest.Recorder
			declare(t, &recorder, complete(func(a *Args) { a.CI, a.PermissionsBoundary = ci, want }))
			everybody := append(recorder.OfType(roleType), recorder.OfType(userType)...)
			require.GreaterOrEqual(t, len(everybody), 3)
			for _, r := range everybody {
				assert.Equal(t, want, r.Text("permissionsBoundary"), r.Name)
			}
		}
	}
}

func TestPreviewOfNothing(t *testing.T) {
	for _, ci := range []string{GitHub, Keys, None} {
		t.Run(ci, func(t *testing.T) {
			recorder := infratest.Recorder{Withhold: true}
			declare(t, &recorder, complete(func(a *Args) { a.CI, a.GitHub.CreateProvider, a.RegionalService = ci, true, true }), infratest.Preview)
			assert.NotEmpty(t, recorder.OfType(roleType))
		})
	}
}

func TestEverythingBelongsToTheComponent(t *testing.T) {
	for _, ci := range []string{GitHub, Keys} {
		var recorder infratest.Recorder
		declare(t, &recorder, complete(func(a *Args) { a.CI, a.GitHub.CreateProvider = ci, true }))
		for _, r := range recorder.Resources() {
			if r.Type != typeToken && r.Type != sinkType && !strings.HasPrefix(r.Type, "pulumi:") {
				assert.True(t, strings.HasSuffix(r.Parent, typeToken+"::example-prod"), "%s has parent %q", r.Name, r.Parent)
			}
		}
	}
}
