// Package logs declares where instances send their logs: one log group of
// CloudWatch Logs, which forgets what is old. Each instance writes log streams of
// its own; what is on the instance is gone with it, at the next release at the
// latest.
package logs

import (
	"errors"
	"fmt"
	"slices"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming the token replaces the log group and everything in it.
const typeToken = "bluegreen:infra:Logs"

// Spec is what an operator chooses.
type Spec struct {
	// Enabled sends what instances log to CloudWatch Logs, through an agent that
	// they install at their first start. The default is false: AWS charges for
	// each gigabyte, and the agent takes memory, of which the smallest instances
	// have 1 GiB.
	Enabled bool `json:"enabled"`
	// RetentionDays is how many days logs are kept: 1, 3, 5, 7, 14, 30, 60, 90,
	// 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or
	// 3653. The default is 30.
	RetentionDays int `json:"retentionDays"`
}

// Default is no logs in CloudWatch; switched on, a month of them.
func Default() Spec { return Spec{RetentionDays: 30} }

// retentions are what AWS takes (Amazon CloudWatch Logs API Reference,
// "PutRetentionPolicy").
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	at, found := slices.BinarySearch(retentions, s.RetentionDays)
	if found {
		return nil
	}
	return fmt.Errorf("retentionDays: AWS keeps logs for certain numbers of days only, and %d is none of them; the next one is %d", s.RetentionDays, retentions[min(at, len(retentions)-1)])
}

// Args is a Spec and where it applies.
type Args struct {
	Spec
	Site naming.Site // required
	// KeyARN is the KMS key of what is kept, whose policy has to let CloudWatch
	// Logs use it; nil is CloudWatch's own encryption.
	KeyARN pulumi.StringInput
}

// Logs is the log group of a site.
type Logs struct {
	pulumi.ResourceState

	GroupName pulumi.StringOutput
}

// New declares the log group.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (l *Logs, err error) {
	defer func() {
		if err != nil {
			l, err = nil, fmt.Errorf("logs %s: %w", name, err)
		}
	}()
	problems := []error{args.Validate()}
	if args.Site.Project == "" || args.Site.Environment == "" {
		problems = append(problems, errors.New("site: required"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	l = &Logs{}
	if err := ctx.RegisterComponentResource(typeToken, name, l, opts...); err != nil {
		return nil, err
	}
	role := name + "-logs"
	group := &cloudwatch.LogGroupArgs{
		// Fixed: policies and the instances' user data name it.
		Name:            pulumi.String(args.Site.LogGroup()),
		RetentionInDays: pulumi.Int(args.RetentionDays),
		Tags:            pulumi.StringMap{"Name": pulumi.String(role)},
	}
	if args.KeyARN != nil {
		group.KmsKeyId = args.KeyARN.ToStringOutput()
	}
	made, err := cloudwatch.NewLogGroup(ctx, role, group, pulumi.Parent(l))
	if err != nil {
		return nil, err
	}
	l.GroupName = made.Name
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"groupName": l.GroupName})
}
