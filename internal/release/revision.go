package release

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// order makes what is to be deployed: the bundle in S3, or the commit's name on
// GitHub.
func (s *session) order(ctx context.Context) (order, error) {
	if s.Source.GitHub != "" {
		return s.gitHub(ctx)
	}
	if !s.Source.Unbuilt {
		s.say(Event{Kind: KindNotice, Message: "making the bundle"})
	}
	b, err := MakeBundle(ctx, s.Source)
	if err != nil {
		return order{}, err
	}
	s.say(Event{Kind: KindBundle, Message: fmt.Sprintf("bundle of %s: %s", b.description(), b.contents())})
	at, err := s.upload(ctx, b)
	if err != nil {
		return order{}, err
	}
	return order{
		revision:    &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: at},
		description: b.description(), bundle: b,
	}, nil
}

// gitHub names a commit. CodeDeploy gets it from GitHub itself, through the
// connection that was made once in the console.
func (s *session) gitHub(ctx context.Context) (order, error) {
	head, entries, err := s.Source.read(ctx)
	if err != nil {
		return order{}, fmt.Errorf("revision: %w", err)
	}
	if err := checkAppspec(entries); err != nil {
		return order{}, fmt.Errorf("revision %s: %w", head.short(), err)
	}
	return order{
		revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeGitHub, GitHubLocation: &types.GitHubLocation{
			Repository: aws.String(strings.Trim(s.Source.GitHub, "/")), CommitId: &head.Commit,
		}},
		description: head.description(),
	}, nil
}

// upload puts a bundle where CodeDeploy finds it, unless it is there already.
// Every bundle is a version of the same object, which the revision pins: the
// bucket's rule for what was replaced ends old ones, and never the newest. The
// bucket's own encryption applies.
func (s *session) upload(ctx context.Context, b *Bundle) (*types.S3Location, error) {
	key := fmt.Sprintf("%s%s/bundle.tgz", s.Source.Prefix, s.Application)
	where := fmt.Sprintf("s3://%s/%s", s.Source.Bucket, key)
	at := &types.S3Location{Bucket: &s.Source.Bucket, Key: &key, BundleType: types.BundleTypeTarGZip}
	sum, err := hex.DecodeString(b.SHA256)
	if err != nil {
		return nil, err
	}
	checksum := base64.StdEncoding.EncodeToString(sum)
	head, err := s.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: at.Bucket, Key: at.Key, ChecksumMode: s3types.ChecksumModeEnabled})
	switch {
	case err == nil && aws.ToString(head.ChecksumSHA256) == checksum:
		s.say(Event{Kind: KindUpload, Message: where + " is there already"})
		at.Version, at.ETag = head.VersionId, unquoted(head.ETag)
		return at, nil
	// Without permission to list the bucket, which a release does not need, S3
	// denies that there is nothing (S3 API Reference, "HeadObject").
	case err != nil && !coded(err, "NotFound", "NoSuchKey", "Forbidden", "AccessDenied"):
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	put, err := s.objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket: at.Bucket, Key: at.Key, Body: bytes.NewReader(b.content), ContentType: aws.String("application/gzip"),
		ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256, ChecksumSHA256: &checksum,
		Metadata: map[string]string{"commit": b.Commit},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, errors.Join(err, s.bucketHint(err)))
	}
	s.say(Event{Kind: KindUpload, Message: fmt.Sprintf("%s: %s uploaded", where, bytesOf(b.Size))})
	at.Version, at.ETag = put.VersionId, unquoted(put.ETag)
	return at, nil
}

func (s *session) bucketHint(err error) error {
	if coded(err, "NoSuchBucket") {
		return errors.New("the stack's output releaseBucket names the bucket; a release in another account or region cannot see it")
	}
	return nil
}

func unquoted(tag *string) *string {
	if tag == nil {
		return nil
	}
	return aws.String(strings.Trim(*tag, `"`))
}

// revisionName is a revision for people.
func revisionName(at *types.RevisionLocation) string {
	switch {
	case at == nil:
		return ""
	case at.S3Location != nil:
		name := fmt.Sprintf("s3://%s/%s", aws.ToString(at.S3Location.Bucket), aws.ToString(at.S3Location.Key))
		if version := aws.ToString(at.S3Location.Version); version != "" {
			name += "?versionId=" + version
		}
		return name
	case at.GitHubLocation != nil:
		return fmt.Sprintf("github.com/%s@%s", aws.ToString(at.GitHubLocation.Repository), aws.ToString(at.GitHubLocation.CommitId))
	default:
		return string(at.RevisionType)
	}
}
