package cost

import (
	"fmt"

	"bluegreen/internal/preview"
)

func loadBalancerLines(e estimation, r preview.State) []Line {
	if kind, _ := text(r, "loadBalancerType"); kind != "application" {
		return []Line{unknown("load balancer", fmt.Sprintf("of type %q; only application is known", kind))}
	}
	lines := []Line{
		e.hourly("application load balancer", "alb/hour", 1),
		e.priced(ByUse, fmt.Sprintf("%g capacity units", e.Usage.LoadBalancerUnits), "alb/unit", e.Usage.LoadBalancerUnits*HoursPerMonth),
		e.priced(ByUse, "traffic to the internet", "transfer/out", e.Usage.TrafficGB),
		e.priced(ByUse, "traffic between zones, both directions", "transfer/zone", 2*e.Usage.ZoneGB),
	}
	family, _ := text(r, "ipAddressType")
	if yes(r, "internal") || family == "dualstack-without-public-ipv4" {
		return lines
	}
	// It has an address in each of its subnets, one for each zone.
	zones := len(list(r, "subnets"))
	if zones == 0 {
		zones = len(r.PropertyDependencies["subnets"])
	}
	if zones == 0 {
		return append(lines, unknown("public IPv4 addresses", "the load balancer's subnets are not known yet"))
	}
	address := e.hourly(fmt.Sprintf("%d x public IPv4 address, one for each zone", zones), "ipv4/address", float64(zones))
	address.Note = "more while the load balancer scales"
	return append(lines, address)
}

func endpointLines(e estimation, r preview.State) []Line {
	kind, _ := text(r, "vpcEndpointType")
	switch zones := len(list(r, "subnetIds")); {
	case kind == "Gateway":
		return []Line{{What: "gateway endpoint", Kind: Free, Note: "gateway endpoints are free"}}
	case kind == "Interface" && zones > 0:
		return []Line{
			e.hourly(fmt.Sprintf("interface endpoint in %d zones", zones), "endpoint/hour", float64(zones)),
			unknown("interface endpoint, processed data", "by the GB, not estimated"),
		}
	default:
		return []Line{unknown("endpoint", fmt.Sprintf("of type %q with unknown zones", kind))}
	}
}

func databaseLines(e estimation, r preview.State) []Line {
	engine, _ := text(r, "engine")
	class, _ := text(r, "instanceClass")
	multi, words := "", "Single-AZ"
	if yes(r, "multiAz") {
		multi, words = "/multi", "Multi-AZ"
	}
	if engine != "postgres" {
		return []Line{unknown(fmt.Sprintf("%s, %s", class, words), fmt.Sprintf("engine %q; only postgres is in the price table", engine))}
	}
	lines := []Line{e.hourly(fmt.Sprintf("PostgreSQL %s, %s", class, words), "rds/"+class+multi, 1)}
	size, sized := number(r, "allocatedStorage")
	kind, typed := text(r, "storageType")
	if sized && typed {
		storage := e.priced(Fixed, fmt.Sprintf("%g GB of storage, %s, %s", size, kind, words), "rds/"+kind+multi, size)
		if most, _ := number(r, "maxAllocatedStorage"); most > size && storage.Kind != Unknown {
			storage.Note = fmt.Sprintf("grows by itself to at most %g GB", most)
		}
		lines = append(lines, storage)
	} else {
		lines = append(lines, unknown("storage", "size or type are not known yet"))
	}
	backup := e.priced(ByUse, "backups beyond the size of the database", "rds/backup", e.Usage.BackupGB)
	lines = append(lines, backup)
	if len(list(r, "enabledCloudwatchLogsExports")) > 0 {
		lines = append(lines, e.priced(ByUse, "logs sent to CloudWatch", "logs/ingested", e.Usage.LogGB))
	}
	return lines
}

func cacheLines(e estimation, r preview.State) []Line {
	node, _ := text(r, "nodeType")
	engine, known := text(r, "engine")
	if !known {
		engine = "redis" // the API's default
	}
	count, known := number(r, "numCacheClusters")
	if !known {
		return []Line{unknown(node+", "+engine, "the number of nodes is not known; a cluster of shards is not counted")}
	}
	lines := []Line{e.hourly(fmt.Sprintf("%g x %s, %s", count, node, engine), "cache/"+engine+"/"+node, count)}
	if kept, _ := number(r, "snapshotRetentionLimit"); kept > 0 {
		lines = append(lines, e.priced(ByUse, "backups", "cache/backup", e.Usage.CacheBackupGB))
	}
	return lines
}

func bucketLines(e estimation, _ preview.State) []Line {
	return []Line{
		e.priced(ByUse, "storage, Standard class", "s3/storage", e.Usage.BucketGB),
		e.priced(ByUse, "write requests; reads cost a twelfth", "s3/write", e.Usage.BucketWrites),
	}
}

func keyLines(e estimation, r preview.State) []Line {
	key := e.priced(Fixed, "encryption key", "kms/key", 1)
	if yes(r, "enableKeyRotation") && key.Kind != Unknown {
		key.Note = "each of the first two yearly rotations adds as much"
	}
	return []Line{key, e.priced(ByUse, "requests", "kms/requests", e.Usage.KeyRequests)}
}

func logLines(e estimation, _ preview.State) []Line {
	return []Line{
		e.priced(ByUse, "logs taken in", "logs/ingested", e.Usage.LogGB),
		e.priced(ByUse, "logs kept for a month", "logs/stored", e.Usage.LogGB),
	}
}

// alarmLines counts metrics: an alarm on an expression is charged for each that
// the expression reads. A refresh mixes up the queries among the inputs, not among
// the outputs.
func alarmLines(e estimation, r preview.State) []Line {
	metrics := max(readMetrics(r.Inputs), readMetrics(r.Outputs), 1)
	return []Line{e.priced(Fixed, "alarm on "+counted(metrics, "metric", "metrics"), "alarm/metric", float64(metrics))}
}

func readMetrics(values map[string]any) (count int) {
	queries, _ := values["metricQueries"].([]any)
	for _, query := range queries {
		if inside(query, "metric") != nil {
			count++
		}
	}
	return count
}

func zoneLines(e estimation, _ preview.State) []Line {
	return []Line{
		e.priced(Fixed, "hosted zone", "route53/zone", 1),
		e.priced(ByUse, "queries", "route53/queries", e.Usage.DNSQueries),
	}
}

func topicLines(e estimation, _ preview.State) []Line {
	return []Line{e.priced(ByUse, "notifications", "sns/requests", e.Usage.Notifications)}
}

func parameterLines(e estimation, r preview.State) []Line {
	switch tier, known := text(r, "tier"); {
	case !known || tier == "Standard":
		return []Line{{What: "parameter", Kind: Free, Note: "standard parameters are free"}}
	case tier == "Advanced":
		return []Line{e.priced(Fixed, "advanced parameter", "ssm/advanced", 1)}
	default:
		return []Line{unknown("parameter", fmt.Sprintf("of tier %s: its size decides", tier))}
	}
}
