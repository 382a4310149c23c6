package access

import "bluegreen/infra/policy"

// share is one part of what an update may do. Together they pass what IAM
// takes as a role's inline policies, so each becomes a managed policy.
type share struct {
	name       string
	statements []policy.Statement
}

// up lets CI change whatever the stack declares; reading it comes on top.
// Names bound a permission where each begins with the site's prefix, the
// region and the account elsewhere.
func (s scope) up(boundary string, createProvider bool) []share {
	return []share{
		{"network", append(s.manageNetwork(), s.launch()...)},
		{"edge", append(s.manageBalancer(), s.manageNames()...)},
		{"roles", append(s.manageRoles(boundary, createProvider), s.passRoles()...)},
		{"data", append(append(s.manageSecrets(), s.manageBuckets()...), s.manageDatabases()...)},
		{"releases", s.manageReleases()},
	}
}

// manageNetwork is about EC2's part: the network, and what instances are
// launched from.
func (s scope) manageNetwork() []policy.Statement {
	return []policy.Statement{
		{
			Sid: "ManageNetwork",
			Actions: actions("ec2",
				"CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AssociateVpcCidrBlock", "DisassociateVpcCidrBlock",
				"CreateSubnet", "DeleteSubnet", "ModifySubnetAttribute", "AssociateSubnetCidrBlock", "DisassociateSubnetCidrBlock",
				"CreateInternetGateway", "DeleteInternetGateway", "AttachInternetGateway", "DetachInternetGateway",
				"CreateRouteTable", "DeleteRouteTable", "AssociateRouteTable", "DisassociateRouteTable", "ReplaceRouteTableAssociation",
				"CreateRoute", "DeleteRoute", "ReplaceRoute",
				"CreateVpcEndpoint", "DeleteVpcEndpoints", "ModifyVpcEndpoint",
				"CreateSecurityGroup", "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
				"RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules",
				"CreateTags", "DeleteTags"),
			Resources: []string{s.arn("ec2", "*")},
		},
		{
			Sid: "ManageLaunchTemplates",
			Actions: actions("ec2", "CreateLaunchTemplate", "CreateLaunchTemplateVersion", "DeleteLaunchTemplate", "DeleteLaunchTemplateVersions",
				"ModifyLaunchTemplate", "ImportKeyPair", "DeleteKeyPair"),
			Resources: []string{s.arn("ec2", "launch-template/*"), s.arn("ec2", "key-pair/*")},
		},
	}
}

func (s scope) manageBalancer() []policy.Statement {
	return []policy.Statement{{
		Sid: "ManageLoadBalancer",
		Actions: actions("elasticloadbalancing", "AddTags", "RemoveTags",
			"CreateLoadBalancer", "DeleteLoadBalancer", "ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets",
			"CreateTargetGroup", "DeleteTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes",
			"CreateListener", "DeleteListener", "ModifyListener", "ModifyListenerAttributes",
			"CreateRule", "DeleteRule", "ModifyRule", "SetRulePriorities"),
		Resources: []string{s.arn("elasticloadbalancing", "*")},
	}}
}

// manageNames is about the certificate and DNS.
func (s scope) manageNames() []policy.Statement {
	return []policy.Statement{
		{
			Sid:       "RequestCertificate", // which has no ARN yet
			Actions:   actions("acm", "RequestCertificate"),
			Resources: []string{"*"},
			Conditions: []policy.Condition{s.inRegion(),
				{Operator: "StringEquals", Key: "acm:ValidationMethod", Values: []string{"DNS"}}},
		},
		{
			Sid:       "ManageCertificate",
			Actions:   actions("acm", "DeleteCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate", "UpdateCertificateOptions"),
			Resources: []string{s.arn("acm", "certificate/*")},
		},
		{
			Sid:       "CreateZone", // which has no ARN yet, nor Route 53 a region
			Actions:   actions("route53", "CreateHostedZone"),
			Resources: []string{"*"},
		},
		{
			Sid:       "ManageZone",
			Actions:   actions("route53", "ChangeResourceRecordSets", "ChangeTagsForResource", "DeleteHostedZone", "UpdateHostedZoneComment"),
			Resources: []string{s.global("route53", "hostedzone/*")},
		},
	}
}

func (s scope) manageSecrets() []policy.Statement {
	return []policy.Statement{
		{
			Sid:       "WriteParameters",
			Actions:   actions("ssm", "PutParameter", "DeleteParameter", "DeleteParameters", "AddTagsToResource", "RemoveTagsFromResource"),
			Resources: s.parameters(),
		},
		{
			Sid:        "EncryptParameters",
			Actions:    actions("kms", "Encrypt", "GenerateDataKey"),
			Resources:  []string{s.arn("kms", "key/*")},
			Conditions: s.throughParameterStore(),
		},
		{
			Sid:        "CreateKey", // which has no ARN yet
			Actions:    actions("kms", "CreateKey"),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid: "ManageKey",
			Actions: actions("kms", "CreateAlias", "UpdateAlias", "DeleteAlias", "PutKeyPolicy", "EnableKey", "DisableKey",
				"EnableKeyRotation", "DisableKeyRotation", "ScheduleKeyDeletion", "CancelKeyDeletion", "UpdateKeyDescription", "TagResource", "UntagResource"),
			Resources: []string{s.arn("kms", "key/*"), s.arn("kms", s.site.KeyAlias())},
		},
	}
}

