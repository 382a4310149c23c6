package storage

import (
	"encoding/json"
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	bucketToken    = "aws:s3/bucketV2:BucketV2"
	lifecycleToken = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	policyToken    = "aws:s3/bucketPolicy:BucketPolicy"
	versionsToken  = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	probeToken     = "aws:ec2/keyPair:KeyPair"
)

// declare makes storage, and a key pair whose tags are its outputs.
func declare(t *testing.T, recorder *infratest.Recorder, change func(*Args), options ...pulumi.RunOption) {
	t.Helper()
	args := Args{Spec: Default(), AccessLogs: true, Account: infratest.Account}
	if change != nil {
		change(&args)
	}
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		s, err := New(ctx, "example-prod", args)
		if err != nil {
			return err
		}
		_, err = ec2.NewKeyPair(ctx, "probe", &ec2.KeyPairArgs{PublicKey: pulumi.String("none"), Tags: pulumi.StringMap{
			"storage": s.StorageBucket, "storageArn": s.StorageBucketARN,
			"releases": s.ReleaseBucket, "releasesArn": s.ReleaseBucketARN, "logs": s.LogBucket,
		}})
		return err
	}, options...))
}

func outputs(t *testing.T, recorder *infratest.Recorder) map[string]string {
	t.Helper()
	probe, found := recorder.Named(probeToken, "probe")
	require.True(t, found)
	got := map[string]string{}
	for key, value := range probe.Value("tags").ObjectValue() {
		got[string(key)] = value.StringValue()
	}
	return got
}

func names(resources []infratest.Resource) (found []string) {
	for _, r := range resources {
		found = append(found, r.Name)
	}
	return found
}

func TestBuckets(t *testing.T) {
	files := []string{"example-prod-releases", "example-prod-storage"}
	all := append([]string{"example-prod-logs"}, files...)
	for _, test := range []struct {
		name    string
		logs    bool
		buckets []string
		output  string
	}{{"with access logs", true, all, "example-prod-logs-id"}, {"without", false, files, ""}} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			declare(t, &recorder, func(a *Args) { a.AccessLogs = test.logs })
			assert.Equal(t, test.buckets, names(recorder.OfType(bucketToken)))
			assert.Equal(t, files, names(recorder.OfType(versionsToken)), "logs are written once")
			assert.Equal(t, map[string]string{
				"storage": "example-prod-storage-id", "storageArn": "arn:aws:s3:::example-prod-storage-id",
				"releases": "example-prod-releases-id", "releasesArn": "arn:aws:s3:::example-prod-releases-id",
				"logs": test.output,
			}, outputs(t, &recorder))
		})
	}
}

func TestEveryBucketIsPrivate(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	for _, bucket := range recorder.OfType(bucketToken) {
		block, found := recorder.Named("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket.Name)
		require.True(t, found, bucket.Name)
		assert.Equal(t, bucket.Name+"-id", block.Text("bucket"))
		assert.True(t, block.Value("blockPublicAcls").BoolValue() && block.Value("blockPublicPolicy").BoolValue() &&
			block.Value("ignorePublicAcls").BoolValue() && block.Value("restrictPublicBuckets").BoolValue(), "%s: all four", bucket.Name)

		owner, found := recorder.Named("aws:s3/bucketOwnershipControls:BucketOwnershipControls", bucket.Name)
		require.True(t, found, bucket.Name)
		assert.Equal(t, "BucketOwnerEnforced", owner.Value("rule").ObjectValue()["objectOwnership"].StringValue())

		encryption, found := recorder.Named("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", bucket.Name)
		require.True(t, found, bucket.Name)
		standard := encryption.Value("rules").ArrayValue()[0].ObjectValue()["applyServerSideEncryptionByDefault"].ObjectValue()
		assert.Equal(t, "AES256", standard["sseAlgorithm"].StringValue())

		tls := statements(t, &recorder, bucket.Name)[0]
		assert.Equal(t, "Deny", tls["Effect"])
		assert.Equal(t, "s3:*", tls["Action"])
		arn := "arn:aws:s3:::" + bucket.Name + "-id"
		assert.Equal(t, []any{arn, arn + "/*"}, tls["Resource"])
		assert.Equal(t, map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}}, tls["Condition"])
	}
}

func statements(t *testing.T, recorder *infratest.Recorder, bucket string) []map[string]any {
	t.Helper()
	found, ok := recorder.Named(policyToken, bucket)
	require.True(t, ok, bucket)
	var document struct{ Statement []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(found.Text("policy")), &document))
	return document.Statement
}

