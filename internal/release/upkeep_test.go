package release

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// launching is a world that has been released to once, and in whose fleet Auto
// Scaling launches an instance. Its deployment goes on until release.
func launching(t *testing.T, settings standin.Settings) (w *world, folder string, first Deployment, release func()) {
	t.Helper()
	w = newWorld(t, settings, func(o *standin.Options) { o.LaunchPoll = 20 * time.Millisecond })
	w.make()
	folder = checkout(t)
	first = w.run(Succeeded, folder).Deployments[0]
	begun, gate := make(chan struct{}, 100), make(chan struct{})
	w.machines.mu.Lock()
	w.machines.do = func(ctx context.Context, command standin.Command) (string, error) {
		if command.Creator != types.DeploymentCreatorAutoscaling {
			return "", nil
		}
		begun <- struct{}{}
		select {
		case <-gate:
			return "", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	w.machines.mu.Unlock()
	live := greenName(w.group, first.ID)
	_, err := w.scaling.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &live, DesiredCapacity: aws.Int32(3)})
	require.NoError(t, err)
	select {
	case <-begun:
	case <-time.After(testTime):
		require.Fail(t, "nothing is deployed to the new instance")
	}
	w.out.Reset()
	return w, folder, first, sync.OnceFunc(func() { close(gate) })
}

func TestTheDeploymentOfALaunchedInstanceIsNoRelease(t *testing.T) {
	w, folder, first, release := launching(t, standin.Settings{})
	defer release()
	status, err := ReadStatus(w.ctx, w.options(folder))
	require.NoError(t, err)
	assert.Empty(t, status.Groups[0].Running)
	assert.Equal(t, first.Revision, status.Groups[0].Revision)
	require.Len(t, status.Groups[0].Deployments, 2)
	assert.Equal(t, "for an instance that Auto Scaling launched", status.Groups[0].Deployments[0].Description)
	assert.Equal(t, "InProgress", status.Groups[0].Deployments[0].Status)

	_, err = Stop(w.ctx, w.options(folder), "")
	require.ErrorContains(t, err, "no deployment is under way")
	result, err := Resume(w.ctx, w.options(folder), "last")
	resumed := w.as(Succeeded, result, err).Deployments[0]
	assert.Equal(t, first.ID, resumed.ID)
	assert.NotContains(t, w.out.String(), "came after")

	commit(t, folder, "Go on")
	d := w.run(Succeeded, folder).Deployments[0]
	assert.NotContains(t, w.out.String(), "is under way")
	w.serves(greenName(w.group, d.ID))
	result, err = RedeployLastGood(w.ctx, w.options(folder))
	assert.Equal(t, d.Revision, w.as(Succeeded, result, err).Deployments[0].Revision)
}

func TestALaterReleaseIsSeenBehindALaunch(t *testing.T) {
	w, folder, first, release := launching(t, standin.Settings{})
	defer release()
	s, err := w.options(folder).open()
	require.NoError(t, err)
	defer s.out.close()
	group, err := s.group(w.ctx, w.application, w.group)
	require.NoError(t, err)
	now, err := s.look(w.ctx, first.ID)
	require.NoError(t, err)
	later, err := s.superseded(w.ctx, group, now)
	require.NoError(t, err)
	assert.False(t, later)

	now.info.DeploymentId, now.info.CreateTime = aws.String("d-BEFORE123"), aws.Time(now.info.CreateTime.Add(-time.Hour))
	later, err = s.superseded(w.ctx, group, now)
	require.NoError(t, err)
	assert.True(t, later, "the launch came last, but %s in between", first.ID)
}

func TestAReleaseComesAfterALaunchWhereThatCounts(t *testing.T) {
	w, folder, _, release := launching(t, standin.Settings{LaunchesBlock: true})
	defer release()
	refused := 0
	w.intercept(func(_ http.ResponseWriter, operation string) bool {
		if operation == "CreateDeployment" {
			if refused++; refused == 2 {
				release()
			}
		}
		return false
	})
	w.run(Succeeded, folder, func(o *Options) { o.WaitForRunning = testTime })
	assert.GreaterOrEqual(t, refused, 2)
}
