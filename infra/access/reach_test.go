package access

import (
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/policy"

	"github.com/stretchr/testify/assert"
)

// allows tells whether statements allow an action on a resource, conditions
// aside.
func allows(statements []policy.Statement, action, resource string) bool {
	match := func(patterns []string, text string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return like(pattern, text) })
	}
	return slices.ContainsFunc(statements, func(s policy.Statement) bool {
		return s.Effect != policy.Deny && match(s.Actions, action) && match(s.Resources, resource)
	})
}

// like is IAM's StringLike for "*".
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

func TestLike(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "a", true}, {"a*", "ab", true}, {"*", "", true}, {"a*c", "abc", true},
		{"a*c", "abcd", false}, {"a*b*c", "a-b-c", true}, {"a*b*c", "a-c", false}, {"ab*ba", "aba", false},
	} {
		assert.Equal(t, test.want, like(test.pattern, test.text), "%s on %s", test.pattern, test.text)
	}
}

func TestInstanceReadsItsOwnEnvironmentOnly(t *testing.T) {
	parameters := here.readParameters("arn:aws:kms:us-east-2:123456789012:key/1")
	at := func(path string) string { return "arn:aws:ssm:us-east-2:123456789012:parameter" + path }
	for path, want := range map[string]bool{
		"/example/prod": true, "/example/prod/DATABASE_URL": true, "/example/prod/a/b": true,
		"/example/prod2": false, "/example/prod2/DATABASE_URL": false, "/example/prod-2/DATABASE_URL": false,
		"/example/staging/DATABASE_URL": false, "/example": false, "/example2/prod/DATABASE_URL": false, "/other": false,
	} {
		for _, action := range []string{"ssm:GetParametersByPath", "ssm:GetParameters", "ssm:GetParameter"} {
			assert.Equal(t, want, allows(parameters, action, at(path)), "%s on %s", action, path)
		}
		for _, role := range [][]policy.Statement{here.preview(), updating()} {
			assert.Equal(t, want, allows(role, "ssm:GetParameter", at(path)), path)
		}
	}
	assert.False(t, allows(parameters, "ssm:PutParameter", at("/example/prod/DATABASE_URL")))
	assert.Len(t, here.readParameters(""), 1, "aws/ssm needs no permission of its own")

	decrypt := parameters[1]
	assert.Equal(t, []string{"arn:aws:kms:us-east-2:123456789012:key/1"}, decrypt.Resources)
	assert.Contains(t, decrypt.Conditions, policy.Condition{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{"ssm.us-east-2.amazonaws.com"}})
	for _, statement := range append(here.openSessions(), here.installAgent()...) {
		assert.NotContains(t, statement.Actions, "ssm:GetParameter", "sessions must not open other paths")
	}
}

func TestInstanceUsesItsOwnBucketsOnly(t *testing.T) {
	const own, neighbour = "arn:aws:s3:::example-prod-storage-1", "arn:aws:s3:::example-prod-storage-12"
	storage, releases := useStorage(own), readReleases(own)
	assert.True(t, allows(storage, "s3:PutObject", own+"/media/a.png"))
	assert.True(t, allows(storage, "s3:ListBucket", own))
	assert.True(t, allows(releases, "s3:GetObject", own+"/bundle.zip"))
	for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"} {
		assert.False(t, allows(storage, action, neighbour+"/x"), action)
		assert.False(t, allows(storage, action, neighbour), action)
		assert.False(t, allows(releases, action, neighbour+"/x"), action)
	}
	for _, action := range []string{"s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy", "s3:DeleteBucket"} {
		assert.False(t, allows(releases, action, own+"/bundle.zip"), action)
	}
	for _, action := range []string{"s3:PutBucketPolicy", "s3:PutObjectAcl", "s3:DeleteBucket"} {
		assert.False(t, allows(storage, action, own), action)
		assert.False(t, allows(storage, action, own+"/x"), action)
	}
}

func TestServiceRolePassesTheInstanceRoleOnly(t *testing.T) {
	const instance = "arn:aws:iam::123456789012:role/example-prod-ec2-0123456"
	statements := here.copyFleet(instance)
	assert.True(t, allows(statements, "iam:PassRole", instance))
	assert.False(t, allows(statements, "iam:PassRole", instance+"7"))
	assert.False(t, allows(statements, "iam:PassRole", "arn:aws:iam::123456789012:role/example-prod-up-0123456"))
	passing := statements[len(statements)-1]
	assert.Equal(t, []policy.Condition{{Operator: "StringEquals", Key: "iam:PassedToService", Values: []string{"ec2.amazonaws.com"}}}, passing.Conditions)

	for _, statement := range here.launch() {
		assert.NotEmpty(t, statement.Conditions, "%s launches or tags anything", statement.Sid)
	}
	assert.False(t, allows(statements, "ec2:CreateTags", "arn:aws:ec2:us-east-2:123456789012:security-group/sg-1"))
	assert.False(t, allows(statements, "ec2:RunInstances", "arn:aws:ec2:us-west-1:123456789012:instance/i-1"))
}

