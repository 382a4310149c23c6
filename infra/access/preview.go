package access

import "bluegreen/infra/policy"

// preview lets CI read what a preview with a refresh reads: everything that
// the stack declares, its parameters included, and nothing of other sites
// where AWS tells them apart.
func (s scope) preview() []policy.Statement {
	return append(append(s.readEdge(), s.readSecrets()...), s.readRest()...)
}

// readEdge is about what AWS lists by region only, and about names.
func (s scope) readEdge() []policy.Statement {
	return []policy.Statement{
		{
			// AWS knows no resources for these.
			Sid: "DescribeInRegion",
			Actions: []string{"autoscaling:Describe*", "ec2:Describe*", "elasticloadbalancing:Describe*",
				"kms:ListAliases", "logs:DescribeLogGroups", "ssm:DescribeParameters"},
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid:       "FindZones",
			Actions:   actions("route53", "ListHostedZones", "ListHostedZonesByName"),
			Resources: []string{"*"},
		},
		{
			Sid:       "ReadZones",
			Actions:   actions("route53", "GetHostedZone", "ListResourceRecordSets", "ListTagsForResource", "GetChange"),
			Resources: []string{s.global("route53", "hostedzone/*"), s.global("route53", "change/*")},
		},
		{
			Sid:       "ReadCertificates",
			Actions:   actions("acm", "DescribeCertificate", "ListTagsForCertificate"),
			Resources: []string{s.arn("acm", "certificate/*")},
		},
	}
}

// readSecrets is about roles, the key and the parameters.
func (s scope) readSecrets() []policy.Statement {
	return []policy.Statement{
		{
			Sid: "ReadRoles",
			Actions: actions("iam", "GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "ListRoleTags",
				"ListInstanceProfilesForRole", "GetInstanceProfile", "ListInstanceProfileTags", "GetOpenIDConnectProvider",
				"GetPolicy", "GetPolicyVersion", "ListPolicyVersions"),
			Resources: []string{s.roles(""), s.profiles(), s.shares(), s.provider()},
		},
		{
			Sid:       "ReadKey",
			Actions:   actions("kms", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),
			Resources: []string{s.arn("kms", "key/*")},
		},
		{
			Sid:       "ReadParameters",
			Actions:   actions("ssm", "GetParameter", "GetParameters", "ListTagsForResource"),
			Resources: s.parameters(),
		},
		{
			Sid:        "DecryptParameters",
			Actions:    actions("kms", "Decrypt"),
			Resources:  []string{s.arn("kms", "key/*")},
			Conditions: s.throughParameterStore(),
		},
	}
}

func (s scope) readRest() []policy.Statement {
	return []policy.Statement{
		{
			Sid: "ReadBuckets",
			Actions: actions("s3", "GetAccelerateConfiguration", "GetBucket*", "GetEncryptionConfiguration",
				"GetLifecycleConfiguration", "GetReplicationConfiguration", "ListBucket"),
			Resources: []string{s.global("s3", s.prefixed(""))},
		},
		{
			Sid: "ReadDatabases",
			Actions: append(
				actions("rds", "DescribeDBInstances", "DescribeDBParameterGroups", "DescribeDBParameters", "DescribeDBSubnetGroups", "ListTagsForResource"),
				actions("elasticache", "DescribeCacheClusters", "DescribeCacheParameterGroups", "DescribeCacheParameters",
					"DescribeCacheSubnetGroups", "DescribeReplicationGroups", "ListTagsForResource")...,
			),
			Resources: []string{s.arn("rds", "*"), s.arn("elasticache", "*")},
		},
		{
			Sid:       "ReadReleases",
			Actions:   actions("codedeploy", "GetApplication", "GetDeploymentConfig", "GetDeploymentGroup", "ListTagsForResource"),
			Resources: append([]string{s.application(), s.deploymentGroups()}, s.deploymentConfigurations()...),
		},
		{
			// A fleet is read through its deployments, also when the deployment
			// group is gone already: then there is no ARN to ask by.
			Sid:        "ReadDeployments",
			Actions:    actions("codedeploy", "GetDeployment", "ListDeployments", "BatchGetDeployments"),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid:       "ReadAlarms",
			Actions:   actions("cloudwatch", "DescribeAlarms", "ListTagsForResource"),
			Resources: []string{s.arn("cloudwatch", "alarm:*")},
		},
		{
			Sid:       "ReadTopics",
			Actions:   actions("sns", "GetTopicAttributes", "GetSubscriptionAttributes", "ListTagsForResource"),
			Resources: []string{s.arn("sns", s.prefixed(""))},
		},
		{
			Sid:       "ReadLogs",
			Actions:   actions("logs", "ListTagsForResource"),
			Resources: s.logGroups(),
		},
	}
}

// readState lets a preview read Pulumi's state; it takes no lock.
func (s scope) readState(bucket string) []policy.Statement {
	return []policy.Statement{
		{Sid: "FindState", Actions: actions("s3", "ListBucket"), Resources: []string{s.global("s3", bucket)}},
		{Sid: "ReadState", Actions: actions("s3", "GetObject"), Resources: []string{s.global("s3", bucket+"/.pulumi/*")}},
	}
}

// writeState lets an update lock and write Pulumi's state.
func (s scope) writeState(bucket string) []policy.Statement {
	return []policy.Statement{
		{Sid: "FindState", Actions: actions("s3", "ListBucket"), Resources: []string{s.global("s3", bucket)}},
		{Sid: "WriteState", Actions: actions("s3", "GetObject", "PutObject", "DeleteObject"), Resources: []string{s.global("s3", bucket+"/.pulumi/*")}},
	}
}
