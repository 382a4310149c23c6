package awssource

import (
	"path"
	"slices"
	"strings"
)

// services are the folders of the provider's internal/service that are compiled
// in. A service that another one imports has to be listed with it. elb is there
// although the platform has no classic load balancer: an Auto Scaling group that
// waits for capacity asks it.
var services = []string{
	"acm",
	"appautoscaling",
	"autoscaling",
	"budgets",
	"cloudformation",
	"cloudwatch",
	"codebuild",
	"codepipeline",
	"codestarconnections",
	"deploy",
	"ec2",
	"ecr",
	"ecs",
	"elasticache",
	"elb",
	"elbv2",
	"events",
	"iam",
	"kms",
	"logs",
	"meta",
	"organizations",
	"rds",
	"route53",
	"s3",
	"secretsmanager",
	"sns",
	"sqs",
	"ssm",
	"sts",
}

// isSource tells whether a build needs the file at name, or its licence does.
func isSource(name string) bool {
	switch name {
	case "go.mod", "go.sum", "LICENSE", "names/data/names_data.hcl": // the last is embedded
		return true
	}
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

// ofProvider tells whether the slimmed provider needs the file at name.
func ofProvider(name string) bool {
	if !isSource(name) || path.Base(name) == "sweep.go" {
		return false
	}
	folders := strings.Split(path.Dir(name), "/")
	switch {
	case folders[0] != "internal":
		return folders[0] == "." && name != "main.go" || slices.Contains([]string{"names", "version", "xpprovider"}, folders[0])
	case len(folders) > 2 && folders[1] == "service":
		return slices.Contains(services, folders[2])
	}
	// Code for tests and generators imports every service.
	return len(folders) > 1 && !slices.Contains([]string{"acctest", "generate", "sweep"}, folders[1])
}
