package edge

import (
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	records      = "aws:route53/record:Record"
	listeners    = "aws:lb/listener:Listener"
	ingressRules = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRules  = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	sinkType     = "test:index:Sink"
)

// complete is what the platform supplies for any Spec.
func complete(spec Spec) Args {
	return Args{
		Spec: spec, VPCID: pulumi.String("vpc-1"), ZoneID: "Z1", LogBucket: pulumi.String("logs"),
		SubnetIDs: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
	}
}

// declare runs the component, with its outputs as the inputs of a resource so
// that they are recorded too.
func declare(t *testing.T, recorder *infratest.Recorder, args Args, options ...pulumi.RunOption) infratest.Resource {
	t.Helper()
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		e, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		var sink pulumi.CustomResourceState
		return ctx.RegisterResource(sinkType, "sink", pulumi.Map{
			"loadBalancerName": e.LoadBalancerName, "loadBalancerArn": e.LoadBalancerARN, "loadBalancerArnSuffix": e.LoadBalancerARNSuffix,
			"dnsName": e.DNSName, "zoneId": e.ZoneID, "targetGroupName": e.TargetGroupName, "targetGroupArn": e.TargetGroupARN,
			"targetGroupArnSuffix": e.TargetGroupARNSuffix, "securityGroupId": e.SecurityGroupID, "certificateArn": e.CertificateARN,
			"nameServers": e.NameServers, "manualRecords": e.ManualRecords,
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

// action is the first default action of a listener.
func action(t *testing.T, listener infratest.Resource) map[string]any {
	t.Helper()
	actions := listener.Value("defaultActions").ArrayValue()
	require.Len(t, actions, 1)
	return actions[0].ObjectValue().Mappable()
}

func TestDomainInRoute53(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(site(func(s *Spec) { s.Names = []string{"*.example.com", "shop.example.com"} })))

	certificate, ok := recorder.Named("aws:acm/certificate:Certificate", "example-prod-certificate")
	require.True(t, ok)
	assert.Equal(t, "example.com", certificate.Text("domainName"))
	assert.Equal(t, []any{"www.example.com", "*.example.com", "shop.example.com"}, certificate.Value("subjectAlternativeNames").Mappable())
	assert.Equal(t, []string{
		"example-prod-alias-example.com", "example-prod-alias-shop.example.com", "example-prod-alias-www.example.com",
		"example-prod-validation-example.com", "example-prod-validation-shop.example.com", "example-prod-validation-www.example.com",
	}, names(recorder.OfType(records)), "the wildcard name shares the apex's proof and has no alias")
	for _, record := range recorder.OfType(records) {
		host := record.Name[strings.LastIndex(record.Name, "-")+1:]
		assert.Equal(t, "Z1", record.Text("zoneId"))
		assert.Equal(t, strings.Contains(record.Name, "-validation-"), record.Inputs.HasValue("allowOverwrite"), "only proofs are taken over")
		if strings.Contains(record.Name, "-validation-") {
			assert.Equal(t, "_validate."+host+".", record.Text("name"))
			assert.Equal(t, "CNAME", record.Text("type"))
		} else {
			assert.Equal(t, host, record.Text("name"))
			assert.Equal(t, "A", record.Text("type"))
			target := record.Value("aliases").ArrayValue()[0].ObjectValue()
			assert.Equal(t, sink.Text("dnsName"), target["name"].StringValue())
			assert.Equal(t, sink.Text("zoneId"), target["zoneId"].StringValue())
			assert.True(t, target["evaluateTargetHealth"].BoolValue())
		}
	}
	assert.Empty(t, sink.Value("manualRecords").ArrayValue())
	assert.Empty(t, sink.Value("nameServers").ArrayValue())
	assert.Empty(t, recorder.OfType("aws:route53/zone:Zone"))
}

func TestDomainElsewhere(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(site(func(s *Spec) { s.DNS = Manual })))

	assert.Empty(t, recorder.OfType(records))
	assert.Equal(t, []any{
		map[string]any{"name": "_validate.example.com.", "type": "CNAME", "value": "_answer.acm-validations.aws.",
			"purpose": "proves to AWS that example.com is yours; leave it, each renewal needs it"},
		map[string]any{"name": "_validate.www.example.com.", "type": "CNAME", "value": "_answer.acm-validations.aws.",
			"purpose": "proves to AWS that www.example.com is yours; leave it, each renewal needs it"},
		map[string]any{"name": "example.com", "type": "ALIAS", "value": sink.Text("dnsName"), "purpose": "leads visitors of example.com to the load balancer"},
		map[string]any{"name": "www.example.com", "type": "CNAME", "value": sink.Text("dnsName"), "purpose": "leads visitors of www.example.com to the load balancer"},
	}, sink.Value("manualRecords").Mappable())
}

func TestZoneOfOurOwn(t *testing.T) {
	for _, protect := range []bool{true, false} {
		var recorder infratest.Recorder
		sink := declare(t, &recorder, complete(site(func(s *Spec) { s.DNS, s.Protect = Create, protect })))

		zones := recorder.OfType("aws:route53/zone:Zone")
		require.Len(t, zones, 1)
		assert.Equal(t, "example.com", zones[0].Text("name"))
		assert.Equal(t, protect, zones[0].Protect)
		balancer := recorder.OfType("aws:lb/loadBalancer:LoadBalancer")[0]
		assert.Equal(t, protect, balancer.Value("enableDeletionProtection").BoolValue())
		for _, record := range recorder.OfType(records) {
			assert.Equal(t, "example-prod-zone-id", record.Text("zoneId"))
		}
		assert.Len(t, recorder.OfType(records), 4)
		assert.Equal(t, []any{"ns-1.awsdns-01.org", "ns-2.awsdns-02.com"}, sink.Value("nameServers").Mappable())
		purpose := "delegates example.com to Route 53; add all of them at the registrar or in the zone above"
		assert.Equal(t, []any{
			map[string]any{"name": "example.com", "type": "NS", "value": "ns-1.awsdns-01.org", "purpose": purpose},
			map[string]any{"name": "example.com", "type": "NS", "value": "ns-2.awsdns-02.com", "purpose": purpose},
		}, sink.Value("manualRecords").Mappable())
	}
}

func TestNameOfAnotherZone(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(site(func(s *Spec) { s.Names, s.Certificate = []string{"example.org"}, Await })))

	for _, name := range names(recorder.OfType(records)) {
		assert.NotContains(t, name, "example.org")
	}
	byHand := sink.Value("manualRecords").ArrayValue()
	require.Len(t, byHand, 2)
	assert.Equal(t, "_validate.example.org.", byHand[0].ObjectValue()["name"].StringValue())
	assert.Equal(t, "ALIAS", byHand[1].ObjectValue()["type"].StringValue())
	waiting := recorder.OfType("aws:acm/certificateValidation:CertificateValidation")[0]
	assert.False(t, waiting.Inputs.HasValue("validationRecordFqdns"), "the provider refuses a part of the records")
}

