package cost

import (
	"path/filepath"
	"testing"
	"time"

	"bluegreen/internal/preview"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unknownYet = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// real is what the stack of a real file would consist of; ./sandbox keeps these
// digests as they are.
func real(t *testing.T, stack string) preview.Digest {
	t.Helper()
	digest, err := preview.ParseFile(filepath.Join("testdata", stack+".json"))
	require.NoError(t, err)
	return digest
}

// resource is a resource of a stack of its own.
func resource(token, name string, inputs map[string]any) preview.State {
	return preview.State{
		URN: urn.URN("urn:pulumi:test::bluegreen::" + token + "::" + name), Type: token, ID: name, Custom: true, Inputs: inputs,
	}
}

// amounts are what the lines of a resource say, by their text.
func amounts(e Estimate, name string) map[string]float64 {
	found := map[string]float64{}
	for _, line := range e.Lines {
		if line.Resource == name && line.Kind != Free {
			found[line.What] = line.Monthly
		}
	}
	return found
}

// Hours are 730; each amount is the product in its comment, to the cent.
func TestProductionByHand(t *testing.T) {
	e := Of(real(t, "prod").After(), "")
	assert.Equal(t, "prod", e.Stack)
	assert.Equal(t, "us-east-2", e.Region)
	assert.Equal(t, map[string]float64{
		"application load balancer":                  16.43, // 730 x 0.0225 = 16.425
		"3 x public IPv4 address, one for each zone": 10.95, // 3 x 730 x 0.005
		"0.1 capacity units":                         0.58,  // 0.1 x 730 x 0.008 = 0.584
		"traffic to the internet":                    4.5,   // 50 x 0.09
		"traffic between zones, both directions":     0.4,   // 2 x 20 x 0.01
	}, amounts(e, "example-prod-alb-01"))
	assert.Equal(t, map[string]float64{
		"PostgreSQL db.t4g.small, Multi-AZ":       47.45, // 730 x 0.065
		"20 GB of storage, gp3, Multi-AZ":         4.6,   // 20 x 0.23
		"backups beyond the size of the database": 0,     // none assumed
		"logs sent to CloudWatch":                 1,     // 2 x 0.5
	}, amounts(e, "example-prod-database-01"))
	assert.Equal(t, map[string]float64{
		"2 x t3.small or t3a.small, spot":         12.15, // 2 x 730 x 0.0208 x 0.4 = 12.147
		"2 x public IPv4 address":                 7.3,   // 2 x 730 x 0.005
		"2 x 8 GB volume, gp3":                    1.28,  // 16 x 0.08
		"the fleet a second time during releases": 0.14,  // 20 x 15 / 60 = 5 hours of (12.15 + 7.30 + 1.28) / 730
	}, amounts(e, "example-prod-fleet"))
	assert.Equal(t, map[string]float64{
		"1 x cache.t4g.micro, valkey": 9.34, // 730 x 0.0128 = 9.344
		"backups":                     0.04, // 0.5 x 0.085
	}, amounts(e, "example-prod-cache-01"))
	assert.Equal(t, map[string]float64{"alarm on 2 metrics": 0.2}, amounts(e, "example-prod-target-5xx"))
	assert.Equal(t, map[string]float64{"encryption key": 1, "requests": 0.03}, amounts(e, "example-prod-parameters"))
	assert.Equal(t, map[string]float64{"storage, Standard class": 0.12, "write requests; reads cost a twelfth": 0.05}, amounts(e, "example-prod-storage"))

	assert.InDelta(t, e.Total(), e.Of(Fixed)+e.Of(Spot)+e.Of(ByUse), 0.001)
	// 2 x 730 x 0.0208 = 30.37 in place of 12.15, and 5 hours of that difference.
	assert.InDelta(t, e.Total()+30.37-12.15+0.13, e.Ceiling(), 0.011)
	assert.Equal(t, "$"+"119.16", e.Sum())
	assert.Empty(t, e.Unknown())
	assert.NotEmpty(t, e.Oldest())
	assert.False(t, e.Oldest().After(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)))
}

func TestEveryTypeOfTheRealStacksIsKnown(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "sandbox"} {
		for _, region := range []string{"us-east-1", "us-east-2"} {
			e := Of(real(t, stack).After(), region)
			assert.Empty(t, e.Unknown(), "%s in %s", stack, region)
			for _, line := range e.Lines {
				if line.Kind == Free {
					assert.NotEmpty(t, line.Note, line.Type)
				}
			}
		}
	}
}

