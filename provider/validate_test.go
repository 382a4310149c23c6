package provider

import (
	"fmt"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	many := make([]string, 41)
	for n := range many {
		many[n] = fmt.Sprintf("m%d.large", n)
	}
	for _, test := range []struct {
		name   string
		change map[string]any
		want   []string // property: reason
	}{
		{"as it is", nil, nil},
		{"lowest price", map[string]any{"spotAllocationStrategy": "lowest-price"}, nil},
		{"requests per target", map[string]any{"targetTracking": []any{map[string]any{
			"name": "requests", "metric": "ALBRequestCountPerTarget", "target": 100.0, "resourceLabel": "app/a/1/targetgroup/b/2",
		}}}, nil},
		{"key", map[string]any{"key": "web"}, []string{`key: want project/stack/name, got "web"`}},
		{"names", map[string]any{"application": "a/b", "deploymentGroup": strings.Repeat("g", 101)}, []string{
			`application: want letters, digits and ._+=,@- only, got "a/b"`,
			"deploymentGroup: want at most 100 characters (CodeDeploy quota), got 101",
		}},
		{"bootstrap name", map[string]any{"bootstrapName": "CodeDeploy_site_d-ABC123"}, []string{
			`bootstrapName: want at most 255 characters, no colon, and no name like CodeDeploy's own (CodeDeploy_GROUP_d-ID), got "CodeDeploy_site_d-ABC123"`,
		}},
		{"ids", map[string]any{"launchTemplateId": "web", "subnetIds": []any{}, "targetGroupArns": []any{"web"}}, []string{
			`launchTemplateId: want an id like lt-0123456789abcdef0, got "web"`,
			"subnetIds: want 1 to 1024, got 0",
			`targetGroupArns: [0]: want one like arn:aws:elasticloadbalancing:…:targetgroup/…, got "web"`,
		}},
		{"instance types", map[string]any{"instanceTypes": []any{"t3-micro", "t3.micro", "t3.micro"}}, []string{
			`instanceTypes: [0]: want one like t3.micro, got "t3-micro"`,
			`instanceTypes: [2]: "t3.micro" is listed twice; remove one`,
		}},
		{"too many types", map[string]any{"instanceTypes": anyList(many)}, []string{"instanceTypes: want 1 to 40, got 41"}},
		{"purchase", map[string]any{"onDemandPercentageAboveBaseCapacity": 101.0, "onDemandBaseCapacity": -1.0, "spotAllocationStrategy": "cheap", "spotInstancePools": 2.0}, []string{
			"onDemandBaseCapacity: want 0 or more, got -1",
			"onDemandPercentageAboveBaseCapacity: want 0 to 100, got 101",
			`spotAllocationStrategy: want one of price-capacity-optimized, lowest-price, capacity-optimized, capacity-optimized-prioritized, got "cheap"`,
			"spotInstancePools: goes with spotAllocationStrategy lowest-price only, which is cheap; remove one of them",
		}},
		{"pools", map[string]any{"spotAllocationStrategy": "lowest-price", "spotInstancePools": 21.0}, []string{"spotInstancePools: want 1 to 20, got 21"}},
		{"sizes", map[string]any{"minSize": 5.0, "desiredCapacity": 9.0}, []string{
			"minSize: 5 exceeds maxSize 4; raise the second or lower the first",
			"desiredCapacity: want minSize 5 to maxSize 4, got 9",
		}},
		{"health", map[string]any{"healthCheckType": "HTTP", "healthCheckGracePeriod": -1.0, "terminationPolicies": []any{"Newest"}}, []string{
			`healthCheckType: want EC2 or ELB, got "HTTP"`,
			"healthCheckGracePeriod: want at least 1 second, got -1",
			`terminationPolicies: [0]: want one of Default, AllocationStrategy, OldestLaunchTemplate, OldestLaunchConfiguration, ClosestToNextInstanceHour, NewestInstance, OldestInstance, or the ARN of a Lambda function, got "Newest"`,
		}},
		{"tags", map[string]any{"tags": map[string]any{"aws:x": "1", "bluegreen:fleet": "x", "long": strings.Repeat("v", 257)}}, []string{
			`tags: "aws:x": keys that begin with aws: are AWS's own; choose another`,
			"tags: bluegreen:fleet is the fleet's identity; set key instead",
			`tags: "long": want a value of at most 256 characters, got 257`,
		}},
		{"scaling", map[string]any{"targetTracking": []any{
			map[string]any{"name": "a", "metric": "Load", "target": 0.0},
			map[string]any{"name": "a", "metric": "ALBRequestCountPerTarget", "target": 1.0},
		}}, []string{
			`targetTracking: [0].metric: want one of ASGAverageCPUUtilization, ASGAverageNetworkIn, ASGAverageNetworkOut, ALBRequestCountPerTarget, got "Load"`,
			"targetTracking: [0].target: want more than 0, got 0",
			`targetTracking: [1].name: "a" is used twice; rename one`,
			`targetTracking: [1].resourceLabel: goes with metric ALBRequestCountPerTarget and no other; metric is ALBRequestCountPerTarget and resourceLabel ""`,
		}},
		{"schedules", map[string]any{"schedules": []any{
			map[string]any{"name": "", "recurrence": "daily", "timeZone": "Mars/Olympus"},
			map[string]any{"name": "b", "recurrence": "0 1 * * *", "minSize": 3.0, "maxSize": 2.0, "desiredCapacity": -1.0},
		}}, []string{
			"schedules: [0].name: want 1 to 255 characters, got 0",
			`schedules: [0].recurrence: want five cron fields like 0 8 * * 1-5, got "daily"`,
			`schedules: [0].timeZone: want an IANA name like Europe/Berlin, got "Mars/Olympus"`,
			"schedules: [0]: want minSize, maxSize or desiredCapacity, got none",
			"schedules: [1].desiredCapacity: want 0 or more, got -1",
			"schedules: [1].minSize: 3 exceeds maxSize 2; raise the second or lower the first",
		}},
		{"manners", map[string]any{"waitForDeployment": "soon", "copyLosses": "ignore"}, []string{
			`waitForDeployment: want a duration of 0s to 24h0m0s like 30m, got "soon"`,
			`copyLosses: want warn or repair, got "ignore"`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := start(t)
			checked, err := e.server.Check(p.CheckRequest{Urn: fleetURN, Inputs: program(test.change)})
			require.NoError(t, err)
			var got []string
			for _, failure := range checked.Failures {
				got = append(got, failure.Property+": "+failure.Reason)
			}
			assert.Equal(t, test.want, got)
			assert.Empty(t, e.cloud.calls)
			if test.want != nil {
				_, err := e.server.Create(p.CreateRequest{Urn: fleetURN, Properties: checked.Inputs})
				require.Error(t, err)
				assert.Empty(t, e.cloud.calls, "nothing is asked of AWS with wrong inputs")
			}
		})
	}
}

