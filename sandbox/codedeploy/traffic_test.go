package codedeploy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowTraffic is Traffic that is done when a test says so.
type slowTraffic struct {
	began   chan string // "healthy INSTANCE" or "drained INSTANCE"
	healthy chan error  // an answer for each wait
	drained chan error
	asked   sync.Map // target groups by instance
}

func (s *slowTraffic) AwaitHealthy(ctx context.Context, targetGroups []string, instance string) error {
	s.asked.Store(instance, targetGroups)
	s.began <- "healthy " + instance
	return outcome(ctx, s.healthy)
}

func (s *slowTraffic) AwaitDrained(ctx context.Context, targetGroups []string, instance string) error {
	s.asked.Store(instance, targetGroups)
	s.began <- "drained " + instance
	return outcome(ctx, s.drained)
}

func outcome(ctx context.Context, from chan error) error {
	select {
	case err := <-from:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newTrafficWorld has a fleet of two, all of it deployed to at once.
func newTrafficWorld(t *testing.T) (*world, *slowTraffic) {
	t.Helper()
	w := newWorld(t, Settings{})
	traffic := &slowTraffic{began: make(chan string, 100), healthy: make(chan error, 100), drained: make(chan error, 100)}
	w.service.traffic = traffic
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		all := "CodeDeployDefault.AllAtOnce"
		in.DeploymentConfigName = &all
	})
	w.cloud.launch("fleet", 2)
	return w, traffic
}

func (w *world) eventStatus(id, name string, label types.TargetLabel) (statuses []types.LifecycleEventStatus) {
	w.Helper()
	for _, target := range w.targets(id) {
		for _, event := range target.LifecycleEvents {
			if *event.LifecycleEventName == name && target.InstanceLabel == label {
				statuses = append(statuses, event.Status)
			}
		}
	}
	return statuses
}

func TestTrafficEventsWaitForTheLoadBalancer(t *testing.T) {
	w, traffic := newTrafficWorld(t)
	id := w.deploy("v1")
	begun := []string{<-traffic.began, <-traffic.began}
	for _, instance := range w.cloud.traffic(testBalance) {
		assert.True(t, slices.Contains(begun, "healthy "+instance))
		groups, _ := traffic.asked.Load(instance)
		assert.Equal(t, []string{testBalance}, groups)
	}
	inProgress := types.LifecycleEventStatusInProgress
	assert.Equal(t, []types.LifecycleEventStatus{inProgress, inProgress}, w.eventStatus(id, allowTraffic, types.TargetLabelGreen))
	pending := types.LifecycleEventStatusPending
	assert.Equal(t, []types.LifecycleEventStatus{pending, pending}, w.eventStatus(id, blockTraffic, types.TargetLabelBlue))

	traffic.healthy <- nil
	traffic.healthy <- nil
	<-traffic.began
	<-traffic.began
	assert.Equal(t, []types.LifecycleEventStatus{inProgress, inProgress}, w.eventStatus(id, blockTraffic, types.TargetLabelBlue))
	assert.Contains(t, w.cloud.names(), "fleet", "the original fleet is there until its requests are done")
	traffic.drained <- nil
	traffic.drained <- nil
	assert.Equal(t, types.DeploymentStatusSucceeded, w.end(id).Status)
	assert.NotContains(t, w.cloud.names(), "fleet")
}

func TestInstanceThatDoesNotBecomeHealthyFails(t *testing.T) {
	w, traffic := newTrafficWorld(t)
	id := w.deploy("v1")
	for range 2 {
		<-traffic.began
		traffic.healthy <- errors.New("want healthy, it is unhealthy")
	}
	info := w.end(id)
	require.Equal(t, types.DeploymentStatusFailed, info.Status)
	for _, target := range w.targets(id) {
		if target.InstanceLabel != types.TargetLabelGreen {
			continue
		}
		for _, event := range target.LifecycleEvents {
			if *event.LifecycleEventName == allowTraffic {
				assert.Equal(t, types.LifecycleEventStatusFailed, event.Status)
				assert.Contains(t, *event.Diagnostics.Message, "it is unhealthy")
			}
		}
	}
}
