package emulator

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of this file and its neighbours are of the gaps that
// motoserver/gaps_*.py fill, and of what a program reads back.

func testUsersAndRoles(t *testing.T, config aws.Config) {
	client := iam.NewFromConfig(config)
	boundary := aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")
	user := aws.String("boundary-user")
	read := func() *iam.GetUserOutput {
		return must[*iam.GetUserOutput](t)(client.GetUser(t.Context(), &iam.GetUserInput{UserName: user}))
	}
	must[*iam.CreateUserOutput](t)(client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: user, PermissionsBoundary: boundary}))
	require.NotNil(t, read().User.PermissionsBoundary)
	assert.Equal(t, *boundary, *read().User.PermissionsBoundary.PermissionsBoundaryArn)
	must[*iam.DeleteUserPermissionsBoundaryOutput](t)(client.DeleteUserPermissionsBoundary(t.Context(), &iam.DeleteUserPermissionsBoundaryInput{UserName: user}))
	assert.Nil(t, read().User.PermissionsBoundary)
	must[*iam.PutUserPermissionsBoundaryOutput](t)(client.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{UserName: user, PermissionsBoundary: boundary}))
	assert.NotNil(t, read().User.PermissionsBoundary)
	credentials := must[*iam.ListServiceSpecificCredentialsOutput](t)(client.ListServiceSpecificCredentials(t.Context(), &iam.ListServiceSpecificCredentialsInput{UserName: user}))
	assert.Empty(t, credentials.ServiceSpecificCredentials)
	must[*iam.DeleteUserOutput](t)(client.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: user}))

	role := aws.String("described-role")
	must[*iam.CreateRoleOutput](t)(client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: aws.String("{}"), Description: aws.String("described")}))
	must[*iam.UpdateRoleOutput](t)(client.UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: role, MaxSessionDuration: aws.Int32(7200)}))
	updated := must[*iam.GetRoleOutput](t)(client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: role})).Role
	assert.Equal(t, "described", aws.ToString(updated.Description))
	assert.EqualValues(t, 7200, *updated.MaxSessionDuration)
	must[*iam.DeleteRoleOutput](t)(client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: role}))
}

