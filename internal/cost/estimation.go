package cost

import (
	"fmt"
	"strings"

	"bluegreen/internal/preview"
)

// estimation is one estimate being made.
type estimation struct {
	Estimator
	region    string
	resources []preview.State
}

// rule says what a resource is charged for.
type rule func(estimation, preview.State) []Line

// rules are those of the types that cost something, or may.
var rules = map[string]rule{
	fleetType:                     fleetLines,
	"aws:autoscaling/group:Group": groupLines,
	"aws:ec2/natGateway:NatGateway": func(e estimation, _ preview.State) []Line {
		return []Line{e.hourly("NAT gateway", "nat/hour", 1), unknown("NAT gateway, processed data", "by the GB, not estimated")}
	},
	"aws:ec2/eip:Eip": func(e estimation, _ preview.State) []Line {
		return []Line{e.hourly("public IPv4 address", "ipv4/address", 1)}
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint":                   endpointLines,
	"aws:lb/loadBalancer:LoadBalancer":                  loadBalancerLines,
	"aws:rds/instance:Instance":                         databaseLines,
	"aws:elasticache/replicationGroup:ReplicationGroup": cacheLines,
	"aws:s3/bucketV2:BucketV2":                          bucketLines,
	"aws:s3/bucket:Bucket":                              bucketLines,
	"aws:kms/key:Key":                                   keyLines,
	"aws:cloudwatch/logGroup:LogGroup":                  logLines,
	"aws:cloudwatch/metricAlarm:MetricAlarm":            alarmLines,
	"aws:route53/zone:Zone":                             zoneLines,
	"aws:sns/topic:Topic":                               topicLines,
	"aws:ssm/parameter:Parameter":                       parameterLines,
	"aws:secretsmanager/secret:Secret": func(e estimation, _ preview.State) []Line {
		return []Line{e.priced(Fixed, "secret", "secret/month", 1)}
	},
}

// lines are what a resource is charged for; one that says so where it is free or
// where nobody knows.
func (e estimation) lines(r preview.State) []Line {
	if of, known := rules[r.Type]; known {
		return of(e, r)
	}
	if why, free := freeOf(r.Type); free {
		return []Line{{What: short(r.Type), Kind: Free, Note: why}}
	}
	return []Line{unknown(short(r.Type), "nothing is known about this type")}
}

// priced is a quantity of an item at the table's price.
func (e estimation) priced(kind Kind, what, item string, quantity float64) Line {
	price, known := e.Table.price(e.region, item)
	if !known {
		return unknown(what, fmt.Sprintf("the price table has no %s for %s", item, e.place()))
	}
	if !(quantity >= 0 && quantity <= most) {
		return unknown(what, fmt.Sprintf("%g of it cannot be", quantity))
	}
	return Line{
		What: what, Kind: kind, Quantity: quantity, Unit: price.Unit, Price: price.USD,
		Monthly: cents(quantity * price.USD), Source: &price.Source,
	}
}

// hourly is a number of things that are charged by the hour.
func (e estimation) hourly(what, item string, count float64) Line {
	return e.priced(Fixed, what, item, count*HoursPerMonth)
}

func (e estimation) place() string {
	if e.region == "" {
		return "an unknown region"
	}
	return e.region
}

func unknown(what, why string) Line { return Line{What: what, Kind: Unknown, Note: why} }

// short is a type without its module: Subnet for aws:ec2/subnet:Subnet.
func short(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// at looks a value up: the input, or where that is unknown yet or left to the
// provider, the output. Steps are keys, and positions in lists.
func at(r preview.State, path ...any) (any, bool) {
	for _, values := range []map[string]any{r.Inputs, r.Outputs} {
		var value any = values
		for _, step := range path {
			value = inside(value, step)
		}
		if value != nil && preview.Known(value) {
			return value, true
		}
	}
	return nil, false
}

func inside(value, step any) any {
	switch v := value.(type) {
	case map[string]any:
		if key, ok := step.(string); ok {
			return v[key]
		}
	case []any:
		if position, ok := step.(int); ok && position < len(v) {
			return v[position]
		}
	}
	return nil
}

func text(r preview.State, path ...any) (string, bool) {
	value, _ := at(r, path...)
	found, ok := value.(string)
	return found, ok
}

func number(r preview.State, path ...any) (float64, bool) {
	value, _ := at(r, path...)
	found, ok := value.(float64)
	return found, ok
}

func yes(r preview.State, path ...any) bool {
	value, _ := at(r, path...)
	return value == true
}

// list is a list whose entries may be unknown in part.
func list(r preview.State, path ...any) []any {
	for _, values := range []map[string]any{r.Inputs, r.Outputs} {
		var value any = values
		for _, step := range path {
			value = inside(value, step)
		}
		if found, ok := value.([]any); ok {
			return found
		}
	}
	return nil
}
