package edge

import (
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListeners(t *testing.T) {
	var recorder infratest.Recorder
	sink := declare(t, &recorder, complete(site(nil)))

	doors := recorder.OfType(listeners)
	require.Equal(t, []string{"example-prod-http", "example-prod-https"}, names(doors))
	assert.Equal(t, 80.0, doors[0].Value("port").NumberValue())
	assert.Equal(t, map[string]any{"type": "redirect", "redirect": map[string]any{
		"statusCode": "HTTP_301", "protocol": "HTTPS", "port": "443", "host": "#{host}", "path": "/#{path}", "query": "#{query}",
	}}, action(t, doors[0]))
	assert.Equal(t, 443.0, doors[1].Value("port").NumberValue())
	assert.Equal(t, "HTTPS", doors[1].Text("protocol"))
	assert.Equal(t, "ELBSecurityPolicy-TLS13-1-2-2021-06", doors[1].Text("sslPolicy"))
	assert.Equal(t, sink.Text("certificateArn"), doors[1].Text("certificateArn"))
	assert.Equal(t, map[string]any{"type": "forward", "targetGroupArn": sink.Text("targetGroupArn")}, action(t, doors[1]))
	assert.Empty(t, recorder.OfType("aws:lb/listenerRule:ListenerRule"))
}

func TestLoadBalancerAndTargetGroup(t *testing.T) {
	args := complete(site(func(s *Spec) { s.AccessLogs, s.IdleTimeout, s.SlowStart, s.DeregistrationDelay = true, 120, 30, 15 }))
	var recorder infratest.Recorder
	sink := declare(t, &recorder, args)

	balancer := recorder.OfType("aws:lb/loadBalancer:LoadBalancer")[0]
	assert.Equal(t, "example-prod-alb-01", balancer.Name)
	assert.Equal(t, "ipv4", balancer.Text("ipAddressType"))
	assert.False(t, balancer.Value("internal").BoolValue())
	assert.True(t, balancer.Value("dropInvalidHeaderFields").BoolValue())
	assert.Equal(t, 120.0, balancer.Value("idleTimeout").NumberValue())
	assert.Equal(t, map[string]any{"enabled": true, "bucket": "logs"}, balancer.Value("accessLogs").Mappable())

	target := recorder.OfType("aws:lb/targetGroup:TargetGroup")[0]
	assert.Equal(t, "example-prod-01", target.Name)
	assert.Equal(t, "instance", target.Text("targetType"))
	assert.Equal(t, "HTTP1", target.Text("protocolVersion"))
	assert.Equal(t, 30.0, target.Value("slowStart").NumberValue())
	assert.Equal(t, 15.0, target.Value("deregistrationDelay").NumberValue())
	assert.Equal(t, map[string]any{
		"enabled": true, "protocol": "HTTP", "path": "/healthz", "matcher": "200",
		"interval": 10.0, "timeout": 5.0, "healthyThreshold": 2.0, "unhealthyThreshold": 3.0,
	}, target.Value("healthCheck").Mappable())

	for _, output := range []string{"loadBalancerName", "loadBalancerArn", "loadBalancerArnSuffix", "targetGroupName", "targetGroupArn", "targetGroupArnSuffix", "securityGroupId"} {
		assert.NotEmpty(t, sink.Text(resource.PropertyKey(output)), output)
	}
}

// Two sites with long names still get two load balancers, with room for the
// random characters that Pulumi adds.
func TestNamesFit(t *testing.T) {
	seen := map[string]bool{}
	for _, prefix := range []string{"a-project-called-long-production-one", "a-project-called-long-production-two"} {
		var recorder infratest.Recorder
		require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
			_, err := New(ctx, prefix, complete(site(nil)))
			return err
		}))
		for _, token := range []string{"aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"} {
			name := recorder.OfType(token)[0].Name
			assert.LessOrEqual(t, len(name)+8, 32)
			assert.False(t, seen[name], "%s is there twice", name)
			seen[name] = true
		}
	}
}
