package fleet

import (
	"encoding/base64"
	"errors"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	groupToken    = "aws:ec2/securityGroup:SecurityGroup"
	ingressToken  = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressToken   = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	templateToken = "aws:ec2/launchTemplate:LaunchTemplate"
)

func arguments() Args {
	return Args{
		Spec:                        Default(),
		ImageID:                     "ami-0123456789abcdef0",
		Region:                      "us-east-2",
		ParameterPath:               "/example/prod/",
		Services:                    "web worker beat",
		Tags:                        map[string]string{"Project": "example"},
		VPCID:                       pulumi.String("vpc-1"),
		LoadBalancerSecurityGroupID: pulumi.String("sg-alb"),
		InstanceProfileARN:          pulumi.String("arn:aws:iam::123456789012:instance-profile/example"),
	}
}

func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		f, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		ctx.Export("group", f.SecurityGroupID)
		ctx.Export("template", f.LaunchTemplateID)
		ctx.Export("name", f.LaunchTemplateName)
		return nil
	}, options...))
}

func TestOnlyTheLoadBalancerComesIn(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	group, ok := recorder.Named(groupToken, "example-prod-reverse-proxy")
	require.True(t, ok)
	assert.Equal(t, "vpc-1", group.Text("vpcId"))
	assert.False(t, group.Inputs.HasValue("ingress") || group.Inputs.HasValue("egress"), "rules are resources of their own")

	rules := recorder.OfType(ingressToken)
	require.Len(t, rules, 1)
	assert.Equal(t, "sg-alb", rules[0].Text("referencedSecurityGroupId"))
	assert.Equal(t, "tcp", rules[0].Text("ipProtocol"))
	assert.Equal(t, 80.0, rules[0].Value("fromPort").NumberValue())
	assert.Equal(t, 80.0, rules[0].Value("toPort").NumberValue())
	assert.False(t, rules[0].Inputs.HasValue("cidrIpv4") || rules[0].Inputs.HasValue("cidrIpv6"))
}

