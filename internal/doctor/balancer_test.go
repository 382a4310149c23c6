package doctor

import (
	"strings"
	"testing"
)

// balancing is an account with a load balancer that is as Pulumi.prod.yaml wants
// it, and one instance.
func balancing() amazon {
	return amazon{
		"GetCallerIdentity":     identity(account12),
		"DescribeLoadBalancers": `<R><DescribeLoadBalancersResult><LoadBalancers><member><LoadBalancerArn>lb</LoadBalancerArn></member></LoadBalancers></DescribeLoadBalancersResult></R>`,
		"DescribeListeners": `<R><DescribeListenersResult><Listeners><member><Protocol>HTTP</Protocol></member><member><Protocol>HTTPS</Protocol>
			<Certificates><member><CertificateArn>cert</CertificateArn></member></Certificates></member></Listeners></DescribeListenersResult></R>`,
		"DescribeLoadBalancerAttributes": attributes("DescribeLoadBalancerAttributes", "idle_timeout.timeout_seconds", "60"),
		"DescribeTargetGroups":           `<R><DescribeTargetGroupsResult><TargetGroups><member><TargetGroupArn>tg</TargetGroupArn><HealthCheckPath>/healthz</HealthCheckPath></member></TargetGroups></DescribeTargetGroupsResult></R>`,
		"DescribeTargetGroupAttributes":  attributes("DescribeTargetGroupAttributes", "deregistration_delay.timeout_seconds", "60"),
		"DescribeTargetHealth": `<R><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>i-1</Id></Target>
			<TargetHealth><State>healthy</State></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult></R>`,
		"DescribeCertificate": `{"Certificate": {"Status": "ISSUED", "SubjectAlternativeNames": ["example.com", "www.example.com"], "NotAfter": 4102444800}}`,
		"GetDeploymentGroup": `{"deploymentGroupInfo": {"lastSuccessfulDeployment": {"deploymentId": "d-1"},
			"blueGreenDeploymentConfiguration": {"terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 10}}}}`,
	}
}

func attributes(call, key, value string) string {
	return "<R><" + call + "Result><Attributes><member><Key>" + key + "</Key><Value>" + value + "</Value></member></Attributes></" + call + "Result></R>"
}

func TestLoadBalancer(t *testing.T) {
	folder := checkout(t)
	for _, row := range []struct {
		check     string
		call      string // whose answer is another
		old, with string
		status    Status
		said      string
	}{
		{"certificate: names", "", "", "", OK, "issued for example.com, www.example.com"},
		{"certificate: names", "DescribeCertificate", `, "www.example.com"`, "", Failed, "the certificate is for example.com and not for www.example.com; run: pulumi up"},
		{"certificate: names", "DescribeCertificate", "ISSUED", "PENDING_VALIDATION", Failed, "the certificate is PENDING_VALIDATION; add the records in the output recordsToAddByHand"},
		{"certificate: names", "DescribeCertificate", "4102444800", "1000000000", Warning, "the certificate ends on 2001-09-09 and was not renewed"},
		{"certificate: names", "DescribeListeners", "HTTPS", "HTTP", Failed, "the load balancer has no HTTPS listener"},
		{"load balancer: times", "", "", "", OK, "idle timeout 60 s, deregistration delay 60 s, health check /healthz, termination wait 10 min, as configured"},
		{"load balancer: times", "DescribeLoadBalancerAttributes", ">60<", ">90<", Failed, "edge.idleTimeout is 90 at AWS and 60 in the configuration; run: pulumi up"},
		{"load balancer: times", "DescribeTargetGroupAttributes", ">60<", ">300<", Failed, "edge.deregistrationDelay is 300 at AWS"},
		{"load balancer: times", "DescribeTargetGroups", "/healthz", "/", Failed, "edge.healthCheckPath is / at AWS and /healthz"},
		{"load balancer: times", "GetDeploymentGroup", "10}", "5}", Failed, "release.terminationWaitMinutes is 5 at AWS and 10"},
		{"load balancer: instances", "", "", "", OK, "1 healthy"},
		{"load balancer: instances", "DescribeTargetHealth", "healthy", "unhealthy", Failed, "no healthy instance; i-1 is unhealthy"},
		{"load balancer: instances", "DescribeTargetHealth", "</TargetHealthDescriptions>", "<member><Target><Id>i-2</Id></Target><TargetHealth><State>initial</State></TargetHealth></member></TargetHealthDescriptions>", Warning, "1 healthy; i-2 is initial"},
	} {
		t.Run(row.check, func(t *testing.T) {
			answers := balancing()
			answers[row.call] = strings.Replace(answers[row.call], row.old, row.with, 1)
			expect(t, examineOne(t, Options{Root: folder, aws: at(t, answers), masked: made}, row.check), row.check, row.status, row.said)
		})
	}
}

// Before the first release no instance is healthy, and nothing is wrong.
func TestBeforeTheFirstRelease(t *testing.T) {
	answers := balancing()
	answers["DescribeTargetHealth"] = strings.Replace(answers["DescribeTargetHealth"], "healthy", "unhealthy", 1)
	answers["GetDeploymentGroup"] = `{"deploymentGroupInfo": {}}`
	expect(t, examineOne(t, Options{Root: checkout(t), aws: at(t, answers), masked: made}, "load balancer: instances"),
		"load balancer: instances", Warning, "no release yet: no healthy instance; i-1 is unhealthy; run: bluegreen release --stack prod")
}
