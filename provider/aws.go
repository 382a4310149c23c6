package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Cloud is what the provider asks of AWS. Nothing behind it decides anything.
type Cloud interface {
	// Groups lists every Auto Scaling group of the region: a copy that lost
	// its tags is not found by tag.
	Groups(ctx context.Context) ([]Group, error)
	// CreateGroup makes a group with its tags; ErrGroupExists when the name
	// is taken, also by a group that is being deleted.
	CreateGroup(ctx context.Context, g Group) error
	// UpdateGroup gives the group the shape, all but target groups, tags and
	// scaling; a size that is nil stays.
	UpdateGroup(ctx context.Context, name string, s Shape, minSize, maxSize *int) error
	// DeleteGroup terminates the group's instances and deletes it. A group
	// that is gone is no error; ErrGroupBusy asks for another try.
	DeleteGroup(ctx context.Context, name string) error
	AttachTargetGroups(ctx context.Context, name string, arns []string) error
	DetachTargetGroups(ctx context.Context, name string, arns []string) error
	PutTags(ctx context.Context, name string, tags map[string]string) error
	DeleteTags(ctx context.Context, name string, keys []string) error
	// LastActivity is what the group last tried to do, for messages.
	LastActivity(ctx context.Context, name string) (string, error)

	Scaling(ctx context.Context, name string) (Scaling, error)
	PutTargetTracking(ctx context.Context, name string, t TargetTracking) error
	DeleteTargetTracking(ctx context.Context, name, policy string) error
	PutSchedule(ctx context.Context, name string, s Schedule) error
	DeleteSchedule(ctx context.Context, name, action string) error

	// DeploymentGroup names the Auto Scaling groups that the deployment group
	// names; none when it does not exist. Any other failure is an error.
	DeploymentGroup(ctx context.Context, application, deploymentGroup string) ([]string, error)
	// Running lists the deployments of the deployment group that are not
	// over, also when the deployment group was deleted under them. Those of
	// single instances that Auto Scaling launches or ends are not among them.
	Running(ctx context.Context, application, deploymentGroup string) ([]Deployment, error)
	// Deployment finds a deployment; found is false when CodeDeploy does not
	// know it.
	Deployment(ctx context.Context, id string) (d Deployment, found bool, err error)
	StopDeployment(ctx context.Context, id string) error

	// Instances lists those of the given instances, and of those tagged with
	// the fleet's key, that are not terminated yet.
	Instances(ctx context.Context, key string, ids []string) ([]string, error)
}

// What a Cloud says that the provider acts upon.
var (
	ErrGroupExists = errors.New("the Auto Scaling group exists already")
	ErrGroupBusy   = errors.New("the Auto Scaling group is busy")
)

// attempts is how often the AWS SDK tries a call that was throttled or did
// not get through, with its own growing pauses.
const attempts = 10

// Connect reaches AWS as the configuration says. It stops when the
// credentials are of an account that is not allowed.
func Connect(ctx context.Context, c Config) (Cloud, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(c.Region),
		config.WithRetryMaxAttempts(attempts),
	}
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(c.Endpoint))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("aws: %w", err)
	}
	if err := checkAccount(ctx, loaded, c.AllowedAccountIDs); err != nil {
		return nil, err
	}
	return &awsCloud{
		groups:      autoscaling.NewFromConfig(loaded),
		deployments: codedeploy.NewFromConfig(loaded),
		instances:   ec2.NewFromConfig(loaded),
	}, nil
}

func checkAccount(ctx context.Context, loaded aws.Config, allowed []string) error {
	if len(allowed) == 0 {
		return nil
	}
	caller, err := sts.NewFromConfig(loaded).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("aws: whose credentials are these? %w", err)
	}
	if account := aws.ToString(caller.Account); !slices.Contains(allowed, account) {
		return fmt.Errorf("aws: the credentials are of account %s, allowed are %s; switch AWS_PROFILE or the credentials", account, strings.Join(allowed, ", "))
	}
	return nil
}

// awsCloud is AWS itself.
type awsCloud struct {
	groups      *autoscaling.Client
	deployments *codedeploy.Client
	instances   *ec2.Client
}