func TestWayOut(t *testing.T) {
	for _, test := range []struct {
		name string
		ipv6 bool
		want []string
	}{
		{"ipv4", false, []string{"0.0.0.0/0"}},
		{"dual-stack", true, []string{"0.0.0.0/0", "::/0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			declare(t, &recorder, func(a *Args) { a.IPv6 = test.ipv6 })
			var got []string
			for _, rule := range recorder.OfType(egressToken) {
				got = append(got, rule.Text("cidrIpv4")+rule.Text("cidrIpv6"))
				assert.NotEmpty(t, rule.Text("description"))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// Workers and beat connect to others; nobody connects to them.
func TestNobodyComesInWithoutWeb(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.Services, a.LoadBalancerSecurityGroupID = "worker worker@mail beat", nil })
	_, ok := recorder.Named(groupToken, "example-prod-instances")
	require.True(t, ok)
	assert.Empty(t, recorder.OfType(ingressToken))
	assert.Len(t, recorder.OfType(egressToken), 1)

	got := launchTemplate(t, &recorder)
	assert.Equal(t, "Initial server for example-prod: worker worker@mail beat.", got.Text("description"))
	assert.Equal(t, "example-prod-instances-id", got.Value("vpcSecurityGroupIds").ArrayValue()[0].StringValue())
	for _, specification := range got.Value("tagSpecifications").ArrayValue() {
		assert.Equal(t, "example-prod", specification.ObjectValue()["tags"].ObjectValue()["Name"].StringValue())
	}
	script, err := base64.StdEncoding.DecodeString(got.Text("userData"))
	require.NoError(t, err)
	assert.Contains(t, string(script), "\nSERVICES=\"worker worker@mail beat\"\n")
}

func launchTemplate(t *testing.T, recorder *infratest.Recorder) infratest.Resource {
	t.Helper()
	found, ok := recorder.Named(templateToken, "example-prod-MainLaunchTemplate")
	require.True(t, ok)
	return found
}

func TestLaunchTemplateIsClosed(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	got := launchTemplate(t, &recorder)

	metadata := got.Value("metadataOptions").ObjectValue()
	assert.Equal(t, "required", metadata["httpTokens"].StringValue())
	assert.Equal(t, 1.0, metadata["httpPutResponseHopLimit"].NumberValue())

	volume := got.Value("blockDeviceMappings").ArrayValue()[0].ObjectValue()["ebs"].ObjectValue()
	assert.Equal(t, "true", volume["encrypted"].StringValue())
	assert.Equal(t, "true", volume["deleteOnTermination"].StringValue())
	assert.Equal(t, "gp3", volume["volumeType"].StringValue())
	assert.Equal(t, 8.0, volume["volumeSize"].NumberValue())

	assert.False(t, got.Inputs.HasValue("keyName"), "no key pair unless asked for")
	assert.False(t, got.Inputs.HasValue("instanceMarketOptions"), "the group buys spot capacity, not the template")
}

func TestLaunchTemplate(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) {
		a.Spec.KeyName, a.VolumeSize, a.InstanceTypes = "mine", 20, []string{"t4g.small", "m7g.medium"}
	})
	got := launchTemplate(t, &recorder)
	assert.Equal(t, "t4g.small", got.Text("instanceType"))
	assert.Equal(t, "ami-0123456789abcdef0", got.Text("imageId"))
	assert.Equal(t, "mine", got.Text("keyName"))
	assert.Equal(t, "Initial webserver for example-prod.", got.Text("description"))
	assert.True(t, got.Value("updateDefaultVersion").BoolValue())
	assert.Equal(t, "arn:aws:iam::123456789012:instance-profile/example",
		got.Value("iamInstanceProfile").ObjectValue()["arn"].StringValue())
	assert.Equal(t, "example-prod-reverse-proxy-id", got.Value("vpcSecurityGroupIds").ArrayValue()[0].StringValue())

	script, err := base64.StdEncoding.DecodeString(got.Text("userData"))
	require.NoError(t, err)
	want, err := render(userData{Region: "us-east-2", ParameterPath: "/example/prod/", Services: "web worker beat"})
	require.NoError(t, err)
	assert.Equal(t, want, string(script))
}

func TestTagsReachWhatALaunchMakes(t *testing.T) {
	var recorder infratest.Recorder
	tags := map[string]string{"Project": "example", "Team": "web"}
	declare(t, &recorder, func(a *Args) { a.Tags = tags })

	var kinds []string
	for _, specification := range launchTemplate(t, &recorder).Value("tagSpecifications").ArrayValue() {
		object := specification.ObjectValue()
		kinds = append(kinds, object["resourceType"].StringValue())
		assert.Equal(t, resource.PropertyMap{
			"Name":    resource.NewStringProperty("example-prod-web"),
			"Project": resource.NewStringProperty("example"),
			"Team":    resource.NewStringProperty("web"),
		}, object["tags"].ObjectValue())
	}
	assert.Equal(t, []string{"instance", "network-interface", "volume"}, kinds)
	assert.Len(t, tags, 2, "the caller's tags stay as they were")
}

func TestEverythingHasTheComponentAsParent(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.IPv6 = true })
	for _, found := range recorder.Resources() {
		if found.Custom {
			assert.Contains(t, found.Parent, "::"+typeToken+"::example-prod", found.Name)
		}
	}
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, func(a *Args) { a.IPv6 = true }, infratest.Preview)
	assert.Len(t, recorder.OfType(templateToken), 1)
	assert.Len(t, recorder.OfType(egressToken), 2)
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"default", func(*Spec) {}, ""},
		{"Graviton", func(s *Spec) { s.InstanceTypes = []string{"t4g.micro", "m7g.medium", "a1.large"} }, ""},
		{"pinned image", func(s *Spec) { s.ImageID = "ami-1a2b3c4d" }, ""},
		{"scaled out", func(s *Spec) { s.MinSize, s.DesiredSize, s.MaxSize = 2, 3, 6 }, ""},
		{"no types", func(s *Spec) { s.InstanceTypes = nil }, "instanceTypes: want at least one, got none; add t3.micro"},
		{"not a type", func(s *Spec) { s.InstanceTypes = []string{"t3-micro"} }, `instanceTypes[0]: want a type like t3.micro, got "t3-micro"`},
		{"twice", func(s *Spec) { s.InstanceTypes = []string{"t3.micro", "t3.micro"} }, `instanceTypes[1]: "t3.micro" is listed twice; remove one`},
		{
			"two architectures", func(s *Spec) { s.InstanceTypes = []string{"t3.micro", "t4g.micro"} },
			"instanceTypes[1]: t4g.micro is arm64, but t3.micro is amd64; one image runs on one of them: choose types of one architecture",
		},
		{"old release", func(s *Spec) { s.Ubuntu = "20.04" }, `ubuntu: want one of 22.04, 24.04, 26.04, got "20.04"`},
		{"image name", func(s *Spec) { s.ImageID = "ubuntu" }, `imageId: want an id like ami-0123456789abcdef0, or nothing for the newest image; got "ubuntu"`},
		{"small volume", func(s *Spec) { s.VolumeSize = 7 }, "volumeSize: want 8 to 16384 GiB, got 7"},
		{"large volume", func(s *Spec) { s.VolumeSize = 16385 }, "volumeSize: want 8 to 16384 GiB, got 16385"},
		{"long key name", func(s *Spec) { s.KeyName = string(make([]byte, 256)) }, "keyName: want at most 255 characters, got 256"},
		{"desired above max", func(s *Spec) { s.DesiredSize = 2 }, "desiredSize: 2 exceeds maxSize 1; raise the second or lower the first"},
		{"desired left out", func(s *Spec) { s.MinSize, s.MaxSize = 2, 4 }, ""},
		{"desired below min", func(s *Spec) { s.MinSize, s.DesiredSize, s.MaxSize = 2, 1, 4 }, "desiredSize: 1 is below minSize 2; raise the first or lower the second"},
		{
			"min above max", func(s *Spec) { s.MinSize, s.DesiredSize = 3, 3 },
			"minSize: 3 exceeds maxSize 1; raise the second or lower the first\n" +
				"desiredSize: 3 exceeds maxSize 1; raise the second or lower the first",
		},
		{"all at once", func(s *Spec) { *s = Spec{} }, `instanceTypes: want at least one, got none; add t3.micro
ubuntu: want one of 22.04, 24.04, 26.04, got ""
volumeSize: want 8 to 16384 GiB, got 0
minSize: want at least 1, because a deployment needs a running instance; got 0
spotAllocationStrategy: want one of price-capacity-optimized, lowest-price, capacity-optimized, capacity-optimized-prioritized, got ""
spotInstancePools: want 1 to 20, got 0
healthCheckType: want EC2 or ELB, got ""
healthCheckGracePeriod: want 1 to 86400 seconds, got 0
terminationPolicies: want at least one, got none; Default is AWS's own
copyLosses: want warn or repair, got ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Default()
			test.change(&spec)
			err := spec.Validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		args Args
		want string
	}{
		{"nothing wired", Args{Spec: Default(), Services: "web"}, `fleet example-prod: imageId: required, got none
vpcId: required, got none
loadBalancerSecurityGroupId: required, got none
instanceProfileArn: required, got none`},
		{"no region, path or services", func() Args {
			a := arguments()
			a.Region, a.ParameterPath, a.Services = "", "example", "web  worker"
			return a
		}(),
			`fleet example-prod: region: want a region like us-east-2, got ""
parameterPath: want a path like /example/prod/, got "example"
services: want names like web worker@mail with a space between, got "web  worker"`},
		{"nothing to visit", func() Args { a := arguments(); a.Services = "worker"; return a }(),
			`fleet example-prod: loadBalancerSecurityGroupId: want none for services "worker", which no visitor comes to`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			var got error
			require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
				_, got = New(ctx, "example-prod", test.args)
				return nil
			}))
			require.EqualError(t, got, test.want)
			assert.Empty(t, recorder.Resources())
		})
	}
}

func TestRefusedRegistrationIsReported(t *testing.T) {
	for _, token := range []string{groupToken, ingressToken, egressToken, templateToken} {
		t.Run(token, func(t *testing.T) {
			refused := errors.New("refused by the test")
			recorder := infratest.Recorder{Fail: func(args pulumi.MockResourceArgs) error {
				if args.TypeToken == token {
					return refused
				}
				return nil
			}}
			err := recorder.Run(func(ctx *pulumi.Context) error {
				_, err := New(ctx, "example-prod", arguments())
				return err
			})
			assert.ErrorContains(t, err, refused.Error())
		})
	}
}
