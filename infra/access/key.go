package access

import (
	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deletionWindow is the longest that AWS offers, in days (AWS KMS API
// Reference, "ScheduleKeyDeletion"): what the key encrypted is lost with it.
const deletionWindow = 30

func (a *Access) newKey(ctx *pulumi.Context, name string, args Args, where scope, own pulumi.ResourceOption) error {
	role := name + "-parameters"
	key, err := kms.NewKey(ctx, role, &kms.KeyArgs{
		Description:          pulumi.String("Secret parameters of " + name),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(deletionWindow),
		Policy:               fixed(where.keyPolicy()),
		Tags:                 pulumi.StringMap{"Name": pulumi.String(role)},
	}, own, pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	a.KeyARN = key.Arn
	_, err = kms.NewAlias(ctx, role, &kms.AliasArgs{
		Name:        pulumi.String(where.site.KeyAlias()),
		TargetKeyId: key.ID(),
	}, own)
	return err
}

// keyPolicy leaves it to IAM policies of the account who may administer the
// key and, through Parameter Store alone, use it. In a key's policy the
// resource "*" is the key itself (AWS KMS Developer Guide, "Key policies").
func (s scope) keyPolicy() []policy.Statement {
	account := &policy.Principal{AWS: []string{s.iam("root")}}
	return []policy.Statement{
		{
			Sid:       "AdministerThroughIAM",
			Principal: account,
			Actions: actions("kms", "CancelKeyDeletion", "CreateAlias", "DeleteAlias", "DescribeKey", "DisableKey", "DisableKeyRotation",
				"EnableKey", "EnableKeyRotation", "GetKeyPolicy", "GetKeyRotationStatus", "ListGrants", "ListKeyPolicies", "ListKeyRotations",
				"ListResourceTags", "PutKeyPolicy", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource",
				"UntagResource", "UpdateAlias", "UpdateKeyDescription"),
			Resources: []string{"*"},
		},
		{
			Sid:        "EncryptParametersThroughIAM",
			Principal:  account,
			Actions:    actions("kms", "Decrypt", "Encrypt", "GenerateDataKey"),
			Resources:  []string{"*"},
			Conditions: s.throughParameterStore(),
		},
	}
}
