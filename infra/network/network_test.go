package network

import (
	"net/netip"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func declare(t *testing.T, recorder *infratest.Recorder, change func(*Spec), options ...pulumi.RunOption) {
	t.Helper()
	spec := Default()
	if change != nil {
		change(&spec)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{Spec: spec, Region: "us-east-2"})
		return err
	}, options...))
}

func TestSubnetForEachZone(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	want := map[string]string{"us-east-2a": "10.0.0.0/24", "us-east-2b": "10.0.1.0/24", "us-east-2c": "10.0.2.0/24"}
	got := map[string]string{}
	for _, subnet := range recorder.OfType("aws:ec2/subnet:Subnet") {
		got[subnet.Text("availabilityZone")] = subnet.Text("cidrBlock")
		assert.True(t, subnet.Value("mapPublicIpOnLaunch").BoolValue(), "instances have no other way out than a public address")
		assert.NotEmpty(t, subnet.Value("tags").ObjectValue()["Name"].StringValue())
	}
	assert.Equal(t, want, got)
	assert.Len(t, recorder.OfType("aws:ec2/routeTableAssociation:RouteTableAssociation"), 3)
}

func TestRoutes(t *testing.T) {
	for _, test := range []struct {
		name   string
		ipv6   bool
		routes int
	}{{"ipv4", false, 1}, {"dual-stack", true, 2}} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			declare(t, &recorder, func(s *Spec) { s.IPv6 = test.ipv6 })
			routes := recorder.OfType("aws:ec2/route:Route")
			require.Len(t, routes, test.routes)
			assert.Equal(t, "0.0.0.0/0", routes[0].Text("destinationCidrBlock"))
			for _, subnet := range recorder.OfType("aws:ec2/subnet:Subnet") {
				assert.Equal(t, test.ipv6, subnet.Text("ipv6CidrBlock") != "")
			}
		})
	}
}

func TestS3StaysInside(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	endpoints := recorder.OfType("aws:ec2/vpcEndpoint:VpcEndpoint")
	require.Len(t, endpoints, 1)
	assert.Equal(t, "com.amazonaws.us-east-2.s3", endpoints[0].Text("serviceName"))
	assert.Equal(t, "Gateway", endpoints[0].Text("vpcEndpointType"), "an interface endpoint costs money")
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, func(s *Spec) { s.IPv6 = true }, infratest.Preview)
	assert.Len(t, recorder.OfType("aws:ec2/subnet:Subnet"), 3)
}

func TestValidate(t *testing.T) {
	prefix := netip.MustParsePrefix
	for _, test := range []struct {
		name string
		spec Spec
		want string
	}{
		{"default", Default(), ""},
		{"smallest", Spec{CIDR: prefix("192.168.16.0/20"), Zones: []string{"h", "a"}}, ""},
		{"nothing at all", Spec{}, "cidr: want an IPv4 block like 10.0.0.0/16, got none\nzones: want at least 2 for a load balancer, got 0; add a letter"},
		{"host bits", Spec{CIDR: prefix("10.0.1.0/16"), Zones: []string{"a", "b"}}, "cidr: 10.0.1.0/16 has host bits set; write 10.0.0.0/16"},
		{"too small", Spec{CIDR: prefix("10.0.0.0/21"), Zones: []string{"a", "b"}}, "cidr: want /16 to /20, got /21; the VPC limit is /16 and eight /24 subnets need room"},
		{"too large", Spec{CIDR: prefix("10.0.0.0/8"), Zones: []string{"a", "b"}}, "cidr: want /16 to /20, got /8; the VPC limit is /16 and eight /24 subnets need room"},
		{"public", Spec{CIDR: prefix("8.8.0.0/16"), Zones: []string{"a", "b"}}, "cidr: 8.8.0.0/16 is not a private range (RFC 1918); use one inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"},
		{"ipv6", Spec{CIDR: prefix("fd00::/16"), Zones: []string{"a", "b"}}, "cidr: want an IPv4 block like 10.0.0.0/16, got fd00::/16"},
		{"not a letter", Spec{CIDR: prefix("10.0.0.0/16"), Zones: []string{"a", "us-east-2b"}}, `zones[1]: want a letter from a to h, got "us-east-2b"`},
		{"twice", Spec{CIDR: prefix("10.0.0.0/16"), Zones: []string{"a", "b", "a"}}, `zones[2]: "a" is listed twice; remove one`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.spec.Validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestBadSpecRegistersNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{Region: "us-east-2"})
		return err
	})
	require.ErrorContains(t, err, "network example-prod: cidr: want an IPv4 block")
	assert.Empty(t, recorder.Resources())
}
