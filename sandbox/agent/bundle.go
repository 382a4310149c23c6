package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// keptRevisions is how many deployments of a group stay on an instance, with the
// one that comes (CodeDeploy User Guide, "CodeDeploy agent configuration
// reference", max_revisions).
const keptRevisions = 5

// download is DownloadBundle: the bundle comes, and is unpacked.
func (a *Agent) download(ctx context.Context, d deployment) error {
	if err := d.prune(); err != nil {
		return err
	}
	revision := d.Bundle()
	if revision.RevisionType == types.RevisionLocationTypeGitHub {
		return errors.New("the revision is in GitHub, which the sandbox has not; release a bundle in S3 here")
	}
	at := revision.S3Location
	if at == nil {
		return fmt.Errorf("a revision of type %q; want S3", revision.RevisionType)
	}
	a.note("INFO", "downloading s3://%s/%s, version %q, ETag %q", aws.ToString(at.Bucket), aws.ToString(at.Key), aws.ToString(at.Version), aws.ToString(at.ETag))
	if err := a.fetch(ctx, *at, d.bundle()); err != nil {
		return fmt.Errorf("s3://%s/%s: %w", aws.ToString(at.Bucket), aws.ToString(at.Key), err)
	}
	if err := unpack(ctx, d.bundle(), at.BundleType, archive(d.folder)); err != nil {
		return err
	}
	return d.remember(mostRecent)
}

func (a *Agent) fetch(ctx context.Context, at types.S3Location, into string) error {
	settings, err := a.AWS(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(settings, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil                                    // an emulator has no name for each bucket
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired // else the SDK says of each that it has none
	})
	object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version})
	if err != nil {
		return err
	}
	defer object.Body.Close()
	if wanted := aws.ToString(at.ETag); wanted != "" && bare(wanted) != bare(aws.ToString(object.ETag)) {
		return fmt.Errorf("expected the bundle with ETag %s, but it is %s: it was replaced; deploy again", bare(wanted), bare(aws.ToString(object.ETag)))
	}
	file, err := os.Create(into)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, object.Body)
	return errors.Join(err, file.Close())
}

func bare(etag string) string { return strings.ReplaceAll(etag, `"`, "") }

// prune removes old deployments of the group, oldest first, but never the one
// that was installed last.
func (d deployment) prune() error {
	entries, err := os.ReadDir(d.group)
	if err != nil {
		return err
	}
	last, err := d.earlier(lastSuccessful)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == d.DeploymentID })
	extra := len(others) - keptRevisions + 1
	others = slices.DeleteFunc(others, func(e os.DirEntry) bool { return filepath.Join(d.group, e.Name()) == last })
	age := func(e os.DirEntry) int64 {
		info, err := e.Info()
		if err != nil {
			return 0 // it goes already
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(others, func(x, y os.DirEntry) int { return cmp.Compare(age(x), age(y)) })
	for _, old := range others[:min(max(extra, 0), len(others))] {
		if err := os.RemoveAll(filepath.Join(d.group, old.Name())); err != nil {
			return err
		}
	}
	return nil
}
