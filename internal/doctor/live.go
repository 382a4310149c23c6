package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// live is what the load balancer really has and does.
func live() []check {
	atAWS := []need{online, settings, signedIn, up}
	return []check{
		{"certificate: names", atAWS, checkCertificate},
		{"load balancer: times", atAWS, checkTimes},
		{"load balancer: instances", atAWS, checkTargets},
		{"health: site", []need{online, settings, up}, checkSite},
	}
}

// balancer is the load balancer and its target group.
type balancer struct {
	client      *elasticloadbalancingv2.Client
	certificate string // ARN, of the listener on 443
	group       string // ARN of the target group
	healthPath  string
	idle        string // seconds, as the attributes say
	drain       string
}

// readBalancer finds them by the names in the stack's outputs.
func (p *patient) readBalancer(ctx context.Context) (b balancer, err error) {
	account, err := p.account()
	if err != nil {
		return b, err
	}
	outputs, err := p.outputs()
	if err != nil {
		return b, err
	}
	name, _ := outputs["loadBalancerName"].(string)
	group, _ := outputs["targetGroupName"].(string)
	b.client = elasticloadbalancingv2.NewFromConfig(account)
	found, err := b.client.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{Names: []string{name}})
	if err != nil {
		return b, plain(err)
	}
	if len(found.LoadBalancers) != 1 {
		return b, fmt.Errorf("load balancer %s: not there", name)
	}
	arn := found.LoadBalancers[0].LoadBalancerArn
	listeners, err := b.client.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: arn})
	if err != nil {
		return b, plain(err)
	}
	for _, listener := range listeners.Listeners {
		if listener.Protocol == elbtypes.ProtocolEnumHttps && len(listener.Certificates) > 0 {
			b.certificate = aws.ToString(listener.Certificates[0].CertificateArn)
		}
	}
	attributes, err := b.client.DescribeLoadBalancerAttributes(ctx, &elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: arn})
	if err != nil {
		return b, plain(err)
	}
	for _, a := range attributes.Attributes {
		if aws.ToString(a.Key) == "idle_timeout.timeout_seconds" {
			b.idle = aws.ToString(a.Value)
		}
	}
	return b, b.readGroup(ctx, group)
}

func (b *balancer) readGroup(ctx context.Context, name string) error {
	found, err := b.client.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: []string{name}})
	if err != nil {
		return plain(err)
	}
	if len(found.TargetGroups) != 1 {
		return fmt.Errorf("target group %s: not there", name)
	}
	b.group, b.healthPath = aws.ToString(found.TargetGroups[0].TargetGroupArn), aws.ToString(found.TargetGroups[0].HealthCheckPath)
	attributes, err := b.client.DescribeTargetGroupAttributes(ctx, &elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(b.group)})
	if err != nil {
		return plain(err)
	}
	for _, a := range attributes.Attributes {
		if aws.ToString(a.Key) == "deregistration_delay.timeout_seconds" {
			b.drain = aws.ToString(a.Value)
		}
	}
	return nil
}

// renewal is how long before its end AWS has renewed a certificate (AWS
// Certificate Manager User Guide, "Managed certificate renewal": 60 days before).
const renewal = 30 * 24 * time.Hour

func checkCertificate(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	b, err := p.balancer()
	switch {
	case err != nil:
		return fault(err, "run: pulumi up")
	case b.certificate == "":
		return failed("the load balancer has no HTTPS listener", "see that the certificate is issued, set edge.certificate to await, then pulumi up")
	}
	account, err := p.account()
	if err != nil {
		return notChecked(err)
	}
	answer, err := acm.NewFromConfig(account).DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(b.certificate)})
	if err != nil {
		return fault(plain(err), "run: pulumi up")
	}
	certificate := answer.Certificate
	if missing := difference(append(found.Edge.Hosts(), found.Edge.Names...), certificate.SubjectAlternativeNames); len(missing) > 0 {
		return failed(fmt.Sprintf("the certificate is for %s and not for %s", strings.Join(certificate.SubjectAlternativeNames, ", "), strings.Join(missing, ", ")), "run: pulumi up")
	}
	if certificate.Status != acmtypes.CertificateStatusIssued {
		return failed(fmt.Sprintf("the certificate is %s", certificate.Status), "add the records in the output recordsToAddByHand, see dns: delegation, and wait for AWS to find them")
	}
	if certificate.NotAfter != nil && time.Until(*certificate.NotAfter) < renewal {
		return warning(fmt.Sprintf("the certificate ends on %s and was not renewed", certificate.NotAfter.Format(time.DateOnly)), "see that its validation records are still in DNS: AWS renews only then")
	}
	return ok("issued for %s", strings.Join(certificate.SubjectAlternativeNames, ", "))
}

