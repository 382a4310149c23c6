package access

import (
	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newWorkflowRoles declares the three roles of GitHub Actions: one that may
// preview, one that may change the stack, one that may only release.
func (a *Access) newWorkflowRoles(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) error {
	provider, err := newProvider(ctx, name, args, where, own)
	if err != nil {
		return err
	}
	read, readAndLock := where.preview(), where.preview()
	if args.StateBucket != "" {
		read = append(read, where.readState(args.StateBucket)...)
		readAndLock = append(readAndLock, where.writeState(args.StateBucket)...)
	}
	for _, workflow := range []struct {
		role, purpose string
		subjects      []string
		document      pulumi.StringOutput
		shares        []share
		arn           *pulumi.StringOutput
	}{
		{"preview", "Previews of", args.GitHub.readers(), fixed(read), nil, &a.PreviewRoleARN},
		{upRole, "Changes of", args.GitHub.changers(), fixed(readAndLock), where.up(args.PermissionsBoundary, args.GitHub.CreateProvider), &a.UpRoleARN},
		{"release", "Releases of", args.GitHub.changers(), about(args.ReleaseBucketARN, where.release), nil, &a.ReleaseRoleARN},
	} {
		trust := about(provider, func(arn string) []policy.Statement { return trustWorkflows(arn, workflow.subjects) })
		role, err := newRole(ctx, name+"-"+workflow.role, workflow.purpose+" "+name+" by "+args.GitHub.Repository, trust, args, own)
		if err != nil {
			return err
		}
		if _, err := grant(ctx, name, role, own, permission{workflow.role, workflow.document}); err != nil {
			return err
		}
		for _, part := range workflow.shares {
			if err := attach(ctx, name+"-"+workflow.role+"-"+part.name, role, part.statements, own); err != nil {
				return err
			}
		}
		*workflow.arn = role.Arn
	}
	return nil
}

// attach adds a permission as a managed policy.
func attach(ctx *pulumi.Context, name string, role *iam.Role, statements []policy.Statement, own pulumi.ResourceOption) error {
	made, err := iam.NewPolicy(ctx, name, &iam.PolicyArgs{
		Policy: fixed(statements),
		Tags:   pulumi.StringMap{"Name": pulumi.String(name)},
	}, own)
	if err != nil {
		return err
	}
	_, err = iam.NewRolePolicyAttachment(ctx, name, &iam.RolePolicyAttachmentArgs{Role: role.ID(), PolicyArn: made.Arn}, own)
	return err
}

// newProvider returns the ARN of the account's entry for GitHub's tokens.
// Other stacks may use the one that this stack makes, so it outlives it.
func newProvider(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) (pulumi.StringInput, error) {
	if !args.GitHub.CreateProvider {
		return pulumi.String(where.provider()), nil
	}
	provider, err := iam.NewOpenIdConnectProvider(ctx, name+"-github", &iam.OpenIdConnectProviderArgs{
		Url:           pulumi.String("https://" + issuer),
		ClientIdLists: pulumi.ToStringArray([]string{audience}),
		Tags:          pulumi.StringMap{"Name": pulumi.String(name + "-github")},
	}, own, pulumi.RetainOnDelete(true))
	if err != nil {
		return nil, err
	}
	return provider.Arn, nil
}

// newDeployer declares the user that a CI without OpenID Connect releases as,
// through a group, with the release role's permissions and no more.
func (a *Access) newDeployer(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) error {
	group, err := iam.NewGroup(ctx, name+"-Deployment", &iam.GroupArgs{}, own)
	if err != nil {
		return err
	}
	if _, err := iam.NewGroupPolicy(ctx, name+"-release", &iam.GroupPolicyArgs{
		Group:  group.Name,
		Policy: about(args.ReleaseBucketARN, where.release),
	}, own); err != nil {
		return err
	}
	userArgs := &iam.UserArgs{Tags: pulumi.StringMap{"Name": pulumi.String(name + "-CodeDeploy")}}
	if args.PermissionsBoundary != "" {
		userArgs.PermissionsBoundary = pulumi.String(args.PermissionsBoundary)
	}
	user, err := iam.NewUser(ctx, name+"-CodeDeploy", userArgs, own)
	if err != nil {
		return err
	}
	if _, err := iam.NewUserGroupMembership(ctx, name+"-CodeDeploy", &iam.UserGroupMembershipArgs{
		User:   user.Name,
		Groups: pulumi.StringArray{group.Name},
	}, own); err != nil {
		return err
	}
	key, err := iam.NewAccessKey(ctx, name+"-CodeDeploy", &iam.AccessKeyArgs{User: user.Name}, own)
	if err != nil {
		return err
	}
	a.AccessKeyID, a.SecretAccessKey = key.ID().ToStringOutput(), key.Secret
	return nil
}