func TestReleaseCanOnlyRelease(t *testing.T) {
	statements := here.release("arn:aws:s3:::example-prod-releases-1")
	const group = "arn:aws:codedeploy:us-east-2:123456789012:deploymentgroup:example-prod/example-prod-DeploymentGroup-01"
	const celery = "arn:aws:codedeploy:us-east-2:123456789012:deploymentgroup:example-prod/example-prod-Celery"
	const fleet = "arn:aws:autoscaling:us-east-2:123456789012:autoScalingGroup:1-2-3:autoScalingGroupName/"
	for _, own := range []string{group, celery, celery + "Worker", celery + "Beat"} {
		assert.True(t, allows(statements, "codedeploy:CreateDeployment", own))
	}
	assert.True(t, allows(statements, "codedeploy:RegisterApplicationRevision", "arn:aws:codedeploy:us-east-2:123456789012:application:example-prod"))
	assert.True(t, allows(statements, "codedeploy:GetDeploymentConfig", "arn:aws:codedeploy:us-east-2:123456789012:deploymentconfig:CodeDeployDefault.AllAtOnce"))
	assert.True(t, allows(statements, "s3:PutObject", "arn:aws:s3:::example-prod-releases-1/bundle.zip"))
	assert.True(t, allows(statements, "autoscaling:DeleteAutoScalingGroup", fleet+"CodeDeploy_example-prod-DeploymentGroup-01_d-ABC123XYZ"))

	for action, resource := range map[string]string{
		"codedeploy:UpdateDeploymentGroup":   group,
		"codedeploy:DeleteDeploymentGroup":   celery,
		"codedeploy:CreateDeploymentGroup":   group,
		"iam:PassRole":                       "arn:aws:iam::123456789012:role/example-prod-CodeDeploy-1",
		"ssm:GetParameter":                   "arn:aws:ssm:us-east-2:123456789012:parameter/example/prod/DATABASE_URL",
		"s3:DeleteObject":                    "arn:aws:s3:::example-prod-releases-1/bundle.zip",
		"s3:PutObject":                       "arn:aws:s3:::example-prod-releases-12/bundle.zip",
		"codedeploy:CreateDeployment":        group + "2",
		"autoscaling:DeleteAutoScalingGroup": fleet + "example-prod-EC2AutoScalingGroup",
		"autoscaling:UpdateAutoScalingGroup": fleet + "CodeDeploy_example-prod-DeploymentGroup-01_d-1",
	} {
		assert.False(t, allows(statements, action, resource), "%s on %s", action, resource)
	}
	assert.False(t, allows(statements, "autoscaling:DeleteAutoScalingGroup", fleet+"CodeDeploy_example-staging-DeploymentGroup-01_d-1"))
}

func TestPreviewChangesNothing(t *testing.T) {
	reading := []string{"Describe", "Get", "BatchGet", "List", "Decrypt"}
	for _, statement := range append(here.preview(), here.readState("state-bucket")...) {
		for _, action := range statement.Actions {
			_, verb, _ := strings.Cut(action, ":")
			assert.True(t, slices.ContainsFunc(reading, func(r string) bool { return strings.HasPrefix(verb, r) }), "preview may %s", action)
			assert.False(t, action == "s3:GetObject" && !strings.HasPrefix(statement.Resources[0], "arn:aws:s3:::state-bucket/.pulumi/"), "preview reads objects of %s", statement.Resources)
		}
	}
}

func TestUpStaysWithinItsStack(t *testing.T) {
	statements := updating()
	role := func(name string) string { return "arn:aws:iam::123456789012:role/" + name }
	for _, action := range []string{"iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:AttachRolePolicy"} {
		assert.True(t, allows(statements, action, role("example-prod-ec2-1")), action)
		assert.False(t, allows(statements, action, role("example-prod2-ec2-1")), action)
		assert.False(t, allows(statements, action, role("Administrator")), action)
	}
	assert.True(t, allows(statements, "iam:PassRole", role("example-prod-ec2-1")))
	assert.True(t, allows(statements, "iam:PassRole", role("example-prod-CodeDeploy-1")))
	assert.False(t, allows(statements, "iam:PassRole", role("example-prod-up-1")), "a role that instances take must not be able to change the stack")
	assert.False(t, allows(statements, "rds:DeleteDBInstance", "arn:aws:rds:us-east-2:123456789012:db:example-staging-database-01"))
	assert.True(t, allows(statements, "rds:DeleteDBInstance", "arn:aws:rds:us-east-2:123456789012:db:example-prod-database-01-1"))
	for _, statement := range statements {
		assert.NotContains(t, statement.Actions, "iam:CreateUser")
		assert.NotContains(t, statement.Actions, "iam:CreateAccessKey")
		assert.NotContains(t, statement.Actions, "iam:DeleteRolePermissionsBoundary")
		if slices.Contains(statement.Actions, "iam:PassRole") {
			assert.Equal(t, "iam:PassedToService", statement.Conditions[0].Key)
		}
	}
}

func TestUpKeepsTheBoundary(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/boundary"
	for _, statement := range here.manageRoles(boundary, false) {
		for _, action := range []string{"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"} {
			if slices.Contains(statement.Actions, action) {
				assert.Contains(t, statement.Conditions, policy.Condition{Operator: "StringEquals", Key: "iam:PermissionsBoundary", Values: []string{boundary}}, action)
			}
		}
	}
	for _, statement := range here.manageRoles("", false) {
		assert.NotContains(t, statement.Actions, "iam:PutRolePermissionsBoundary", "without one there is none to set")
	}
}

func TestOtherPartitions(t *testing.T) {
	china := here
	china.partition, china.region = "aws-cn", "cn-north-1"
	assert.Equal(t, []string{"ec2.amazonaws.com.cn"}, china.trustInstances()[0].Principal.Service)
	assert.Equal(t, "arn:aws-cn:iam::123456789012:role/example-prod-ec2-*", china.roles(instanceRole))
	government := here
	government.partition, government.region = "aws-us-gov", "us-gov-west-1"
	assert.Equal(t, "arn:aws-us-gov:iam::aws:policy/service-role/AWSCodeDeployRole", government.codeDeployPolicy())
}
