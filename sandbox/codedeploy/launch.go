package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// A launch deployment is the one that an instance gets which Auto Scaling launches
// in a group that a deployment group follows: the last successful revision, in
// place, on that instance alone (CodeDeploy User Guide, "Integrating CodeDeploy
// with Amazon EC2 Auto Scaling"). On AWS the group's launch hook asks for it; here
// the groups are looked at, and who came after the hook is new.

// defaultLaunchPoll is between two looks for new instances.
const defaultLaunchPoll = time.Second

// watchLaunches looks for new instances until the service ends.
func (s *Service) watchLaunches(every time.Duration) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticks.C:
			s.lookForLaunches(s.life)
		}
	}
}

// hooked is an Auto Scaling group that a deployment group follows.
type hooked struct {
	owner *application
	group *group
	types.AutoScalingGroup
}

func (s *Service) lookForLaunches(ctx context.Context) {
	var all []hooked
	s.mu.Lock()
	cloud := s.cloud
	for _, owner := range s.applications {
		for _, group := range owner.groups {
			for _, member := range group.info.AutoScalingGroups {
				all = append(all, hooked{owner, group, member})
			}
		}
	}
	s.mu.Unlock()
	if cloud == nil {
		return
	}
	for _, h := range all {
		members, err := cloud.members(ctx, *h.Name)
		if err != nil {
			continue // the group goes, or the next look does better
		}
		s.mu.Lock()
		if known := s.launched[*h.Hook]; known != nil && s.life.Err() == nil { // else it is followed no longer
			for _, instance := range members {
				if !known[instance] {
					known[instance] = true
					s.launch(h, instance)
				}
			}
		}
		s.mu.Unlock()
	}
}

// launch starts the deployment of a new instance, unless there is nothing to
// deploy, or another deployment has got the instance. The lock is held.
func (s *Service) launch(h hooked, instance string) {
	_, has := s.installed[instance]
	if h.group.info.TargetRevision == nil || has || h.group.active != nil && h.group.active.target(instance) != nil {
		return
	}
	d := s.newDeployment(h.owner, h.group, *h.group.info.TargetRevision)
	d.launched = instance
	d.info.Creator = types.DeploymentCreatorAutoscaling
	d.info.DeploymentStyle = inPlaceStyle(d.info.DeploymentStyle)
	d.info.BlueGreenDeploymentConfiguration = nil
	d.info.AutoRollbackConfiguration = nil // the instance goes instead
	s.start(d)
}

// install performs a launch deployment. When it fails, so does the launch: the
// instance is terminated, and Auto Scaling launches another in its place.
func (r *run) install(ctx context.Context) error {
	events := installEvents()
	if len(r.balancer) > 0 {
		events = slices.Concat(events, allowEvents())
	}
	var targets []*target
	r.locked(func() {
		targets = []*target{r.service.newTarget(r.deployment, r.launched, "", events)}
		r.targets = targets
	})
	err := r.roll(ctx, targets, events, allAtOnce())
	if err == nil || r.service.life.Err() != nil {
		return err
	}
	abandon := r.cloud.abandon(context.WithoutCancel(ctx), r.launched)
	if abandon == nil {
		return err
	}
	return errors.Join(err, fmt.Errorf("instance %s is not terminated: %w", r.launched, abandon))
}

// launching is a launch deployment of a deployment group that runs, nil for none.
func (s *Service) launching(of *group) *deployment {
	for _, d := range s.history {
		if d.group == of && d.launched != "" && !d.ended() {
			return d
		}
	}
	return nil
}

// simulated tells whether there are no machines, and nothing to follow.
func (s *Service) simulated() bool {
	_, is := s.machines.(Simulation)
	return is
}

// known makes an Auto Scaling group's instances those that the launch hook came
// too late for. The lock is held.
func (s *Service) known(ctx context.Context, member types.AutoScalingGroup) error {
	if s.simulated() {
		return nil
	}
	members, err := s.cloud.members(ctx, aws.ToString(member.Name))
	if err != nil {
		return err
	}
	s.launched[*member.Hook] = map[string]bool{}
	for _, instance := range members {
		s.launched[*member.Hook][instance] = true
	}
	return nil
}
