package storage

import (
	"bluegreen/infra/naming"
	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// A bucket's name has at most 63 characters (Amazon S3 User Guide, "General
// purpose bucket naming rules"), and Pulumi adds a dash and seven random ones.
const longestName = 63 - 8

// abortDays is how long the parts of an upload that nobody finished are kept.
const abortDays = 7

// bucket is what a private bucket is made of.
type bucket struct {
	role     string
	replaced int                                 // days that a replaced or deleted object is kept; 0 keeps no versions at all
	kept     int                                 // versions of each object that stay longer than that; 0 for none
	expire   int                                 // days that any object is kept; 0 is for ever
	allow    func(arn string) []policy.Statement // what others may do; nil is nothing
	protect  bool
}

// made is a bucket that stands. The name comes through the policy, so that
// nobody writes before it is in force.
type made struct{ name, arn pulumi.StringOutput }

// newBucket declares a bucket that nobody can open to the world: public access
// is blocked, access control lists are off, objects are encrypted, requests
// without TLS are refused. Encryption is S3's own: load balancers can't write
// to a bucket with a KMS key.
func newBucket(ctx *pulumi.Context, name string, b bucket, own pulumi.ResourceOption) (made, error) {
	role := naming.Fit(longestName, name, b.role)
	// The settings of a bucket that is left in AWS are left with it.
	keep := pulumi.RetainOnDelete(b.protect)
	whole, err := s3.NewBucketV2(ctx, role, &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(!b.protect),
		Tags:         pulumi.StringMap{"Name": pulumi.String(role)},
	}, own, keep, pulumi.Protect(b.protect))
	if err != nil {
		return made{}, err
	}
	id := whole.ID().ToStringOutput()
	if _, err := s3.NewBucketPublicAccessBlock(ctx, role, &s3.BucketPublicAccessBlockArgs{
		Bucket:                id,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, own, keep); err != nil {
		return made{}, err
	}
	if _, err := s3.NewBucketOwnershipControls(ctx, role, &s3.BucketOwnershipControlsArgs{
		Bucket: id,
		Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, own, keep); err != nil {
		return made{}, err
	}
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, role, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: id,
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, own, keep); err != nil {
		return made{}, err
	}
	if err := newLifecycle(ctx, role, b, id, own, keep); err != nil {
		return made{}, err
	}
	rules, err := s3.NewBucketPolicy(ctx, role, &s3.BucketPolicyArgs{
		Bucket: id,
		Policy: pulumi.StringOutput(pulumix.ApplyErr(whole.Arn, b.policy)),
	}, own, keep)
	if err != nil {
		return made{}, err
	}
	return made{name: rules.Bucket, arn: whole.Arn}, nil
}

// policy is the bucket's own.
func (b bucket) policy(arn string) (string, error) {
	statements := []policy.Statement{overTLS(arn)}
	if b.allow != nil {
		statements = append(statements, b.allow(arn)...)
	}
	return policy.Document(statements...)
}

// newLifecycle declares what is kept for how long, and versions if what was
// replaced is kept at all.
func newLifecycle(ctx *pulumi.Context, role string, b bucket, id pulumi.StringOutput, options ...pulumi.ResourceOption) error {
	rule := s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String("expire"),
		Status: pulumi.String("Enabled"),
		Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}, // every object
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(abortDays),
		},
	}
	if b.expire > 0 {
		rule.Expiration = s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.expire)}
	}
	var versions []pulumi.Resource
	if b.replaced > 0 {
		rule.NoncurrentVersionExpiration = s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
			NoncurrentDays: pulumi.Int(b.replaced),
		}
		if b.kept > 0 {
			rule.NoncurrentVersionExpiration = s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(b.replaced), NewerNoncurrentVersions: pulumi.Int(b.kept),
			}
		}
		versioning, err := s3.NewBucketVersioningV2(ctx, role, &s3.BucketVersioningV2Args{
			Bucket:                  id,
			VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
		}, options...)
		if err != nil {
			return err
		}
		versions = append(versions, versioning)
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(ctx, role, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: id,
		Rules:  s3.BucketLifecycleConfigurationV2RuleArray{rule},
	}, append(options, pulumi.DependsOn(versions))...) // S3 wants versions before rules about them
	return err
}