// manageBuckets is about buckets, not about what is in them: emptying one
// that is to go is left to an administrator.
func (s scope) manageBuckets() []policy.Statement {
	return []policy.Statement{{
		Sid: "ManageBuckets",
		Actions: actions("s3", "CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "PutBucket*",
			"PutEncryptionConfiguration", "PutLifecycleConfiguration"),
		Resources: []string{s.global("s3", s.prefixed(""))},
	}}
}

// manageDatabases bounds RDS by name. Names in ElastiCache may be too short to
// begin with the whole prefix.
func (s scope) manageDatabases() []policy.Statement {
	return []policy.Statement{
		{
			Sid: "ManageDatabase",
			Actions: actions("rds", "AddTagsToResource", "RemoveTagsFromResource",
				"CreateDBInstance", "DeleteDBInstance", "ModifyDBInstance", "RebootDBInstance", "CreateDBSnapshot",
				"CreateDBParameterGroup", "DeleteDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup",
				"CreateDBSubnetGroup", "DeleteDBSubnetGroup", "ModifyDBSubnetGroup"),
			Resources: []string{s.arn("rds", "*:"+s.prefixed("")), s.arn("rds", "og:default*"), s.arn("rds", "pg:default*")},
		},
		{
			Sid: "ManageCache",
			Actions: actions("elasticache", "AddTagsToResource", "RemoveTagsFromResource",
				"CreateReplicationGroup", "DeleteReplicationGroup", "ModifyReplicationGroup", "IncreaseReplicaCount", "DecreaseReplicaCount",
				"CreateCacheParameterGroup", "DeleteCacheParameterGroup", "ModifyCacheParameterGroup", "ResetCacheParameterGroup",
				"CreateCacheSubnetGroup", "DeleteCacheSubnetGroup", "ModifyCacheSubnetGroup"),
			Resources: []string{s.arn("elasticache", "*")},
		},
	}
}

func (s scope) manageReleases() []policy.Statement {
	return []policy.Statement{
		{
			Sid: "ManageReleases",
			Actions: actions("codedeploy", "CreateApplication", "UpdateApplication", "DeleteApplication",
				"CreateDeploymentGroup", "UpdateDeploymentGroup", "DeleteDeploymentGroup",
				"CreateDeploymentConfig", "DeleteDeploymentConfig", "TagResource", "UntagResource"),
			Resources: []string{s.application(), s.deploymentGroups(), s.arn("codedeploy", "deploymentconfig:"+s.prefixed(""))},
		},
		{
			// It takes a deployment's id, for which CodeDeploy has no ARN
			// (Service Authorization Reference, "AWS CodeDeploy").
			Sid:        "StopDeployments",
			Actions:    actions("codedeploy", "StopDeployment"),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid: "ManageFleets",
			Actions: actions("autoscaling", "CreateAutoScalingGroup", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup", "CreateOrUpdateTags", "DeleteTags",
				"AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups", "PutScalingPolicy", "DeletePolicy", "PutScheduledUpdateGroupAction", "DeleteScheduledAction",
				"EnableMetricsCollection", "DisableMetricsCollection", "SuspendProcesses", "ResumeProcesses", "SetDesiredCapacity"),
			Resources: []string{s.fleets(s.prefixed("")), s.fleets("CodeDeploy_" + s.prefixed(""))},
		},
		{
			Sid:       "ManageAlarms",
			Actions:   actions("cloudwatch", "PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource"),
			Resources: []string{s.arn("cloudwatch", "alarm:"+s.prefixed(""))},
		},
		{
			Sid: "ManageTopics",
			Actions: actions("sns", "CreateTopic", "DeleteTopic", "SetTopicAttributes", "Subscribe", "Unsubscribe", "SetSubscriptionAttributes",
				"TagResource", "UntagResource"),
			Resources: []string{s.arn("sns", s.prefixed(""))},
		},
		{
			Sid:       "ManageLogs",
			Actions:   actions("logs", "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "TagResource", "UntagResource"),
			Resources: s.logGroups(),
		},
	}
}

// logGroups are the site's group and those below it. CloudWatch Logs writes a
// group's ARN with and without ":*" at its end.
func (s scope) logGroups() []string {
	group := s.arn("logs", "log-group:"+s.site.LogGroup())
	return []string{group, group + ":*", group + "/*"}
}
