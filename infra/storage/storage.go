// Package storage declares the buckets of a site: one for static files and
// media, one for release bundles, and one for the load balancer's access logs
// if there are any. All are private, encrypted and reachable over TLS only.
package storage

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the buckets.
const typeToken = "bluegreen:infra:Storage"

// Spec is what an operator chooses.
type Spec struct {
	// Protect refuses to delete or replace the buckets, and leaves them in AWS
	// with all they hold should they be deleted from the stack all the same.
	// The default is true. False is for a stack to throw away: the files go
	// with the buckets.
	Protect bool `json:"protect"`
	// NoncurrentDays is how many days a static or media file can be had back
	// after it was replaced or deleted. The default is 30.
	NoncurrentDays int `json:"noncurrentDays"`
	// ReleasesExpireDays is how many days a release bundle is kept after a
	// newer one took its place; the newest one and the ten before it stay. The
	// default is 90.
	ReleasesExpireDays int `json:"releasesExpireDays"`
	// LogsExpireDays is how many days access logs are kept. The default is 90.
	LogsExpireDays int `json:"logsExpireDays"`
}

// keptBundles is how many bundles before the newest one stay for ever. The live
// one is among them unless that many releases have failed since.
const keptBundles = 10

// Default keeps everything for a while and deletes nothing that is in use.
func Default() Spec {
	return Spec{Protect: true, NoncurrentDays: 30, ReleasesExpireDays: 90, LogsExpireDays: 90}
}

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	var problems []error
	for _, days := range []struct {
		path string
		got  int
	}{
		{"noncurrentDays", s.NoncurrentDays},
		{"releasesExpireDays", s.ReleasesExpireDays},
		{"logsExpireDays", s.LogsExpireDays},
	} {
		if days.got < 1 {
			problems = append(problems, fmt.Errorf("%s: want 1 day or more, got %d", days.path, days.got))
		}
	}
	return errors.Join(problems...)
}

// Args is a Spec and where it applies.
type Args struct {
	Spec
	AccessLogs bool   // whether the load balancer writes access logs
	Account    string // whose load balancer may write them, 12 digits; required with AccessLogs
}

// Validate reports every mistake at once.
func (a Args) Validate() error {
	if a.AccessLogs && a.Account == "" {
		return errors.Join(a.Spec.Validate(), errors.New("account: want the account of the load balancer that writes access logs, got none"))
	}
	return a.Spec.Validate()
}

// Storage is the site's buckets. Who takes a name waits for the bucket's
// policy.
type Storage struct {
	pulumi.ResourceState

	StorageBucket    pulumi.StringOutput
	StorageBucketARN pulumi.StringOutput
	ReleaseBucket    pulumi.StringOutput
	ReleaseBucketARN pulumi.StringOutput
	LogBucket        pulumi.StringOutput // empty without access logs
}

// New declares the buckets.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (s *Storage, err error) {
	defer func() {
		if err != nil {
			s, err = nil, fmt.Errorf("storage %s: %w", name, err)
		}
	}()
	if err := args.Validate(); err != nil {
		return nil, err
	}
	s = &Storage{LogBucket: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(typeToken, name, s, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(s)
	files, err := newBucket(ctx, name, bucket{role: "storage", replaced: args.NoncurrentDays, protect: args.Protect}, own)
	if err != nil {
		return nil, err
	}
	// Bundles are versions of one object, and CodeDeploy pins one of them. Each
	// new instance fetches the one that is live: only what was replaced may
	// expire, and not the few before the newest, for releases that failed since.
	releases, err := newBucket(ctx, name, bucket{role: "releases", replaced: args.ReleasesExpireDays, kept: keptBundles, protect: args.Protect}, own)
	if err != nil {
		return nil, err
	}
	s.StorageBucket, s.StorageBucketARN = files.name, files.arn
	s.ReleaseBucket, s.ReleaseBucketARN = releases.name, releases.arn
	if args.AccessLogs {
		logs, err := newBucket(ctx, name, bucket{
			role: "logs", expire: args.LogsExpireDays, protect: args.Protect, allow: logWriters(args.Account),
		}, own)
		if err != nil {
			return nil, err
		}
		s.LogBucket = logs.name
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{
		"storageBucket": s.StorageBucket, "storageBucketArn": s.StorageBucketARN,
		"releaseBucket": s.ReleaseBucket, "releaseBucketArn": s.ReleaseBucketARN,
		"logBucket": s.LogBucket,
	})
}
