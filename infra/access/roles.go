package access

import (
	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// Ends of the names of roles that policies know by name.
const (
	instanceRole = "ec2"
	serviceRole  = "CodeDeploy"
	upRole       = "up"
)

// newRole declares a role. Its permissions come after it, one resource each.
func newRole(ctx *pulumi.Context, name, description string, trust pulumi.StringOutput, args Args, own pulumi.ResourceOption) (*iam.Role, error) {
	role := &iam.RoleArgs{
		Description:      pulumi.String(description),
		AssumeRolePolicy: trust,
		Tags:             pulumi.StringMap{"Name": pulumi.String(name)},
	}
	if args.PermissionsBoundary != "" {
		role.PermissionsBoundary = pulumi.String(args.PermissionsBoundary)
	}
	return iam.NewRole(ctx, name, role, own)
}

// permission is a policy of its own, so that each can be read by itself.
type permission struct {
	name     string
	document pulumi.StringOutput
}

// grant adds permissions to a role. What it returns resolves once they stand:
// whoever uses the role through it never acts before it may.
func grant(ctx *pulumi.Context, name string, role *iam.Role, own pulumi.ResourceOption, permissions ...permission) (granted pulumi.StringOutput, err error) {
	granted = role.Name
	for _, p := range permissions {
		made, err := iam.NewRolePolicy(ctx, name+"-"+p.name, &iam.RolePolicyArgs{Role: role.ID(), Policy: p.document}, own)
		if err != nil {
			return granted, err
		}
		granted = after(granted, made.ID().ToStringOutput())
	}
	return granted, nil
}

// after is value once done is known.
func after(value, done pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.StringOutput(pulumix.Apply2(value, done, first))
}

func first(value, _ string) string { return value }

// fixed writes statements that depend on nothing.
func fixed(statements []policy.Statement) pulumi.StringOutput {
	return pulumi.StringOutput(pulumix.ApplyErr(pulumix.Val(statements), write))
}

// about writes the statements that name makes of an ARN.
func about(arn pulumi.StringInput, statements func(string) []policy.Statement) pulumi.StringOutput {
	return pulumi.StringOutput(pulumix.ApplyErr(pulumix.Apply(arn.ToStringOutput(), statements), write))
}

func write(statements []policy.Statement) (string, error) { return policy.Document(statements...) }

// newInstanceRole declares what instances may do. The profile comes after the
// permissions: an instance needs them at its first boot.
func (a *Access) newInstanceRole(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) error {
	full := name + "-" + instanceRole
	role, err := newRole(ctx, full, "Instances of "+name, fixed(where.trustInstances()), args, own)
	if err != nil {
		return err
	}
	permissions := []permission{
		{"read-parameters", about(a.KeyARN, where.readParameters)},
		{"use-storage", about(args.StorageBucketARN, useStorage)},
		{"read-releases", about(args.ReleaseBucketARN, readReleases)},
		{"install-agent", fixed(where.installAgent())},
		{"open-sessions", fixed(where.openSessions())},
	}
	if args.Logs {
		permissions = append(permissions, permission{"write-logs", fixed(where.writeLogs())})
	}
	granted, err := grant(ctx, name, role, own, permissions...)
	if err != nil {
		return err
	}
	profile, err := iam.NewInstanceProfile(ctx, full, &iam.InstanceProfileArgs{
		Role: granted,
		Tags: pulumi.StringMap{"Name": pulumi.String(full)},
	}, own)
	if err != nil {
		return err
	}
	a.InstanceRoleARN, a.InstanceProfileARN, a.InstanceProfileName = role.Arn, profile.Arn, profile.Name
	return nil
}

// newServiceRole declares what CodeDeploy works as. It needs its permissions
// as soon as a deployment group names it.
func (a *Access) newServiceRole(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) error {
	full := name + "-" + serviceRole
	role, err := newRole(ctx, full, "CodeDeploy for "+name, fixed(where.trustCodeDeploy(args.RegionalService)), args, own)
	if err != nil {
		return err
	}
	attached, err := iam.NewRolePolicyAttachment(ctx, full, &iam.RolePolicyAttachmentArgs{
		Role:      role.ID(),
		PolicyArn: pulumi.String(where.codeDeployPolicy()),
	}, own)
	if err != nil {
		return err
	}
	permissions := []permission{{"copy-fleet", about(a.InstanceRoleARN, where.copyFleet)}}
	if args.RegionalService {
		permissions = append(permissions, permission{"stay-in-region", fixed(where.stayInRegion())})
	}
	granted, err := grant(ctx, name, role, own, permissions...)
	if err != nil {
		return err
	}
	a.ServiceRoleARN = after(after(role.Arn, granted), attached.ID().ToStringOutput())
	return nil
}
