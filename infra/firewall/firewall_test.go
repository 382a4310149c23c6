package firewall

import (
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func declare(recorder *infratest.Recorder, args Args) error {
	args.VPCID, args.Description = pulumi.String("vpc-1"), "A test"
	return recorder.Run(func(ctx *pulumi.Context) error {
		parent := &struct{ pulumi.ResourceState }{}
		if err := ctx.RegisterComponentResource("bluegreen:test:Parent", "parent", parent); err != nil {
			return err
		}
		_, err := New(ctx, "example-test", args, pulumi.Parent(parent))
		return err
	})
}

func TestSources(t *testing.T) {
	var recorder infratest.Recorder
	require.NoError(t, declare(&recorder, Args{IPv6: true, Ingress: []Ingress{
		{Key: "a", Description: "From a group", Port: 5432, Group: pulumi.String("sg-1")},
		{Key: "b", Description: "From everybody", Port: 80, CIDR: AnywhereIPv4},
		{Key: "c", Description: "From everybody", Port: 80, CIDR: AnywhereIPv6},
	}}))
	rules := recorder.OfType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
	require.Len(t, rules, 3)
	assert.Equal(t, "sg-1", rules[0].Text("referencedSecurityGroupId"))
	assert.Empty(t, rules[0].Text("cidrIpv4")+rules[0].Text("cidrIpv6"))
	assert.Equal(t, AnywhereIPv4, rules[1].Text("cidrIpv4"))
	assert.Equal(t, AnywhereIPv6, rules[2].Text("cidrIpv6"))
	assert.Len(t, recorder.OfType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"), 2)
}

// A rule must say where from: AWS would refuse one without a source only when
// everything else stands already.
func TestARuleHasOneSource(t *testing.T) {
	for _, in := range []Ingress{
		{Key: "none", Port: 80},
		{Key: "two", Port: 80, CIDR: AnywhereIPv4, Group: pulumi.String("sg-1")},
		{Key: "other", Port: 80, CIDR: "10.0.0.0/8"},
	} {
		var recorder infratest.Recorder
		err := declare(&recorder, Args{Ingress: []Ingress{in}})
		assert.ErrorContains(t, err, "example-test-"+in.Key+": want one source")
	}
}

func TestClients(t *testing.T) {
	clients := Clients{"worker": pulumi.String("sg-worker"), "web": pulumi.String("sg-web")}
	require.NoError(t, clients.Validate())
	assert.Equal(t, []Ingress{
		{Key: "web", Description: "Cache from web", Port: 6379, Group: pulumi.String("sg-web")},
		{Key: "worker", Description: "Cache from worker", Port: 6379, Group: pulumi.String("sg-worker")},
	}, clients.Ingress("Cache", 6379))
	require.EqualError(t, Clients{}.Validate(), "clients: want at least one security group that may connect, got none")
	require.EqualError(t, Clients{"b": nil, "a": nil, "c": pulumi.String("sg-1")}.Validate(),
		"clients.a: want a security group, got none\nclients.b: want a security group, got none")
}
