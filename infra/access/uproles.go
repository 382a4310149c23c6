package access

import "bluegreen/infra/policy"

// manageRoles bounds changes of roles by name and, with a boundary, to roles
// that carry it: taking a boundary off a role is left to an administrator.
// What may be attached is AWS's own policy for CodeDeploy and the shares of
// this role itself.
func (s scope) manageRoles(boundary string, createProvider bool) []policy.Statement {
	write := actions("iam", "CreateRole", "PutRolePolicy", "DeleteRolePolicy")
	attachable := []policy.Condition{{Operator: "ArnLike", Key: "iam:PolicyARN", Values: []string{s.codeDeployPolicy(), s.shares()}}}
	var bound []policy.Condition
	if boundary != "" {
		write = append(write, "iam:PutRolePermissionsBoundary")
		bound = []policy.Condition{{Operator: "StringEquals", Key: "iam:PermissionsBoundary", Values: []string{boundary}}}
	}
	statements := []policy.Statement{
		{
			Sid:        "WriteRoles",
			Actions:    write,
			Resources:  []string{s.roles("")},
			Conditions: bound,
		},
		{
			Sid:        "AttachPolicies",
			Actions:    actions("iam", "AttachRolePolicy", "DetachRolePolicy"),
			Resources:  []string{s.roles("")},
			Conditions: append(attachable, bound...),
		},
		{
			Sid: "ManageRoles",
			Actions: actions("iam", "DeleteRole", "TagRole", "UntagRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy",
				"CreateInstanceProfile", "DeleteInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile",
				"TagInstanceProfile", "UntagInstanceProfile"),
			Resources: []string{s.roles(""), s.profiles()},
		},
		{
			Sid:       "ManageShares",
			Actions:   actions("iam", "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy"),
			Resources: []string{s.shares()},
		},
	}
	if createProvider {
		statements = append(statements, policy.Statement{
			Sid: "ManageProvider", // without deleting it: other stacks may use it
			Actions: actions("iam", "CreateOpenIDConnectProvider", "AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider",
				"UpdateOpenIDConnectProviderThumbprint", "TagOpenIDConnectProvider", "UntagOpenIDConnectProvider"),
			Resources: []string{s.provider()},
		})
	}
	return statements
}

// passRoles lets an update hand the stack's own roles to the two services
// that work with them, and lets services make their own roles on first use.
func (s scope) passRoles() []policy.Statement {
	return []policy.Statement{
		{
			Sid:        "PassInstanceRole",
			Actions:    actions("iam", "PassRole"),
			Resources:  []string{s.roles(instanceRole)},
			Conditions: []policy.Condition{passedTo(s.principal("ec2"))},
		},
		{
			Sid:        "PassServiceRole",
			Actions:    actions("iam", "PassRole"),
			Resources:  []string{s.roles(serviceRole)},
			Conditions: []policy.Condition{passedTo(s.principal("codedeploy"), s.principal("codedeploy."+s.region))},
		},
		{
			Sid:       "CreateServiceLinkedRoles",
			Actions:   actions("iam", "CreateServiceLinkedRole"),
			Resources: []string{s.iam("role/aws-service-role/*")},
			Conditions: []policy.Condition{{Operator: "StringEquals", Key: "iam:AWSServiceName", Values: []string{
				"autoscaling.amazonaws.com", "elasticache.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com", "spot.amazonaws.com",
			}}},
		},
	}
}

// shares matches the managed policies of the up role.
func (s scope) shares() string { return s.iam("policy/" + s.prefixed(upRole)) }

// profiles matches the stack's instance profiles.
func (s scope) profiles() string { return s.iam("instance-profile/" + s.prefixed("")) }
