package cost

import (
	"testing"

	"bluegreen/internal/preview"

	"github.com/stretchr/testify/assert"
)

func TestOtherServices(t *testing.T) {
	for _, test := range []struct {
		token   string
		inputs  map[string]any
		want    map[string]float64
		unknown int
	}{
		{"aws:ec2/natGateway:NatGateway", nil, map[string]float64{"NAT gateway": 32.85, "NAT gateway, processed data": 0}, 1}, // 730 x 0.045
		{"aws:ec2/eip:Eip", nil, map[string]float64{"public IPv4 address": 3.65}, 0},
		{"aws:ec2/vpcEndpoint:VpcEndpoint", map[string]any{"vpcEndpointType": "Gateway"}, map[string]float64{}, 0},
		{
			"aws:ec2/vpcEndpoint:VpcEndpoint", map[string]any{"vpcEndpointType": "Interface", "subnetIds": []any{unknownYet, "subnet-2"}},
			map[string]float64{"interface endpoint in 2 zones": 14.6, "interface endpoint, processed data": 0}, 1, // 2 x 730 x 0.01
		},
		{"aws:ec2/vpcEndpoint:VpcEndpoint", nil, map[string]float64{"endpoint": 0}, 1},
		{"aws:secretsmanager/secret:Secret", nil, map[string]float64{"secret": 0.4}, 0},
		{"aws:route53/zone:Zone", nil, map[string]float64{"hosted zone": 0.5, "queries": 0.04}, 0},
		{"aws:sns/topic:Topic", nil, map[string]float64{"notifications": 0}, 0},
		{"aws:ssm/parameter:Parameter", map[string]any{"tier": "Advanced"}, map[string]float64{"advanced parameter": 0.05}, 0},
		{"aws:ssm/parameter:Parameter", nil, map[string]float64{}, 0},
		{"aws:cloudwatch/metricAlarm:MetricAlarm", map[string]any{"metricName": "CPUUtilization"}, map[string]float64{"alarm on 1 metric": 0.1}, 0},
		{
			"aws:elasticache/replicationGroup:ReplicationGroup", map[string]any{"nodeType": "cache.t4g.small", "numCacheClusters": 2.0},
			map[string]float64{"2 x cache.t4g.small, redis": 46.72}, 0, // 2 x 730 x 0.032
		},
		{
			"aws:elasticache/replicationGroup:ReplicationGroup", map[string]any{"nodeType": "cache.t4g.small", "engine": "valkey", "numNodeGroups": 3.0},
			map[string]float64{"cache.t4g.small, valkey": 0}, 1,
		},
		{
			"aws:rds/instance:Instance", map[string]any{"engine": "postgres", "instanceClass": "db.t4g.micro", "allocatedStorage": 100.0, "storageType": "io1"},
			map[string]float64{"PostgreSQL db.t4g.micro, Single-AZ": 11.68, "100 GB of storage, io1, Single-AZ": 0, "backups beyond the size of the database": 0}, 1,
		},
		{"aws:lb/loadBalancer:LoadBalancer", map[string]any{"loadBalancerType": "network"}, map[string]float64{"load balancer": 0}, 1},
	} {
		e := Of([]preview.State{resource(test.token, "it", test.inputs)}, "us-east-1")
		assert.Equal(t, test.want, amounts(e, "it"), test.token)
		assert.Len(t, e.Unknown(), test.unknown, test.token)
	}
}

// An internal load balancer has no public address, and one whose subnets nobody
// knows has an unknown number of them.
func TestAddressesOfALoadBalancer(t *testing.T) {
	balancer := func(change map[string]any) Estimate {
		inputs := map[string]any{"loadBalancerType": "application", "subnets": []any{"a", "b"}, "ipAddressType": "dualstack"}
		for key, value := range change {
			inputs[key] = value
		}
		return Of([]preview.State{resource("aws:lb/loadBalancer:LoadBalancer", "alb", inputs)}, "us-east-1")
	}
	assert.Contains(t, amounts(balancer(nil), "alb"), "2 x public IPv4 address, one for each zone")
	assert.Len(t, balancer(map[string]any{"internal": true}).Lines, 4)
	assert.Len(t, balancer(map[string]any{"ipAddressType": "dualstack-without-public-ipv4"}).Lines, 4)
	assert.Len(t, balancer(map[string]any{"subnets": unknownYet}).Unknown(), 1)
}
