package balancer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// healthPath is where moto is told the health of targets
// (sandbox/emulator/motoserver/gaps_elbv2.py).
const healthPath = "/moto-api/target-health"

// elb is the emulated Elastic Load Balancing.
type elb struct {
	endpoint string
	pace     float64
	web      *http.Client
	client   *elasticloadbalancingv2.Client
}

func newELB(endpoint, region string, pace float64) *elb {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the user's web proxy is not for loopback
	web := &http.Client{Transport: transport, Timeout: time.Minute}
	return &elb{endpoint: endpoint, pace: pace, web: web, client: elasticloadbalancingv2.NewFromConfig(aws.Config{
		BaseEndpoint: &endpoint, Region: region, HTTPClient: web,
		Credentials: aws.CredentialsProviderFunc(emulatedCredentials),
		Retryer: func() aws.Retryer { // for an emulator that was told to throttle
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 5, 100*time.Millisecond })
		},
	})}
}

// emulatedCredentials are any: an emulator does not check them.
func emulatedCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "balancer", SecretAccessKey: "emulated"}, nil
}

// registered lists the targets of a target group that are neither draining nor
// stopped.
func (e *elb) registered(ctx context.Context, arn string) (map[string]registration, error) {
	out, err := e.client.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	found := map[string]registration{}
	for _, d := range out.TargetHealthDescriptions {
		if d.Target == nil || d.TargetHealth == nil {
			continue
		}
		switch d.TargetHealth.State {
		case elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthStateEnumUnused:
			continue
		}
		found[aws.ToString(d.Target.Id)] = registration{
			port:  uint16(aws.ToInt32(d.Target.Port)),
			shown: health{d.TargetHealth.State, d.TargetHealth.Reason, aws.ToString(d.TargetHealth.Description)},
		}
	}
	return found, nil
}

// tell makes the emulated Elastic Load Balancing answer these healths, by
// instance, for a target group; nil leaves it to itself again.
func (e *elb) tell(ctx context.Context, arn string, healths map[string]health) error {
	body, err := json.Marshal(map[string]map[string]health{arn: healths})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint+healthPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.web.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: want 200, got %s; is the emulated AWS of another version?", healthPath, response.Status)
	}
	return nil
}

// attributes are settings that AWS keeps as text.
type attributes map[string]string

func (e *elb) targetGroupAttributes(ctx context.Context, arn string) (attributes, error) {
	out, err := e.client.DescribeTargetGroupAttributes(ctx, &elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	found := attributes{}
	for _, a := range out.Attributes {
		found[aws.ToString(a.Key)] = aws.ToString(a.Value)
	}
	return found, nil
}

func (e *elb) loadBalancerAttributes(ctx context.Context, arn string) (attributes, error) {
	out, err := e.client.DescribeLoadBalancerAttributes(ctx, &elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil, err
	}
	found := attributes{}
	for _, a := range out.Attributes {
		found[aws.ToString(a.Key)] = aws.ToString(a.Value)
	}
	return found, nil
}

// seconds reads a time, zero where it is not set.
func (a attributes) seconds(key string) time.Duration {
	d, err := time.ParseDuration(strings.TrimSpace(a[key]) + "s")
	if err != nil {
		return 0
	}
	return d
}

// paced is a time of the load balancer's at its pace.
func (e *elb) paced(d time.Duration) time.Duration { return time.Duration(float64(d) * e.pace) }
