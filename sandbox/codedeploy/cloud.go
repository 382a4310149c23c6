package codedeploy

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// errNoGroup is the error of an Auto Scaling group that does not exist.
var errNoGroup = errors.New("the Auto Scaling group does not exist")

// cloud is what deployments do to the rest of AWS.
type cloud interface {
	// healthy lists the instances of an Auto Scaling group that are in service and
	// healthy. Errors: errNoGroup.
	healthy(ctx context.Context, group string) ([]string, error)
	// members lists all instances of an Auto Scaling group that do not leave it
	// already. Errors: errNoGroup.
	members(ctx context.Context, group string) ([]string, error)
	// alive tells whether an instance runs, or is about to.
	alive(ctx context.Context, instance string) (bool, error)
	// tagged lists the running instances that match a filter of every set.
	tagged(ctx context.Context, sets [][]types.EC2TagFilter) ([]string, error)
	// copyGroup makes an Auto Scaling group like another, without target groups, of
	// as many instances as it says.
	copyGroup(ctx context.Context, from, to string, size int, what Copy) error
	// deleteGroup deletes an Auto Scaling group with its instances. One that is
	// gone already is no error.
	deleteGroup(ctx context.Context, group string) error
	// terminate ends instances.
	terminate(ctx context.Context, instances []string) error
	// abandon ends an instance of an Auto Scaling group, which then launches
	// another. One that is gone already is no error.
	abandon(ctx context.Context, instance string) error
	// register and deregister make an instance a target of target groups, or no
	// longer.
	register(ctx context.Context, targetGroups []string, instance string) error
	deregister(ctx context.Context, targetGroups []string, instance string) error
	// attach and detach do the same to an Auto Scaling group, for what it launches.
	attach(ctx context.Context, group string, targetGroups []string) error
	detach(ctx context.Context, group string, targetGroups []string) error
	// addHook and removeHook manage the launch hook by which CodeDeploy learns of
	// new instances. Errors of addHook: errNoGroup.
	addHook(ctx context.Context, group, hook string) error
	removeHook(ctx context.Context, group, hook string) error
	// alarming lists those of the alarms that are in state ALARM.
	alarming(ctx context.Context, names []string) ([]string, error)
	// bundle checks that a revision is where it is said to be.
	bundle(ctx context.Context, at types.S3Location) error
}
