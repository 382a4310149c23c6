package codedeploy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

// slowTraffic is Traffic that notes what it is asked, and refuses health to
// instances that it is told to.
type slowTraffic struct {
	cloud *fakeCloud

	mu      sync.Mutex
	asked   []string
	refuse  string
	problem []string // what was not as it has to be when it was asked
}

func (s *slowTraffic) note(kind, instance string, registered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, kind+" "+instance)
	if slices.Contains(s.cloud.traffic(testBalance), instance) != registered {
		s.problem = append(s.problem, kind+" asked for too early: "+instance)
	}
}

func (s *slowTraffic) AwaitHealthy(_ context.Context, _ []string, instance string) error {
	s.note("healthy", instance, true)
	if instance == s.refuse {
		return errors.New("unhealthy (Target.ResponseCodeMismatch)")
	}
	return nil
}

func (s *slowTraffic) AwaitDrained(_ context.Context, _ []string, instance string) error {
	s.note("drained", instance, false)
	return nil
}

func TestTrafficIsWaitedFor(t *testing.T) {
	w := newWorld(t, Settings{})
	traffic := &slowTraffic{cloud: w.cloud}
	w.service.traffic = traffic
	w.make()
	blue := slices.Clone(w.cloud.groups[w.follows()].members)
	info := w.succeed("v1")
	assert.Empty(t, traffic.problem)
	for _, instance := range blue {
		assert.Contains(t, traffic.asked, "drained "+instance)
	}
	green := w.cloud.groups["CodeDeploy_web_"+*info.DeploymentId].members
	for _, instance := range green {
		assert.Contains(t, traffic.asked, "healthy "+instance)
	}

	// An instance that never gets healthy fails AllowTraffic.
	traffic.refuse = "i-0009"
	d := w.end(w.deploy("v2"))
	var found []string
	for _, target := range w.targets(*d.DeploymentId) {
		for _, event := range target.LifecycleEvents {
			if event.Status == types.LifecycleEventStatusFailed {
				found = append(found, *target.TargetId+" "+*event.LifecycleEventName+": "+*event.Diagnostics.Message)
			}
		}
	}
	assert.Contains(t, found, "i-0009 AllowTraffic: unhealthy (Target.ResponseCodeMismatch)")
}