func TestDualStack(t *testing.T) {
	args := complete(site(nil))
	args.IPv6 = true
	var recorder infratest.Recorder
	declare(t, &recorder, args)

	assert.Equal(t, "dualstack", recorder.OfType("aws:lb/loadBalancer:LoadBalancer")[0].Text("ipAddressType"))
	kinds := map[string]int{}
	for _, record := range recorder.OfType(records) {
		kinds[record.Text("type")]++
	}
	assert.Equal(t, map[string]int{"A": 2, "AAAA": 2, "CNAME": 2}, kinds)
	assert.Equal(t, []string{"example-prod-WebAccess-out-ipv4", "example-prod-WebAccess-out-ipv6"}, names(recorder.OfType(egressRules)))
}

func TestFirewall(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(site(nil)))

	group := recorder.OfType("aws:ec2/securityGroup:SecurityGroup")
	require.Len(t, group, 1)
	assert.Regexp(t, `^[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]+$`, group[0].Text("description"), "EC2 takes no other character")
	assert.Equal(t, "example-prod-WebAccess", group[0].Value("tags").ObjectValue()["Name"].StringValue())

	got := map[string][2]float64{}
	for _, rule := range append(recorder.OfType(ingressRules), recorder.OfType(egressRules)...) {
		source := rule.Text("cidrIpv4") + rule.Text("cidrIpv6")
		require.NotEmpty(t, source, "%s has no source", rule.Name)
		assert.Regexp(t, `^[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]+$`, rule.Text("description"))
		if from := rule.Value("fromPort"); from.IsNumber() {
			got[rule.Name+" "+source] = [2]float64{from.NumberValue(), rule.Value("toPort").NumberValue()}
		} else {
			got[rule.Name+" "+source] = [2]float64{}
		}
	}
	assert.Equal(t, map[string][2]float64{
		"example-prod-WebAccess-http 0.0.0.0/0":     {80, 80},
		"example-prod-WebAccess-http-ipv6 ::/0":     {80, 80},
		"example-prod-WebAccess-https 0.0.0.0/0":    {443, 443},
		"example-prod-WebAccess-https-ipv6 ::/0":    {443, 443},
		"example-prod-WebAccess-out-ipv4 0.0.0.0/0": {},
	}, got)
}

func TestPreviewOfNothing(t *testing.T) {
	for _, dns := range []string{Lookup, Create, Manual} {
		for _, certificate := range []string{Await, Pending} {
			t.Run(dns+" "+certificate, func(t *testing.T) {
				args := complete(site(func(s *Spec) { s.DNS, s.Certificate, s.AccessLogs = dns, certificate, true }))
				args.IPv6 = true
				recorder := infratest.Recorder{Withhold: true}
				declare(t, &recorder, args, infratest.Preview)
				assert.Len(t, recorder.OfType("aws:lb/loadBalancer:LoadBalancer"), 1)
			})
		}
	}
}

func TestEverythingBelongsToTheComponent(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, complete(site(func(s *Spec) { s.DNS = Create })))
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != sinkType && !strings.HasPrefix(r.Type, "pulumi:") {
			assert.True(t, strings.HasSuffix(r.Parent, typeToken+"::example-prod"), "%s has parent %q", r.Name, r.Parent)
		}
	}
}

func TestBadArgsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{Spec: site(func(s *Spec) { s.AccessLogs, s.DNS, s.HealthCheckPath = true, Lookup, "" })})
		return err
	})
	require.ErrorContains(t, err, strings.Join([]string{
		`edge example-prod: healthCheckPath: want a path like /healthz of at most 128 letters, digits and _-./~, got ""`,
		"vpcId: required; pass the network's",
		"subnetIds: required; pass the network's",
		"zoneId: required when dns is lookup; look up the hosted zone example.com",
		"logBucket: required when accessLogs is true; pass the storage's",
	}, "\n"))
	assert.Empty(t, recorder.Resources())
}
