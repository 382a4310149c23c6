package machines

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// cloud is the emulated AWS, as EC2 and Auto Scaling see it.
type cloud struct {
	config    aws.Config
	machines  *ec2.Client
	scaling   *autoscaling.Client
	balancing *elasticloadbalancingv2.Client
	identity  *iam.Client
	tokens    *sts.Client

	mu     sync.Mutex
	number string // of the account, once it is known
}

func newCloud(endpoint, region string) *cloud {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the user's web proxy is not for loopback
	config := aws.Config{
		BaseEndpoint: &endpoint, Region: region,
		HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "machines", SecretAccessKey: "emulated"}, nil // an emulator checks none
		}),
	}
	return &cloud{
		config:    config,
		machines:  ec2.NewFromConfig(config),
		scaling:   autoscaling.NewFromConfig(config),
		balancing: elasticloadbalancingv2.NewFromConfig(config),
		identity:  iam.NewFromConfig(config),
		tokens:    sts.NewFromConfig(config),
	}
}

// instance is what EC2 tells of one.
type instance struct {
	id, image, kind, zone, architecture string
	address                             netip.Addr // the zero address when there is none
	profile                             string     // ARN of the instance profile, or ""
	launched                            time.Time
}

// alive lists the instances that are to have a machine, by id.
func (c *cloud) alive(ctx context.Context) (map[string]instance, error) {
	alive := map[string]instance{}
	input := &ec2.DescribeInstancesInput{Filters: []types.Filter{{
		Name: aws.String("instance-state-name"), Values: []string{"pending", "running"},
	}}}
	for pages := ec2.NewDescribeInstancesPaginator(c.machines, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, reservation := range page.Reservations {
			for _, described := range reservation.Instances {
				alive[*described.InstanceId] = read(described)
			}
		}
	}
	return alive, nil
}

func read(described types.Instance) instance {
	i := instance{
		id: *described.InstanceId, image: aws.ToString(described.ImageId), kind: string(described.InstanceType),
		architecture: string(described.Architecture), launched: aws.ToTime(described.LaunchTime),
	}
	i.address, _ = netip.ParseAddr(aws.ToString(described.PrivateIpAddress)) // none is a case of its own
	if described.Placement != nil {
		i.zone = aws.ToString(described.Placement.AvailabilityZone)
	}
	if described.IamInstanceProfile != nil {
		i.profile = aws.ToString(described.IamInstanceProfile.Arn)
	}
	return i
}

// userData is what the instance is told at its first start, decoded; nil is none.
func (c *cloud) userData(ctx context.Context, id string) ([]byte, error) {
	out, err := c.machines.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id, Attribute: types.InstanceAttributeNameUserData,
	})
	if err != nil || out.UserData == nil || aws.ToString(out.UserData.Value) == "" {
		return nil, err
	}
	text, err := base64.StdEncoding.DecodeString(*out.UserData.Value)
	if err != nil {
		return nil, fmt.Errorf("user data of %s: %w", id, err)
	}
	return text, nil
}

// account is the number of the account, which does not change.
func (c *cloud) account(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number != "" {
		return c.number, nil
	}
	out, err := c.tokens.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	c.number = aws.ToString(out.Account)
	return c.number, nil
}

// role is the ARN of the role of an instance profile.
func (c *cloud) role(ctx context.Context, profile string) (string, error) {
	_, profile, _ = strings.Cut(profile, ":instance-profile/")
	profile = profile[strings.LastIndexByte(profile, '/')+1:]
	out, err := c.identity.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &profile})
	if err != nil {
		return "", err
	}
	if len(out.InstanceProfile.Roles) == 0 {
		return "", fmt.Errorf("instance profile %s: it has no role", profile)
	}
	return *out.InstanceProfile.Roles[0].Arn, nil
}

// assume gets the credentials that the role has on an instance.
func (c *cloud) assume(ctx context.Context, role, id string) (*ststypes.Credentials, error) {
	out, err := c.tokens.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &id})
	if err != nil {
		return nil, err
	}
	return out.Credentials, nil
}

// group is the Auto Scaling group of an instance, or "".
func (c *cloud) group(ctx context.Context, id string) (string, error) {
	out, err := c.scaling.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}})
	if err != nil || len(out.AutoScalingInstances) == 0 {
		return "", err
	}
	return aws.ToString(out.AutoScalingInstances[0].AutoScalingGroupName), nil
}

// replace ends an instance as Auto Scaling does when a health check has failed:
// the group launches another one. An instance of no group stays as it is.
func (c *cloud) replace(ctx context.Context, id string) error {
	if group, err := c.group(ctx, id); err != nil || group == "" {
		return err
	}
	_, err := c.scaling.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	return err
}

// terminate ends an instance: its group, if it has one, launches another.
func (c *cloud) terminate(ctx context.Context, id string) error {
	if group, err := c.group(ctx, id); err != nil || group != "" {
		return errors.Join(err, c.replace(ctx, id))
	}
	_, err := c.machines.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	return err
}

// deregister takes an instance out of its group's target groups, and returns for
// how long they drain.
func (c *cloud) deregister(ctx context.Context, id string) (drain time.Duration, err error) {
	name, err := c.group(ctx, id)
	if err != nil || name == "" {
		return 0, err
	}
	out, err := c.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil || len(out.AutoScalingGroups) == 0 {
		return 0, err
	}
	var problems []error
	for _, arn := range out.AutoScalingGroups[0].TargetGroupARNs {
		_, err := c.balancing.DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &id}},
		})
		if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "InvalidTarget" {
			err = nil // it is none already
		}
		delay, unknown := c.drain(ctx, arn)
		drain = max(drain, delay)
		problems = append(problems, err, unknown)
	}
	return drain, errors.Join(problems...)
}

// drain is the deregistration delay of a target group.
func (c *cloud) drain(ctx context.Context, arn string) (time.Duration, error) {
	out, err := c.balancing.DescribeTargetGroupAttributes(ctx, &elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return 0, err
	}
	for _, attribute := range out.Attributes {
		if aws.ToString(attribute.Key) == "deregistration_delay.timeout_seconds" {
			return time.ParseDuration(aws.ToString(attribute.Value) + "s")
		}
	}
	return 0, nil
}
