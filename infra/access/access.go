// Package access declares who may do what: the instances' role, the role that
// CodeDeploy works with, the roles or the user that CI deploys as, and the
// key that encrypts the application's secrets.
//
// Each permission is a pure function from names to policy statements, so that
// it can be read, and tested, without Pulumi. Nothing here grants every action
// or every resource where AWS can tell resources apart.
package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces every role and the key.
const typeToken = "bluegreen:infra:Access"

// Values of Spec.CI.
const (
	GitHub = "github" // roles for GitHub Actions, without stored credentials
	Keys   = "keys"   // a user with an access key, for any other CI
	None   = "none"   // nothing; an administrator releases
)

// Spec is what an operator chooses.
type Spec struct {
	// PermissionsBoundary is the ARN of a policy that no role or user here can
	// exceed; the default is none. Without one, whoever may run "up" can give
	// the roles it manages, its own among them, any permission.
	PermissionsBoundary string `json:"permissionsBoundary"`
	// CustomerManagedKey encrypts secret parameters with a key of this stack,
	// rotated each year. Otherwise it is aws/ssm, which every principal of the
	// account that may read a parameter can use. The default is true.
	CustomerManagedKey bool `json:"customerManagedKey"`
	// Protect keeps the key from being deleted: what it encrypted would be lost.
	// The default is true.
	Protect bool `json:"protect"`
	// RegionalService limits CodeDeploy's role to the stack's region. The
	// default is false.
	RegionalService bool `json:"regionalService"`
	// CI is github, keys or none; the default is github.
	CI string `json:"ci"`
	// GitHub is read when CI is github.
	GitHub GitHubSpec `json:"github"`
	// StateBucket is the name of the S3 bucket with Pulumi's state, which the
	// preview and up roles then may use. The default is none: state elsewhere.
	StateBucket string `json:"stateBucket"`
}

// Default is GitHub Actions without its repository.
func Default() Spec {
	return Spec{CustomerManagedKey: true, Protect: true, CI: GitHub, GitHub: GitHubSpec{PullRequests: true}}
}

var (
	policyARN = regexp.MustCompile(`^arn:aws(-[a-z]+)*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$`)
	// Amazon S3 User Guide, "General purpose bucket naming rules".
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	var problems []error
	if s.PermissionsBoundary != "" && !policyARN.MatchString(s.PermissionsBoundary) {
		problems = append(problems, fmt.Errorf("permissionsBoundary: want a policy's ARN like arn:aws:iam::123456789012:policy/boundary, got %q", s.PermissionsBoundary))
	}
	if s.StateBucket != "" && !bucketName.MatchString(s.StateBucket) {
		problems = append(problems, fmt.Errorf("stateBucket: want a bucket's name without s3://, got %q", s.StateBucket))
	}
	switch s.CI {
	case GitHub:
		problems = append(problems, s.GitHub.validate())
	case Keys, None:
		problems = append(problems, s.GitHub.checkRepository())
	default:
		problems = append(problems, fmt.Errorf("ci: want one of %s, %s, %s, got %q", GitHub, Keys, None, s.CI))
	}
	return errors.Join(problems...)
}

// Args is a Spec and where it applies.
type Args struct {
	Spec
	Site             naming.Site
	Account          string             // 12 digits
	Region           string             // as in "us-east-2"
	Partition        string             // as in "aws"
	StorageBucketARN pulumi.StringInput // of static and media files; required
	ReleaseBucketARN pulumi.StringInput // of release bundles; required
	Logs             bool               // instances write to the site's log group
	Pair             bool               // releases take turns between two Auto Scaling groups, which they resize
}

func (a Args) validate() error {
	problems := []error{a.Spec.Validate()}
	if own := ":policy/" + a.Site.Prefix() + "-" + upRole + "-"; strings.Contains(a.PermissionsBoundary, own) {
		problems = append(problems, fmt.Errorf("permissionsBoundary: the up role may change policies named %s*, this one among them; give it another name", strings.TrimPrefix(own, ":policy/")))
	}
	for _, needed := range []struct {
		missing bool
		name    string
	}{
		{a.Site.Project == "" || a.Site.Environment == "", "site"},
		{a.Account == "", "account"},
		{a.Region == "", "region"},
		{a.Partition == "", "partition"},
		{a.StorageBucketARN == nil, "storageBucketArn"},
		{a.ReleaseBucketARN == nil, "releaseBucketArn"},
	} {
		if needed.missing {
			problems = append(problems, fmt.Errorf("%s: required", needed.name))
		}
	}
	return errors.Join(problems...)
}

// Access is the roles of a site. What Spec leaves out is an empty string.
type Access struct {
	pulumi.ResourceState

	InstanceRoleARN     pulumi.StringOutput
	InstanceProfileARN  pulumi.StringOutput
	InstanceProfileName pulumi.StringOutput
	ServiceRoleARN      pulumi.StringOutput // what CodeDeploy works as
	KeyARN              pulumi.StringOutput // of the stack's own key

	PreviewRoleARN pulumi.StringOutput // may read what a preview reads
	UpRoleARN      pulumi.StringOutput // may change the stack
	ReleaseRoleARN pulumi.StringOutput // may release, nothing else

	AccessKeyID     pulumi.StringOutput
	SecretAccessKey pulumi.StringOutput // secret
}

// New declares the roles, the key and what CI needs.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (a *Access, err error) {
	defer func() {
		if err != nil {
			a, err = nil, fmt.Errorf("access %s: %w", name, err)
		}
	}()
	if err := args.validate(); err != nil {
		return nil, err
	}
	none := pulumi.String("").ToStringOutput()
	a = &Access{
		KeyARN: none, PreviewRoleARN: none, UpRoleARN: none, ReleaseRoleARN: none,
		AccessKeyID: none, SecretAccessKey: none,
	}
	if err := ctx.RegisterComponentResource(typeToken, name, a, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(a)
	where := scope{args.Site, args.Partition, args.Region, args.Account, args.Pair}
	if args.CustomerManagedKey {
		if err := a.newKey(ctx, name, args, where, own); err != nil {
			return nil, err
		}
	}
	if err := a.newInstanceRole(ctx, name, args, where, own); err != nil {
		return nil, err
	}
	if err := a.newServiceRole(ctx, name, args, where, own); err != nil {
		return nil, err
	}
	switch args.CI {
	case GitHub:
		err = a.newWorkflowRoles(ctx, name, args, where, own)
	case Keys:
		err = a.newDeployer(ctx, name, args, where, own)
	}
	if err != nil {
		return nil, err
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{
		"instanceProfileArn": a.InstanceProfileARN, "serviceRoleArn": a.ServiceRoleARN, "keyArn": a.KeyARN,
	})
}
