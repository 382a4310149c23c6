package release

import (
	"fmt"
	"strings"

	"bluegreen/infra/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// failureEvents are what the topic tells of.
var failureEvents = []string{"DeploymentFailure", "DeploymentRollback", "DeploymentStop"}

// newFailureTopic declares the topic, if there is to be one, and returns its
// ARN once CodeDeploy may publish to it; nil if not.
//
// The topic is encrypted with AWS's own key for SNS. That key serves whoever
// in the account may use SNS but no AWS service by itself, which is enough:
// CodeDeploy publishes as its service role (AWS CodeDeploy User Guide, "Grant
// Amazon SNS permissions to a CodeDeploy service role").
func newFailureTopic(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (pulumi.StringInput, error) {
	if !args.FailureTopic.Enabled {
		return nil, nil
	}
	full := name + "-release-failures"
	topic, err := sns.NewTopic(ctx, full, &sns.TopicArgs{
		KmsMasterKeyId: pulumi.String("alias/aws/sns"),
		Tags:           pulumi.StringMap{"Name": pulumi.String(full)},
	}, own)
	if err != nil {
		return nil, err
	}
	open, err := sns.NewTopicPolicy(ctx, full, &sns.TopicPolicyArgs{
		Arn:    topic.Arn,
		Policy: pulumi.StringOutput(pulumix.Apply2Err(topic.Arn, args.ServiceRoleARN.ToStringOutput(), topicPolicy)),
	}, own)
	if err != nil {
		return nil, err
	}
	for _, email := range args.FailureTopic.Emails {
		if _, err := sns.NewTopicSubscription(ctx, full+"-"+email, &sns.TopicSubscriptionArgs{
			Topic:    topic.Arn,
			Protocol: pulumi.String("email"),
			Endpoint: pulumi.String(email),
		}, own); err != nil {
			return nil, err
		}
	}
	return open.Arn, nil
}

// topicPolicy lets one role, and nobody from another account, publish. The role
// stands in a condition because a principal must exist when the policy is set,
// and one that was just made is not known everywhere yet.
func topicPolicy(topicARN, roleARN string) (string, error) {
	parts := strings.Split(roleARN, ":") // arn:aws:iam::<account>:role/<name>
	if len(parts) != 6 {
		return "", fmt.Errorf("serviceRoleArn: want the ARN of a role, got %q", roleARN)
	}
	account := strings.Join(append(parts[:5:5], "root"), ":")
	return policy.Document(
		policy.Statement{
			Sid:        "PublishAsCodeDeploy",
			Principal:  &policy.Principal{AWS: []string{account}},
			Actions:    []string{"sns:Publish"},
			Resources:  []string{topicARN},
			Conditions: []policy.Condition{{Operator: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{roleARN}}},
		},
		policy.Statement{
			Sid:        "OverTLSOnly",
			Effect:     policy.Deny,
			Principal:  &policy.Principal{AWS: []string{"*"}},
			Actions:    []string{"sns:Publish"},
			Resources:  []string{topicARN},
			Conditions: []policy.Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
		},
	)
}
