package release

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADeploymentThatRunsIsWaitedFor(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	reached, release := w.hold("Install")
	defer release()
	running := w.deploy()
	reached()

	o := w.options(checkout(t))
	o.WaitForRunning = 50 * time.Millisecond
	result, err := Run(w.ctx, o)
	require.ErrorContains(t, err, "deployment "+running+" still runs after 50ms")
	assert.ErrorContains(t, err, "--wait-for-running")
	assert.Equal(t, Failed, result.Outcome)
	assert.Equal(t, types.DeploymentStatusInProgress, w.status(running), "it is left alone")

	// The first look finds it, and only then it is let go.
	w.intercept(func(_ http.ResponseWriter, operation string) bool {
		if operation == "GetDeployment" {
			release()
		}
		return false
	})
	w.out.Reset()
	d := w.run(Succeeded, o.Source.Folder).Deployments[0]
	assert.NotEqual(t, running, d.ID)
	assert.Contains(t, w.out.String(), "deployment "+running+" is under way; waiting for it")
	w.serves(greenName(w.group, d.ID))
}

func TestInterruptedBeforeThereIsADeployment(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	reached, release := w.hold("Install")
	defer release()
	running := w.deploy()
	reached()
	ctx, interrupt := context.WithCancelCause(w.ctx)
	w.intercept(func(_ http.ResponseWriter, operation string) bool {
		if operation == "BatchGetDeploymentTargets" {
			interrupt(errors.New("a signal"))
		}
		return false
	})
	result, err := Run(ctx, w.options(checkout(t)))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, Interrupted, result.Outcome)
	assert.Empty(t, result.Deployments)
	assert.Equal(t, types.DeploymentStatusInProgress, w.status(running))
}

func TestAnotherPipelineIsFaster(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	var others, creations atomic.Int32
	var other atomic.Value
	w.intercept(func(_ http.ResponseWriter, operation string) bool {
		if operation == "CreateDeployment" && creations.Add(1) == 1 {
			others.Add(1)
			other.Store(w.deploy()) // itself a call, which is let through
		}
		return false
	})
	d := w.run(Succeeded, checkout(t)).Deployments[0]
	assert.EqualValues(t, 1, others.Load())
	assert.Equal(t, types.DeploymentStatusSucceeded, w.status(other.Load().(string)))
	assert.NotEqual(t, other.Load(), d.ID)
	assert.Contains(t, w.out.String(), "another deployment was faster")
}

// AWS may do what a call says and answer with a fault; the SDK then calls again.
func TestADeploymentIsNotMadeTwice(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	reached, release := w.hold("Install")
	go func() {
		reached()
		release()
	}()
	var creations atomic.Int32
	w.intercept(func(out http.ResponseWriter, operation string) bool {
		return operation == "CreateDeployment" && creations.Add(1) > 1 && func() bool {
			answer(out, http.StatusBadRequest, limitExceeded)
			return true
		}()
	})
	s, err := w.options("").open()
	require.NoError(t, err)
	folder := checkout(t)
	o := w.options(folder)
	s.Source = o.Source
	made, err := s.order(w.ctx)
	require.NoError(t, err)
	first, err := s.tryCreate(w.ctx, w.group, made)
	require.NoError(t, err)
	_, err = s.tryCreate(w.ctx, w.group, made)
	require.True(t, coded(err, limitExceeded))
	assert.Equal(t, first, s.twin(w.ctx, w.group, made, time.Now()))
	made.description = "another"
	assert.Empty(t, s.twin(w.ctx, w.group, made, time.Now()))
}

// answer is an error as CodeDeploy has it.
func answer(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"__type": %q, "message": "ordered by a test"}`, code)
}

// Throttling and faults that outlast the SDK's own attempts do not end a release.
func TestThrottlingAndFaults(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	w.config.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(aws.NopRetryer{}, 1) }
	var refused atomic.Int32
	w.intercept(func(out http.ResponseWriter, operation string) bool {
		switch n := refused.Load(); {
		case operation == "CreateDeployment" || operation == "GetDeploymentGroup" || n >= 9:
			return false
		case n%3 == 2:
			refused.Add(1)
			answer(out, http.StatusServiceUnavailable, "ServiceUnavailable")
		default:
			refused.Add(1)
			answer(out, http.StatusBadRequest, "ThrottlingException")
		}
		return true
	})
	s, err := w.options("").open()
	require.NoError(t, err)
	require.NoError(t, s.awaitRunning(w.ctx, w.group, time.Now().Add(testTime)), "throttled while it waits")
	refused.Store(3)
	id := w.deploy()
	d, err := s.follow(w.ctx, id, func(n snapshot) bool { return ended(n.info) })
	require.NoError(t, err)
	assert.Equal(t, types.DeploymentStatusSucceeded, d.info.Status)
	assert.EqualValues(t, 9, refused.Load())
	assert.Equal(t, 1, strings.Count(w.out.String(), "cannot see the deployment just now"), w.out.String())
}

func TestTheSDKTriesAgain(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	var refused atomic.Int32
	w.intercept(func(out http.ResponseWriter, operation string) bool {
		if operation != "CreateDeployment" || refused.Add(1) > 2 {
			return false
		}
		answer(out, http.StatusBadRequest, "ThrottlingException")
		return true
	})
	w.run(Succeeded, checkout(t))
	assert.EqualValues(t, 3, refused.Load())
}

func TestThrottledAllTheTimeThatItMayWait(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	w.config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	w.intercept(func(out http.ResponseWriter, _ string) bool {
		answer(out, http.StatusBadRequest, "ThrottlingException")
		return true
	})
	o := w.options(checkout(t))
	o.WaitForRunning = 50 * time.Millisecond
	_, err := Run(w.ctx, o)
	require.ErrorContains(t, err, "not seen in 50ms whether a deployment is under way")
}

func TestOutOfReachForTooLong(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	w.config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	id := w.deploy()
	for code, least := range map[string]int32{"AccessDeniedException": 1, "ThrottlingException": 2} {
		var refused atomic.Int32
		w.intercept(func(out http.ResponseWriter, _ string) bool {
			refused.Add(1)
			answer(out, http.StatusBadRequest, code)
			return true
		})
		o := w.options("")
		o.Poll = time.Millisecond
		s, err := o.open()
		require.NoError(t, err)
		_, err = s.follow(w.ctx, id, func(snapshot) bool { return false })
		require.ErrorContains(t, err, code)
		require.ErrorContains(t, err, "bluegreen release --resume "+id)
		assert.GreaterOrEqual(t, refused.Load(), least)
		if least == 1 {
			assert.EqualValues(t, 1, refused.Load(), "no use in trying again")
		}
	}
}

func TestPassing(t *testing.T) {
	assert.False(t, passing(errors.New("no")))
}

func TestLooksGetRarer(t *testing.T) {
	p := (&session{Options: Options{Poll: time.Microsecond}}).pace()
	for range 10 {
		require.NoError(t, p.wait(t.Context()))
	}
	assert.Equal(t, longest*time.Microsecond, p.now)
	p.quicken()
	assert.Equal(t, time.Microsecond, p.now)
}