func anyList(all []string) []any {
	var list []any
	for _, one := range all {
		list = append(list, one)
	}
	return list
}

func TestWhatAPreviewDoesNotKnowIsNotWrong(t *testing.T) {
	e := start(t)
	inputs := program()
	for _, name := range []string{"launchTemplateId", "subnetIds", "targetGroupArns"} {
		inputs = inputs.Set(name, property.New(property.Computed))
	}
	checked, err := e.server.Check(p.CheckRequest{Urn: fleetURN, Inputs: inputs})
	require.NoError(t, err)
	assert.Empty(t, checked.Failures)
	assert.True(t, checked.Inputs.Get("subnetIds").HasComputed(), "%#v", checked.Inputs.Get("subnetIds"))
}

func TestMissingInputs(t *testing.T) {
	e := start(t)
	checked, err := e.server.Check(p.CheckRequest{Urn: fleetURN, Inputs: properties(map[string]any{"key": "site/prod/web"})})
	require.NoError(t, err)
	var missing []string
	for _, failure := range checked.Failures {
		missing = append(missing, failure.Property)
	}
	assert.ElementsMatch(t, []string{
		"application", "deploymentGroup", "launchTemplateId", "instanceTypes", "onDemandPercentageAboveBaseCapacity", "subnetIds", "minSize", "maxSize",
	}, missing)
}
