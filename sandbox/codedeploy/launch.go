package codedeploy

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// launchInterval is between looks for new instances.
const launchInterval = time.Second

// newcomer is an instance that Auto Scaling has added to a deployment group.
type newcomer struct {
	owner    *application
	group    *group
	instance string
}

// watchLaunches deploys to instances that Auto Scaling adds, where Settings say
// so: the last successful revision, as a deployment of its own for each (CodeDeploy
// User Guide, "Integrating CodeDeploy with Amazon EC2 Auto Scaling"). One that
// fails is not tried again; AWS would end that instance.
func (s *Service) watchLaunches() {
	ticks := time.NewTicker(launchInterval)
	defer ticks.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticks.C:
		}
		for _, found := range s.newcomers() {
			s.mu.Lock()
			if found.group.active == nil && s.life.Err() == nil {
				s.launched[found.instance] = true
				s.startLaunch(found)
			}
			s.mu.Unlock()
		}
	}
}

// newcomers are the instances that no deployment has met.
func (s *Service) newcomers() (found []newcomer) {
	type fleet struct {
		newcomer
		environment environment
	}
	var fleets []fleet
	s.mu.Lock()
	cloud, watched := s.cloud, s.settings.Launches
	for _, owner := range s.applications {
		for _, g := range owner.groups {
			if watched && cloud != nil && g.active == nil && g.info.TargetRevision != nil {
				fleets = append(fleets, fleet{newcomer{owner: owner, group: g}, environment{groups: g.environment().groups}})
			}
		}
	}
	s.mu.Unlock()
	for _, f := range fleets {
		members, err := f.environment.instances(s.life, cloud)
		if err != nil {
			continue // the group has just gone, and the next look knows
		}
		s.mu.Lock()
		for _, instance := range members {
			if _, installed := s.installed[instance]; !installed && !s.launched[instance] {
				f.instance = instance
				found = append(found, f.newcomer)
			}
		}
		s.mu.Unlock()
	}
	return found
}

// startLaunch starts the deployment to a new instance. The lock is held.
func (s *Service) startLaunch(to newcomer) {
	d := s.newDeployment(to.owner, to.group, *to.group.info.TargetRevision)
	d.only = []string{to.instance}
	d.info.Creator = types.DeploymentCreatorAutoscaling
	d.info.DeploymentConfigName = aws.String(oneAtATime)
	d.info.DeploymentStyle = &types.DeploymentStyle{DeploymentType: types.DeploymentTypeInPlace, DeploymentOption: types.DeploymentOptionWithoutTrafficControl}
	d.info.BlueGreenDeploymentConfiguration = nil
	d.info.AutoRollbackConfiguration = nil
	s.start(d)
}
