package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

// autoNames has the names that the bridge makes up when the program gives none,
// where the property is not called name or AWS allows other than 255 characters.
// Every other property called name gets the bridge's usual one.
func autoNames() map[string]map[string]*tfbridge.SchemaInfo {
	name := func(property string, limit int) *tfbridge.SchemaInfo {
		return tfbridge.AutoName(property, limit, "-")
	}
	lower := func(property string, limit int) *tfbridge.SchemaInfo {
		return tfbridge.AutoNameTransform(property, limit, strings.ToLower)
	}
	exact := func(property string) *tfbridge.SchemaInfo {
		return tfbridge.AutoNameWithCustomOptions(property, tfbridge.AutoNameOptions{})
	}
	return map[string]map[string]*tfbridge.SchemaInfo{
		"aws_alb":                           {"name": name("name", 32)},
		"aws_alb_target_group":              {"name": name("name", 32)},
		"aws_cloudwatch_metric_alarm":       {"alarm_name": name("name", 255)},
		"aws_codedeploy_deployment_config":  {"deployment_config_name": tfbridge.AutoName("deploymentConfigName", 100, "_")},
		"aws_db_instance":                   {"identifier": name("identifier", 255)},
		"aws_elasticache_cluster":           {"cluster_id": lower("clusterId", 50)},
		"aws_elasticache_replication_group": {"replication_group_id": lower("replicationGroupId", 40)},
		"aws_iam_role":                      {"name": name("name", 64)},
		"aws_key_pair":                      {"key_name": name("keyName", 255)},
		"aws_kms_alias": {"name": tfbridge.AutoNameTransform("name", 255, func(name string) string {
			return "alias/" + strings.TrimPrefix(name, "alias/")
		})},
		"aws_lb":               {"name": name("name", 32)},
		"aws_lb_target_group":  {"name": name("name", 32)},
		"aws_route53_record":   {"name": {}}, // a domain name, never made up
		"aws_s3_bucket":        {"bucket": lower("bucket", 63)},
		"aws_s3_bucket_object": {"key": exact("key")},
		"aws_s3_object":        {"key": exact("key")},
		"aws_sns_topic":        {"name": name("name", 80)},
	}
}

// described are the properties that say "Managed by Pulumi" by default, where
// Terraform says "Managed by Terraform".
var described = map[string]string{
	"aws_db_parameter_group":          "description",
	"aws_db_subnet_group":             "description",
	"aws_elasticache_parameter_group": "description",
	"aws_elasticache_subnet_group":    "description",
	"aws_route53_zone":                "comment",
	"aws_security_group":              "description",
}

// documents are the properties that the SDK lets a program give as an object as
// well as JSON text. That order and white space make no difference in them is
// Terraform's doing.
var documents = map[string]string{
	"aws_cloudwatch_log_resource_policy": "policy_document",
	"aws_ecr_lifecycle_policy":           "policy",
	"aws_ecr_registry_policy":            "policy",
	"aws_ecr_repository_policy":          "policy",
	"aws_iam_group_policy":               "policy",
	"aws_iam_policy":                     "policy",
	"aws_iam_role":                       "assume_role_policy",
	"aws_iam_role_policy":                "policy",
	"aws_iam_user_policy":                "policy",
	"aws_s3_bucket_policy":               "policy",
	"aws_sns_topic_policy":               "policy",
	"aws_sqs_queue_policy":               "policy",
}

// deletedFirst are resources of which AWS refuses a second one with the same
// content, so that a replacement has to wait until the old one is gone.
var deletedFirst = []string{
	"aws_ecr_lifecycle_policy",
	"aws_iam_group_policy_attachment",
	"aws_iam_role_policy_attachment",
	"aws_security_group_rule",
}
