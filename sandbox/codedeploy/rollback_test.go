package codedeploy

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailureAtEachLifecycleEventIsRolledBack(t *testing.T) {
	for _, event := range allEvents() {
		t.Run(event, func(t *testing.T) {
			w := newWorld(t, Settings{})
			w.make()
			good := w.succeed("good")
			original := w.follows()
			w.order(Failure{Event: event, Log: "no such file"})

			info := w.end(w.deploy("bad"))
			require.Equal(t, types.DeploymentStatusFailed, info.Status)
			assert.Equal(t, types.ErrorCodeHealthConstraints, info.ErrorInformation.Code)
			at := 0
			for _, target := range w.targets(*info.DeploymentId) {
				for i, e := range target.LifecycleEvents {
					if e.Status != types.LifecycleEventStatusFailed {
						continue
					}
					at++
					assert.Equal(t, event, *e.LifecycleEventName)
					assert.Equal(t, types.TargetStatusFailed, target.Status)
					assert.Equal(t, types.LifecycleErrorCodeScriptFailed, e.Diagnostics.ErrorCode)
					assert.Equal(t, "no such file", *e.Diagnostics.LogTail)
					for _, later := range target.LifecycleEvents[i+1:] {
						assert.Equal(t, types.LifecycleEventStatusSkipped, later.Status)
					}
				}
			}
			if slices.Contains(blockEvents(), event) {
				assert.Equal(t, 4, at)
			} else {
				assert.Equal(t, 2, at, "half at a time, and then no more")
			}

			require.NotNil(t, info.RollbackInfo)
			undo := w.end(*info.RollbackInfo.RollbackDeploymentId)
			assert.Equal(t, types.DeploymentStatusSucceeded, undo.Status)
			assert.Equal(t, types.DeploymentCreatorCodeDeployRollback, undo.Creator)
			assert.Equal(t, *info.DeploymentId, *undo.RollbackInfo.RollbackTriggeringDeploymentId)
			assert.Equal(t, good.Revision, undo.Revision)
			assert.Equal(t, []string{original}, w.cloud.names(), "the copy is gone")
			assert.Equal(t, original, w.follows())
			assert.Equal(t, w.cloud.groups[original].members, w.cloud.traffic(testBalance))
			assert.Equal(t, []string{testBalance}, w.cloud.groups[original].attached)
			assert.Equal(t, undo.DeploymentId, w.group().LastSuccessfulDeployment.DeploymentId)
		})
	}
}

func TestFailureWithoutRollbackLeavesTheCopy(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(noRollback)
	w.order(Failure{Event: "ValidateService"})
	info := w.end(w.deploy("bad"))
	assert.Equal(t, types.DeploymentStatusFailed, info.Status)
	assert.Nil(t, info.RollbackInfo)
	assert.Equal(t, []string{"CodeDeploy_web_" + *info.DeploymentId, "fleet"}, w.cloud.names())
	assert.Equal(t, "fleet", w.follows())
	assert.Empty(t, w.cloud.traffic(testBalance), "none was attached before, none is now")

	next := w.succeed("good")
	assert.Equal(t, []string{"CodeDeploy_web_" + *next.DeploymentId, "CodeDeploy_web_" + *info.DeploymentId}, sortedBy(w.cloud.names(), *next.DeploymentId))
}

// sortedBy puts the name that ends in an id first.
func sortedBy(names []string, id string) []string {
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case a == "CodeDeploy_web_"+id:
			return -1
		case b == "CodeDeploy_web_"+id:
			return 1
		}
		return 0
	})
	return names
}

func TestRollbackNeedsASuccessBefore(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.order(Failure{Event: "Install"})
	info := w.end(w.deploy("bad"))
	assert.Equal(t, types.DeploymentStatusFailed, info.Status)
	assert.Nil(t, info.RollbackInfo.RollbackDeploymentId)
	assert.Contains(t, *info.RollbackInfo.RollbackMessage, "no last successful revision")
	assert.Len(t, w.cloud.names(), 2)
}

func TestOneFailedInstanceIsNotAFailedDeployment(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.order(Failure{Event: "ApplicationStart", Instance: firstInstance})
	info := w.succeed("v1")
	assert.Equal(t, &types.DeploymentOverview{Succeeded: 7, Failed: 1}, info.DeploymentOverview)
	assert.Len(t, w.cloud.traffic(testBalance), 3)
}

func TestFailedRollback(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	w.succeed("good")
	w.order(Failure{Event: "AfterAllowTraffic"}, Failure{Event: "AllowTraffic", Rollback: true})
	info := w.end(w.deploy("bad"))
	undo := w.end(*info.RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, types.DeploymentStatusFailed, undo.Status)
	assert.Nil(t, undo.RollbackInfo.RollbackDeploymentId, "a rollback is not rolled back")
	assert.Len(t, w.cloud.names(), 2)
}