func TestStagingIsSmaller(t *testing.T) {
	staging, prod := Of(real(t, "staging").After(), ""), Of(real(t, "prod").After(), "")
	d := Difference(prod, staging)
	assert.Negative(t, d.Delta())
	assert.InDelta(t, staging.Total()-prod.Total(), d.Delta(), 0.001)
	sum := 0.0
	for _, change := range d.Changes {
		sum += change.Delta()
	}
	assert.InDelta(t, d.Delta(), sum, 0.011, "the changes are the whole difference")
	assert.Equal(t, "example-database-01", d.Changes[0].Resource, "the same role in both stacks")
	assert.NotZero(t, d.Changes[0].Before)
	assert.NotZero(t, d.Changes[0].After)
	assert.Empty(t, Difference(prod, prod).Changes)
}

func TestWhatIsNotInTheTableIsUnknown(t *testing.T) {
	for _, test := range []struct {
		name      string
		resources []preview.State
		region    string
		what, why string
	}{
		{
			"type", []preview.State{resource("aws:sqs/queue:Queue", "jobs", nil)}, "us-east-1",
			"Queue", "nothing is known about this type",
		},
		{
			"region", []preview.State{resource("aws:lb/loadBalancer:LoadBalancer", "alb", map[string]any{"loadBalancerType": "application", "internal": true})},
			"eu-central-1", "application load balancer", "the price table has no alb/hour for eu-central-1",
		},
		{
			"no region", []preview.State{resource("aws:kms/key:Key", "key", nil)}, "",
			"encryption key", "the price table has no kms/key for an unknown region",
		},
		{
			"instance class", []preview.State{resource("aws:rds/instance:Instance", "db", map[string]any{"engine": "postgres", "instanceClass": "db.r8g.large"})},
			"us-east-1", "PostgreSQL db.r8g.large, Single-AZ", "the price table has no rds/db.r8g.large for us-east-1",
		},
		{
			"engine", []preview.State{resource("aws:rds/instance:Instance", "db", map[string]any{"engine": "mysql", "instanceClass": "db.t4g.micro", "multiAz": true})},
			"us-east-1", "db.t4g.micro, Multi-AZ", `engine "mysql"; only postgres is in the price table`,
		},
		{
			"instance type", []preview.State{fleet(map[string]any{"instanceTypes": []any{"t3.micro", "x9.huge"}})},
			"us-east-1", "2 x t3.micro or x9.huge, on demand", "the price table has no ec2/x9.huge for us-east-1",
		},
		{
			"sizes", []preview.State{fleet(map[string]any{"minSize": unknownYet})},
			"us-east-1", "instances", "sizes or on-demand percentage are not known yet",
		},
		{
			"tier", []preview.State{resource("aws:ssm/parameter:Parameter", "p", map[string]any{"tier": "Intelligent-Tiering"})},
			"us-east-1", "parameter", "of tier Intelligent-Tiering: its size decides",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := Of(test.resources, test.region)
			var found []string
			for _, line := range e.Unknown() {
				assert.Zero(t, line.Monthly)
				found = append(found, line.What+": "+line.Note)
			}
			assert.Contains(t, found, test.what+": "+test.why)
			assert.Contains(t, e.Sum(), "at least $", "not a total")
		})
	}
}

// fleet is a fleet of two instances on demand, but for what is given.
func fleet(change map[string]any) preview.State {
	inputs := map[string]any{
		"instanceTypes": []any{"t3.micro"}, "minSize": 2.0, "maxSize": 2.0, "onDemandPercentageAboveBaseCapacity": 100.0, "launchTemplateId": "lt-1",
	}
	for key, value := range change {
		inputs[key] = value
	}
	return resource(fleetType, "fleet", inputs)
}

// around is what a fleet needs to be priced.
func around(volumes ...any) []preview.State {
	template := resource(templateType, "lt-1", map[string]any{"blockDeviceMappings": volumes})
	return []preview.State{template, resource(subnetType, "subnet", map[string]any{"mapPublicIpOnLaunch": true})}
}

func volume(size float64, kind string) map[string]any {
	return map[string]any{"ebs": map[string]any{"volumeSize": size, "volumeType": kind}}
}

