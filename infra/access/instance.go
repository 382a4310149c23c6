package access

import "bluegreen/infra/policy"

// readParameters lets an instance read the site's own environment and, with a
// key of the stack's own, decrypt it. For aws/ssm the key's policy suffices.
func (s scope) readParameters(keyARN string) []policy.Statement {
	statements := []policy.Statement{{
		Sid:       "ReadParameters",
		Actions:   actions("ssm", "GetParametersByPath", "GetParameters", "GetParameter"),
		Resources: s.parameters(),
	}}
	if keyARN != "" {
		statements = append(statements, policy.Statement{
			Sid:        "DecryptParameters",
			Actions:    actions("kms", "Decrypt"),
			Resources:  []string{keyARN},
			Conditions: s.throughParameterStore(),
		})
	}
	return statements
}

// useStorage lets an instance keep static and media files in one bucket.
func useStorage(bucketARN string) []policy.Statement {
	return []policy.Statement{
		{
			Sid:       "ListFiles",
			Actions:   actions("s3", "ListBucket", "GetBucketLocation"),
			Resources: []string{bucketARN},
		},
		{
			Sid:       "KeepFiles",
			Actions:   actions("s3", "GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts"),
			Resources: []string{bucketARN + "/*"},
		},
	}
}

// readReleases lets the CodeDeploy agent fetch bundles.
func readReleases(bucketARN string) []policy.Statement {
	return []policy.Statement{
		{
			Sid:       "FindReleases",
			Actions:   actions("s3", "ListBucket"),
			Resources: []string{bucketARN},
		},
		{
			Sid:       "FetchReleases",
			Actions:   actions("s3", "GetObject", "GetObjectVersion"),
			Resources: []string{bucketARN + "/*"},
		},
	}
}

// installAgent lets an instance download the CodeDeploy agent from AWS's own
// bucket (AWS CodeDeploy User Guide, "Resource kit bucket names by Region").
func (s scope) installAgent() []policy.Statement {
	bucket := s.global("s3", "aws-codedeploy-"+s.region)
	return []policy.Statement{
		{Sid: "FindAgent", Actions: actions("s3", "ListBucket"), Resources: []string{bucket}},
		{Sid: "FetchAgent", Actions: actions("s3", "GetObject"), Resources: []string{bucket + "/*"}},
	}
}

// openSessions lets operators reach an instance through Session Manager and
// Run Command, in place of SSH. AWS's own policy for it also reads every
// parameter of the account, so this is the part of it that is needed (Systems
// Manager User Guide, "Verify or add instance permissions for Session
// Manager"). The two message services know no resources.
func (s scope) openSessions() []policy.Statement {
	return []policy.Statement{
		{
			Sid:       "ReportToSystemsManager",
			Actions:   actions("ssm", "UpdateInstanceInformation"),
			Resources: []string{s.arn("ec2", "instance/*")},
		},
		{
			Sid: "ExchangeMessages",
			Actions: append(
				actions("ssmmessages", "CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"),
				actions("ec2messages", "AcknowledgeMessage", "DeleteMessage", "FailMessage", "GetEndpoint", "GetMessages", "SendReply")...,
			),
			Resources:  []string{"*"},
			Conditions: []policy.Condition{s.inRegion()},
		},
	}
}

// writeLogs lets an instance send the application's logs to the site's group,
// but not make groups: one made by an instance would be kept for ever.
func (s scope) writeLogs() []policy.Statement {
	return []policy.Statement{{
		Sid:       "WriteLogs",
		Actions:   actions("logs", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"),
		Resources: []string{s.arn("logs", "log-group:"+s.site.LogGroup()+":*")},
	}}
}

// trustInstances lets EC2 hand the role to instances. EC2 documents neither
// aws:SourceAccount nor aws:SourceArn for this; that an instance of
// another account cannot take the role follows from iam:PassRole, which never
// crosses accounts.
func (s scope) trustInstances() []policy.Statement {
	return []policy.Statement{policy.Assume(s.principal("ec2"))}
}