// checkTimes compares the times that AWS has with the configuration's, by which
// the other timers were checked.
func checkTimes(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	b, err := p.balancer()
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	account, err := p.account()
	if err != nil {
		return notChecked(err)
	}
	site := found.Site()
	group, err := codedeploy.NewFromConfig(account).GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String(site.Application()), DeploymentGroupName: aws.String(site.DeploymentGroup()),
	})
	if err != nil {
		return fault(plain(err), "run: pulumi up")
	}
	wait := found.Release.TerminationWaitMinutes // in mode pair the release command counts
	if c := group.DeploymentGroupInfo.BlueGreenDeploymentConfiguration; c != nil && c.TerminateBlueInstancesOnDeploymentSuccess != nil && found.Release.Mode == "copy" {
		wait = int(c.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes)
	}
	var differ []string
	for _, one := range []struct{ name, got, want string }{
		{"edge.idleTimeout", b.idle, strconv.Itoa(found.Edge.IdleTimeout)},
		{"edge.deregistrationDelay", b.drain, strconv.Itoa(found.Edge.DeregistrationDelay)},
		{"edge.healthCheckPath", b.healthPath, found.Edge.HealthCheckPath},
		{"release.terminationWaitMinutes", strconv.Itoa(wait), strconv.Itoa(found.Release.TerminationWaitMinutes)},
	} {
		if one.got != one.want {
			differ = append(differ, fmt.Sprintf("%s is %s at AWS and %s in the configuration", one.name, one.got, one.want))
		}
	}
	if len(differ) > 0 {
		return failed(strings.Join(differ, "; "), "run: pulumi up")
	}
	return ok("idle timeout %s s, deregistration delay %s s, health check %s, termination wait %d min, as configured", b.idle, b.drain, b.healthPath, wait)
}

func checkTargets(ctx context.Context, p *patient) Finding {
	b, err := p.balancer()
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	answer, err := b.client.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(b.group)})
	if err != nil {
		return fault(plain(err), "")
	}
	healthy, states := 0, []string{}
	for _, target := range answer.TargetHealthDescriptions {
		if target.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			healthy++
			continue
		}
		states = append(states, fmt.Sprintf("%s is %s %s", aws.ToString(target.Target.Id), target.TargetHealth.State, target.TargetHealth.Reason))
	}
	slices.Sort(states)
	switch {
	case healthy == 0:
		return failed(strings.Join(append([]string{"no healthy instance"}, states...), "; "), "before the first release this is as it should be; else see docs/troubleshooting.md")
	case len(states) > 0:
		return warning(fmt.Sprintf("%d healthy; %s", healthy, strings.Join(states, "; ")), "during a release this is as it should be")
	}
	return ok("%d healthy", healthy)
}

// answerTime is how long the site may take to answer.
const answerTime = 10 * time.Second

// checkSite asks the load balancer for the health path, with each name of the
// site, which nginx has to know.
func checkSite(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	outputs, _ := p.outputs()
	address, _ := outputs["loadBalancerDnsName"].(string)
	if p.Site == "" && emulated() {
		return notChecked(errors.New("the emulated load balancer answers nobody; with machines, name its address with --site-url"))
	}
	var problems []string
	for _, host := range found.Edge.Hosts() {
		if err := p.ask(ctx, host, address, found.Edge.HealthCheckPath); err != nil {
			problems = append(problems, fmt.Sprintf("https://%s%s: %s", host, found.Edge.HealthCheckPath, oneLine(err)))
		}
	}
	if len(problems) > 0 {
		return failed(strings.Join(problems, "; "), "before the first release 503 is as it should be; else see docs/troubleshooting.md")
	}
	return ok("%s answers 200 for %s", found.Edge.HealthCheckPath, strings.Join(found.Edge.Hosts(), ", "))
}

// ask gets a path of host from the load balancer, or from Options.Site.
func (p *patient) ask(ctx context.Context, host, balancer, path string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	site := "https://" + host
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(balancer, "443"))
		},
	}
	if p.Site != "" {
		site, transport = p.Site, &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	}
	place, err := url.JoinPath(site, path)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, http.NoBody)
	if err != nil {
		return err
	}
	request.Host = host
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), `Get "`+place+`": `))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("want 200, got %d", answer.StatusCode)
	}
	return nil
}
