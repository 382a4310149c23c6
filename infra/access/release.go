package access

import "bluegreen/infra/policy"

// release lets CI upload a bundle and deploy it to this site, web fleet and
// others, and clean up after a deployment that failed. It can change neither the deployment group
// nor any role. Of the console's notification and chat permissions, which
// AWS's own deployer policy has, it needs none.
func (s scope) release(bucketARN string) []policy.Statement {
	group := s.site.DeploymentGroup()
	statements := []policy.Statement{
		{
			Sid:       "UploadBundles",
			Actions:   actions("s3", "PutObject", "GetObject"),
			Resources: []string{bucketARN + "/*"},
		},
		{
			Sid:       "RegisterReleases",
			Actions:   actions("codedeploy", "RegisterApplicationRevision", "GetApplicationRevision"),
			Resources: []string{s.application()},
		},
		{
			Sid:     "Deploy",
			Actions: actions("codedeploy", "CreateDeployment", "GetDeployment", "ListDeployments", "GetDeploymentGroup"),
			Resources: []string{
				s.arn("codedeploy", "deploymentgroup:"+s.site.Application()+"/"+group),
				s.arn("codedeploy", "deploymentgroup:"+s.site.Application()+"/"+s.site.CeleryDeploymentGroup("Celery*")),
			},
		},
		{
			// These take a deployment's id, for which CodeDeploy has no ARN
			// (Service Authorization Reference, "AWS CodeDeploy").
			Sid:        "FollowAndStop",
			Actions:    actions("codedeploy", "StopDeployment", "ListDeploymentTargets", "BatchGetDeploymentTargets"),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid:       "ReadDeploymentConfigurations",
			Actions:   actions("codedeploy", "GetDeploymentConfig"),
			Resources: s.deploymentConfigurations(),
		},
		{
			Sid:        "FindFleets",
			Actions:    append(actions("autoscaling", "DescribeAutoScalingGroups"), actions("elasticloadbalancing", "DescribeTargetHealth", "DescribeTargetGroups")...),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
		{
			Sid:       "SweepFailedFleets",
			Actions:   actions("autoscaling", "DeleteAutoScalingGroup"),
			Resources: []string{s.fleets("CodeDeploy_" + group + "_*")},
		},
	}
	if s.pair {
		statements = append(statements, policy.Statement{
			Sid:       "TakeTurns",
			Actions:   actions("autoscaling", "UpdateAutoScalingGroup", "AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups"),
			Resources: []string{s.fleets(s.site.AutoScalingGroupOfPair("a")), s.fleets(s.site.AutoScalingGroupOfPair("b"))},
		})
	}
	return statements
}

// deploymentConfigurations are AWS's own and the site's.
func (s scope) deploymentConfigurations() []string {
	return []string{
		s.arn("codedeploy", "deploymentconfig:CodeDeployDefault.*"),
		s.arn("codedeploy", "deploymentconfig:"+s.prefixed("")),
	}
}

// fleets matches Auto Scaling groups by name.
func (s scope) fleets(pattern string) string {
	return s.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+pattern)
}
