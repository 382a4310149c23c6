package access

import "bluegreen/infra/policy"

// codeDeployPolicy is AWS's own policy for CodeDeploy on EC2. It has no
// permission for launch templates; launch adds them.
func (s scope) codeDeployPolicy() string {
	return "arn:" + s.partition + ":iam::aws:policy/service-role/AWSCodeDeployRole"
}

// trustCodeDeploy lets CodeDeploy take the role, for this site's application
// only (AWS CodeDeploy User Guide, "Cross-service confused deputy
// prevention"), and from the stack's region only if regional is set ("Create
// a service role for CodeDeploy").
func (s scope) trustCodeDeploy(regional bool) []policy.Statement {
	service := s.principal("codedeploy")
	if regional {
		service = s.principal("codedeploy." + s.region)
	}
	return []policy.Statement{policy.Assume(service,
		policy.Condition{Operator: "StringEquals", Key: "aws:SourceAccount", Values: []string{s.account}},
		policy.Condition{Operator: "StringLike", Key: "aws:SourceArn", Values: []string{s.deploymentGroups()}},
	)}
}

func (s scope) application() string {
	return s.arn("codedeploy", "application:"+s.site.Application())
}

func (s scope) deploymentGroups() string {
	return s.arn("codedeploy", "deploymentgroup:"+s.site.Application()+"/*")
}

// copyFleet lets CodeDeploy copy an Auto Scaling group whose instances come
// from a launch template and carry the instance role.
func (s scope) copyFleet(instanceRoleARN string) []policy.Statement {
	return append(s.launch(), policy.Statement{
		Sid:        "PassInstanceRole",
		Actions:    actions("iam", "PassRole"),
		Resources:  []string{instanceRoleARN},
		Conditions: []policy.Condition{passedTo(s.principal("ec2"))},
	})
}

// launch lets EC2 Auto Scaling start instances in its caller's name from a
// launch template of this stack (Amazon EC2 Auto Scaling User Guide, "Control
// Amazon EC2 launch template usage in Auto Scaling groups"). Templates are
// known by their Name tag, which begins with the site's prefix; the rest is
// whatever such a template asks for. Images of other owners carry no account.
func (s scope) launch() []policy.Statement {
	launched := []string{
		s.arn("ec2", "instance/*"), s.arn("ec2", "network-interface/*"),
		s.arn("ec2", "spot-instances-request/*"), s.arn("ec2", "volume/*"),
	}
	used := []string{
		s.arn("ec2", "key-pair/*"), s.arn("ec2", "security-group/*"), s.arn("ec2", "subnet/*"),
		"arn:" + s.partition + ":ec2:" + s.region + "::image/*",
	}
	templates := s.arn("ec2", "launch-template/*")
	return []policy.Statement{
		{
			Sid:        "UseLaunchTemplates",
			Actions:    actions("ec2", "RunInstances"),
			Resources:  []string{templates},
			Conditions: []policy.Condition{{Operator: "StringLike", Key: "aws:ResourceTag/Name", Values: []string{s.site.Prefix() + "-*"}}},
		},
		{
			Sid:        "LaunchFromTemplates",
			Actions:    actions("ec2", "RunInstances"),
			Resources:  append(launched, used...),
			Conditions: []policy.Condition{{Operator: "ArnLike", Key: "ec2:LaunchTemplate", Values: []string{templates}}},
		},
		{
			Sid:        "TagWhatIsLaunched",
			Actions:    actions("ec2", "CreateTags"),
			Resources:  launched[:len(launched):len(launched)],
			Conditions: []policy.Condition{{Operator: "StringEquals", Key: "ec2:CreateAction", Values: []string{"RunInstances"}}},
		},
	}
}

// stayInRegion takes from AWS's own policy what lies outside the region.
// iam:PassRole is left alone: IAM's region is always us-east-1.
func (s scope) stayInRegion() []policy.Statement {
	return []policy.Statement{{
		Sid:        "StayInRegion",
		Effect:     policy.Deny,
		Actions:    []string{"autoscaling:*", "cloudwatch:*", "ec2:*", "elasticloadbalancing:*", "sns:*", "tag:*"},
		Resources:  []string{"*"},
		Conditions: []policy.Condition{{Operator: "StringNotEquals", Key: "aws:RequestedRegion", Values: []string{s.region}}},
	}}
}

// passedTo holds when a role is handed to one of these services.
func passedTo(services ...string) policy.Condition {
	return policy.Condition{Operator: "StringEquals", Key: "iam:PassedToService", Values: services}
}
