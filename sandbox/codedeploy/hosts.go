package codedeploy

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// hosts is the rule of a deployment configuration for how many instances stay
// healthy.
type hosts struct {
	name string
	rule types.MinimumHealthyHosts
}

// allAtOnce is for instances that nothing is deployed to: those that only leave
// the load balancer, and those that a rollback returns to it.
func allAtOnce() hosts { return hosts{rule: types.MinimumHealthyHosts{}} }

// minimum is how many of so many instances stay healthy. Percentages round up
// (CodeDeploy User Guide, "Instance health").
func (h hosts) minimum(all int) int {
	switch {
	case h.name == oneAtATime:
		return all - 1
	case h.rule.Type == types.MinimumHealthyHostsTypeHostCount:
		return int(h.rule.Value)
	default:
		return (all*int(h.rule.Value) + 99) / 100
	}
}

// spare is how many of so many instances may be out of service at the same time:
// being deployed to, or failed.
func (h hosts) spare(all int) int { return all - h.minimum(all) }

// What CodeDeploy says when a fleet is not enough, in its own words.
//
//nolint:revive,staticcheck // sentences, since clients show them as they are
var (
	errTooFewHosts = errors.New("The deployment cannot start: the minimum number of healthy instances in its deployment configuration leaves none to deploy to.")
	errTooManyLost = errors.New("The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.")
	errNoInstances = errors.New("The deployment failed because no instances were found for your deployment group. Check your deployment group settings to make sure the tags for your Amazon EC2 instances or Auto Scaling groups correctly identify the instances you want to deploy to, and then try again.")
)