func TestOnlyTheLoadBalancerMayWriteLogs(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)

	assert.Equal(t, []map[string]any{{
		"Sid": "LoadBalancerLogs", "Effect": "Allow", "Action": "s3:PutObject",
		"Principal": map[string]any{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
		"Resource":  "arn:aws:s3:::example-prod-logs-id/AWSLogs/123456789012/*",
	}}, statements(t, &recorder, "example-prod-logs")[1:])
	assert.Len(t, statements(t, &recorder, "example-prod-storage"), 1, "nobody is let in by the bucket")
	assert.Len(t, statements(t, &recorder, "example-prod-releases"), 1, "nobody is let in by the bucket")
}

func TestLifecycle(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, func(a *Args) { a.NoncurrentDays, a.ReleasesExpireDays, a.LogsExpireDays = 11, 22, 33 })
	for _, test := range []struct {
		bucket           string
		replaced, expire float64 // days, 0 is never
	}{
		{"example-prod-storage", 11, 0},
		{"example-prod-releases", 22, 0}, // never the one that is live
		{"example-prod-logs", 0, 33},
	} {
		found, ok := recorder.Named(lifecycleToken, test.bucket)
		require.True(t, ok, test.bucket)
		rule := found.Value("rules").ArrayValue()[0].ObjectValue()
		assert.Equal(t, "Enabled", rule["status"].StringValue())
		assert.Positive(t, rule["abortIncompleteMultipartUpload"].ObjectValue()["daysAfterInitiation"].NumberValue())
		var replaced, expire float64
		if v := rule["noncurrentVersionExpiration"]; v.IsObject() {
			replaced = v.ObjectValue()["noncurrentDays"].NumberValue()
			assert.Equal(t, test.bucket == "example-prod-releases", v.ObjectValue().HasValue("newerNoncurrentVersions"), test.bucket)
		}
		if v := rule["expiration"]; v.IsObject() {
			expire = v.ObjectValue()["days"].NumberValue()
		}
		assert.InDelta(t, test.replaced, replaced, 0, test.bucket)
		assert.InDelta(t, test.expire, expire, 0, test.bucket)
	}
}

func TestProtect(t *testing.T) {
	for _, protect := range []bool{true, false} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.Protect = protect })
		for _, r := range recorder.Resources() {
			switch {
			case r.Type == bucketToken:
				assert.Equal(t, protect, r.Protect, r.Name)
				assert.Equal(t, protect, r.Retain, r.Name)
				assert.Equal(t, !protect, r.Value("forceDestroy").BoolValue(), "%s: a bucket with files in it can't be deleted", r.Name)
			case strings.HasPrefix(r.Type, "aws:s3/"):
				assert.Equal(t, protect, r.Retain, "%s %s: a bucket that stays must not lose its settings", r.Type, r.Name)
			}
		}
	}
}

// The load balancer checks at once whether it may write; whoever has the name
// has waited for the policy.
func TestNamesWaitForThePolicy(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	probe, found := recorder.Named(probeToken, "probe")
	require.True(t, found)
	waits := strings.Join(probe.Dependencies, "\n")
	for _, bucket := range []string{"example-prod-storage", "example-prod-releases", "example-prod-logs"} {
		assert.Contains(t, waits, policyToken+"::"+bucket)
	}
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	declare(t, &recorder, nil, infratest.Preview)
	assert.Len(t, recorder.OfType(bucketToken), 3)
	assert.Len(t, recorder.OfType(policyToken), 3)
}

func TestEverythingBelongsToTheStorage(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, nil)
	for _, r := range recorder.Resources() {
		if r.Type != typeToken && r.Type != probeToken {
			assert.Contains(t, r.Parent, typeToken, "%s %s", r.Type, r.Name)
		}
	}
}

func TestNamesFit(t *testing.T) {
	var recorder infratest.Recorder
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, strings.Repeat("p", 40)+"-"+strings.Repeat("s", 40), Args{Spec: Default()})
		return err
	}))
	found := names(recorder.OfType(bucketToken))
	require.Len(t, found, 2)
	assert.NotEqual(t, found[0], found[1])
	for _, name := range found {
		assert.LessOrEqual(t, len(name)+len("-0123456"), 63)
	}
}

func TestValidate(t *testing.T) {
	assert.NoError(t, Default().Validate())
	assert.NoError(t, Spec{NoncurrentDays: 1, ReleasesExpireDays: 1, LogsExpireDays: 1}.Validate())
	assert.EqualError(t, Args{Spec: Spec{LogsExpireDays: -1}, AccessLogs: true}.Validate(), `noncurrentDays: want 1 day or more, got 0
releasesExpireDays: want 1 day or more, got 0
logsExpireDays: want 1 day or more, got -1
account: want the account of the load balancer that writes access logs, got none`)
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	var recorder infratest.Recorder
	err := recorder.Run(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "example-prod", Args{})
		return err
	})
	require.ErrorContains(t, err, "storage example-prod: noncurrentDays: want 1 day or more, got 0")
	assert.Empty(t, recorder.Resources())
}