func TestHowAFleetIsBought(t *testing.T) {
	for _, test := range []struct {
		name   string
		change map[string]any
		want   map[string]float64
	}{
		{"on demand", nil, map[string]float64{"2 x t3.micro, on demand": 15.18}}, // 2 x 730 x 0.0104 = 15.184
		{"desired", map[string]any{"desiredCapacity": 3.0}, map[string]float64{"3 x t3.micro, on demand": 22.78}},
		{
			"half", map[string]any{"minSize": 3.0, "onDemandPercentageAboveBaseCapacity": 50.0},
			// Half of three is two on demand; 730 x 0.0104 x 0.4 = 3.0368 for the other.
			map[string]float64{"2 x t3.micro, on demand": 15.18, "1 x t3.micro, spot": 3.04},
		},
		{
			"base", map[string]any{"minSize": 3.0, "onDemandBaseCapacity": 1.0, "onDemandPercentageAboveBaseCapacity": 0.0},
			map[string]float64{"1 x t3.micro, on demand": 7.59, "2 x t3.micro, spot": 6.07},
		},
		{
			"the dearest type", map[string]any{"instanceTypes": []any{"t3a.micro", "t2.micro", "t3.micro"}},
			map[string]float64{"2 x t3a.micro or t2.micro or t3.micro, on demand": 16.94}, // 2 x 730 x 0.0116 = 16.936
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := Of(append(around(volume(8, "gp3")), fleet(test.change)), "us-east-1")
			got := amounts(e, "fleet")
			for what, amount := range test.want {
				assert.InDelta(t, amount, got[what], 0.001, what)
			}
			assert.Len(t, got, len(test.want)+2, "and addresses and volumes")
			assert.Empty(t, e.Unknown())
		})
	}
}

func TestSpotHasACeiling(t *testing.T) {
	inputs := map[string]any{"onDemandPercentageAboveBaseCapacity": 0.0, "maxSize": 5.0}
	usage := Assumed()
	usage.SpotDiscount = 0
	dear := Estimator{Table: Prices(), Usage: usage}.Of(append(around(volume(8, "gp3")), fleet(inputs)), "us-east-1")
	assert.InDelta(t, dear.Ceiling(), dear.Total(), 0.001)
	cheap := Of(append(around(volume(8, "gp3")), fleet(inputs)), "us-east-1")
	assert.InDelta(t, dear.Total(), cheap.Ceiling(), 0.001)
	assert.InDelta(t, 6.07, cheap.Of(Spot), 0.001) // 15.184 x 0.4
	assert.Contains(t, cheap.Lines[1].Note+cheap.Lines[0].Note, "scaling may run up to 5 instances")
}

// An ordinary group, as Celery's, is not doubled at a release.
func TestAnOrdinaryGroup(t *testing.T) {
	group := resource("aws:autoscaling/group:Group", "worker", map[string]any{
		"minSize": 1.0, "maxSize": 4.0,
		"mixedInstancesPolicy": map[string]any{
			"instancesDistribution": map[string]any{"onDemandBaseCapacity": 1.0, "onDemandPercentageAboveBaseCapacity": 0.0},
			"launchTemplate": map[string]any{
				"launchTemplateSpecification": map[string]any{"launchTemplateId": unknownYet},
				"overrides":                   []any{map[string]any{"instanceType": "t4g.small"}},
			},
		},
	})
	there := around(volume(20, "gp2"))
	group.PropertyDependencies = map[string][]urn.URN{"mixedInstancesPolicy": {there[0].URN}}
	e := Of(append(there, group), "us-east-1")
	assert.Equal(t, map[string]float64{
		"1 x t4g.small, on demand": 12.26, // 730 x 0.0168 = 12.264
		"1 x public IPv4 address":  3.65,
		"1 x 20 GB volume, gp2":    2,
	}, amounts(e, "worker"))
}

func TestInstancesWithoutTheirSurroundings(t *testing.T) {
	e := Of([]preview.State{fleet(nil)}, "us-east-1")
	assert.Len(t, e.Unknown(), 2, "addresses and volumes may cost")
	private := around(volume(8, "gp3"))
	private[1].Inputs["mapPublicIpOnLaunch"] = false
	e = Of(append(private, fleet(nil)), "us-east-1")
	assert.Empty(t, e.Unknown())
	assert.NotContains(t, amounts(e, "fleet"), "2 x public IPv4 address")
}

func TestWhatIsNotOursOrNotThereIsNotCounted(t *testing.T) {
	key := resource("aws:kms/key:Key", "key", nil)
	gone, others, component := key, key, key
	gone.Delete, others.External, component.Custom = true, true, false
	assert.Empty(t, Of([]preview.State{gone, others, component}, "us-east-1").Lines)
	assert.Len(t, Of([]preview.State{key}, "us-east-1").Lines, 2)
}