func testBucketPolicy(t *testing.T, config aws.Config) {
	const tlsOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::tls","arn:aws:s3:::tls/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	const nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::tls/*"}}`
	client, bucket, key := s3.NewFromConfig(config), aws.String("tls"), aws.String("key")
	must[*s3.CreateBucketOutput](t)(client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}))
	must[*s3.PutBucketPolicyOutput](t)(client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(tlsOnly)}))
	must[*s3.PutObjectOutput](t)(client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key}))
	must[*s3.HeadObjectOutput](t)(client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key}))

	must[*s3.PutBucketPolicyOutput](t)(client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(nothing)}))
	_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	assert.ErrorContains(t, err, "403", "a refusal without a condition still holds")
	must[*s3.DeleteBucketPolicyOutput](t)(client.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket}))
	must[*s3.DeleteObjectOutput](t)(client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key}))
	must[*s3.DeleteBucketOutput](t)(client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket}))
}

func testVersionedBucket(t *testing.T, config aws.Config) {
	client, bucket, key := s3.NewFromConfig(config), aws.String("versioned"), aws.String("key")
	must[*s3.CreateBucketOutput](t)(client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}))
	version := func(status s3types.BucketVersioningStatus) {
		must[*s3.PutBucketVersioningOutput](t)(client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: status}}))
	}
	version(s3types.BucketVersioningStatusEnabled)
	put := must[*s3.PutObjectOutput](t)(client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key}))
	marker := must[*s3.DeleteObjectOutput](t)(client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key}))
	version(s3types.BucketVersioningStatusSuspended)
	for _, version := range []*string{put.VersionId, marker.VersionId} {
		deleted := must[*s3.DeleteObjectsOutput](t)(client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: key, VersionId: version}}}}))
		assert.Empty(t, deleted.Errors)
	}
	must[*s3.PutBucketLifecycleConfigurationOutput](t)(client.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: bucket, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{Rules: []s3types.LifecycleRule{{
			ID: aws.String("expire"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")},
			NoncurrentVersionExpiration: &s3types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(90), NewerNoncurrentVersions: aws.Int32(10)},
		}}},
	}))
	rules := must[*s3.GetBucketLifecycleConfigurationOutput](t)(client.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})).Rules
	require.Len(t, rules, 1)
	assert.EqualValues(t, 90, *rules[0].NoncurrentVersionExpiration.NoncurrentDays)
	assert.EqualValues(t, 10, aws.ToInt32(rules[0].NoncurrentVersionExpiration.NewerNoncurrentVersions))
	must[*s3.DeleteBucketOutput](t)(client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket}))
}

func testDatabase(t *testing.T, config aws.Config) {
	client := rds.NewFromConfig(config)
	seen := map[string]bool{}
	for _, name := range []string{"one", "two"} {
		created := must[*rds.CreateDBInstanceOutput](t)(client.CreateDBInstance(t.Context(), &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"), EngineVersion: aws.String("17.2"),
			AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("u"), MasterUserPassword: aws.String("abcdefgh"), EnablePerformanceInsights: aws.Bool(name == "two"),
		})).DBInstance
		assert.Equal(t, name == "two", aws.ToBool(created.PerformanceInsightsEnabled))
		seen[*created.DbiResourceId] = true
	}
	assert.Len(t, seen, 2, "resource ids")
	must[*rds.ModifyDBInstanceOutput](t)(client.ModifyDBInstance(t.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("two"), EnablePerformanceInsights: aws.Bool(false)}))
	for id := range seen {
		found := must[*rds.DescribeDBInstancesOutput](t)(client.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{
			Filters: []rdstypes.Filter{{Name: aws.String("dbi-resource-id"), Values: []string{id}}},
		})).DBInstances
		require.Len(t, found, 1)
		assert.False(t, *found[0].PerformanceInsightsEnabled)
		must[*rds.DeleteDBInstanceOutput](t)(client.DeleteDBInstance(t.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: found[0].DBInstanceIdentifier, SkipFinalSnapshot: aws.Bool(true)}))
	}
}

func testDatabaseParameters(t *testing.T, config aws.Config) {
	client, group := rds.NewFromConfig(config), aws.String("parameters")
	parameter := func(name string) rdstypes.Parameter {
		return rdstypes.Parameter{ParameterName: &name, ParameterValue: aws.String("1"), ApplyMethod: rdstypes.ApplyMethodImmediate}
	}
	must[*rds.CreateDBParameterGroupOutput](t)(client.CreateDBParameterGroup(t.Context(), &rds.CreateDBParameterGroupInput{DBParameterGroupName: group, DBParameterGroupFamily: aws.String("postgres17"), Description: aws.String("d")}))
	must[*rds.ModifyDBParameterGroupOutput](t)(client.ModifyDBParameterGroup(t.Context(), &rds.ModifyDBParameterGroupInput{DBParameterGroupName: group, Parameters: []rdstypes.Parameter{parameter("rds.force_ssl"), parameter("log_connections")}}))
	must[*rds.ResetDBParameterGroupOutput](t)(client.ResetDBParameterGroup(t.Context(), &rds.ResetDBParameterGroupInput{DBParameterGroupName: group, Parameters: []rdstypes.Parameter{parameter("log_connections")}}))
	parameters := must[*rds.DescribeDBParametersOutput](t)(client.DescribeDBParameters(t.Context(), &rds.DescribeDBParametersInput{DBParameterGroupName: group})).Parameters
	require.Len(t, parameters, 1)
	assert.Equal(t, "rds.force_ssl", *parameters[0].ParameterName)
	assert.Equal(t, "user", aws.ToString(parameters[0].Source))
	must[*rds.DeleteDBParameterGroupOutput](t)(client.DeleteDBParameterGroup(t.Context(), &rds.DeleteDBParameterGroupInput{DBParameterGroupName: group}))
}

func testCertificate(t *testing.T, config aws.Config) {
	client := acm.NewFromConfig(config)
	requested := must[*acm.RequestCertificateOutput](t)(client.RequestCertificate(t.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String("example.com"), SubjectAlternativeNames: []string{"www.example.com"}, ValidationMethod: acmtypes.ValidationMethodDns,
	}))
	certificate := must[*acm.DescribeCertificateOutput](t)(client.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: requested.CertificateArn})).Certificate
	require.Len(t, certificate.DomainValidationOptions, 2)
	for _, option := range certificate.DomainValidationOptions {
		assert.NotNil(t, option.ResourceRecord, *option.DomainName)
	}
	must[*acm.DeleteCertificateOutput](t)(client.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: requested.CertificateArn}))
}
