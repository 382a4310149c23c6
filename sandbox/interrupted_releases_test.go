package sandbox

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"bluegreen/internal/release"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	codedeployapi "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	codedeploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// during waits until something is so, which another process brings about.
func (s *site) during(what string, so func() bool) {
	s.t.Helper()
	require.Eventually(s.t, so, time.Minute, 20*time.Millisecond, what)
}

// killed runs an operation of the engine in a process of its own and kills the
// engine with all its plugins, as the end of the machine would, as soon as the
// emulated AWS is in a certain state.
func (s *site) killed(operation string, when func() bool) {
	s.t.Helper()
	executable, err := os.Executable()
	require.NoError(s.t, err)
	process := exec.Command(executable, asSite, s.Folder, s.file, operation) // #nosec G204 -- this test
	process.Stdout, process.Stderr = io.Discard, io.Discard
	require.NoError(s.t, process.Start())
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	s.t.Cleanup(func() { _ = process.Process.Kill() })
	for !when() {
		select {
		case err := <-ended:
			s.t.Fatalf("%s ended before it was to be killed: %v", operation, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	for _, engine := range engines(s.t, s.Sandbox) {
		for _, pid := range append(children(s.t, engine), engine) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // a plugin may end with its engine
		}
	}
	require.Error(s.t, <-ended, "the engine was killed")
}

// fleets are the groups that carry the fleet's key, in an emulated AWS that may
// not serve yet.
func (s *site) fleets() []string {
	record, now, err := s.lookup()
	if err != nil || now != serving {
		return nil
	}
	found, err := autoscaling.NewFromConfig(s.account(record)).DescribeAutoScalingGroups(s.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
	if err != nil {
		return nil
	}
	var names []string
	for _, group := range found.AutoScalingGroups {
		names = append(names, aws.ToString(group.AutoScalingGroupName))
	}
	return names
}

func TestAnEngineKilledWhileItMakesTheFleet(t *testing.T) {
	t.Run("up goes on", func(t *testing.T) {
		s := planned(t)
		s.killed("up", func() bool { return len(s.fleets()) > 0 })
		s.up()
		assert.Equal(t, siteFirstGroup, aws.ToString(s.live().AutoScalingGroupName))
		s.unchanged("after the second up")
		require.NoError(t, s.destroy())
		s.empty()
	})
	t.Run("destroy alone leaves nothing", func(t *testing.T) {
		s := planned(t)
		s.killed("up", func() bool { return len(s.fleets()) > 0 })
		s.connect()
		require.NoError(t, s.destroy())
		s.empty()
	})
}

func TestAnEngineKilledWhileItChangesTheFleet(t *testing.T) {
	s := built(t)
	s.released()
	live := aws.ToString(s.live().AutoScalingGroupName)
	s.set("fleet", "maxSize", 6)
	s.killed("up", func() bool { group, ok := s.groups()[live]; return ok && *group.MaxSize == 6 })
	s.up()
	group := s.live()
	assert.Equal(t, live, aws.ToString(group.AutoScalingGroupName))
	assert.EqualValues(t, 6, *group.MaxSize)
	s.unchanged("after the second up")
}

func TestAnEngineKilledWhileItDeletesTheFleet(t *testing.T) {
	s := built(t)
	s.released()
	s.killed("destroy", func() bool { return len(s.fleets()) == 0 })
	require.NoError(t, s.destroy())
	s.empty()
}

// slow makes deployments last: seconds in their termination wait of ten minutes.
func (s *site) slow(seconds float64) { s.order(map[string]any{"waits": seconds / 600}) }

func TestUpDuringARelease(t *testing.T) {
	s := built(t)
	s.released()
	s.run("refuses, and says what to do", func(t *testing.T) {
		s.slow(600)
		id := s.deploy()
		s.during("two groups", func() bool { return len(s.groups()) == 2 })
		s.unchanged("during a release")
		s.set("fleet", "maxSize", 5)
		_, err := s.Up(t.Context())
		require.ErrorContains(t, err, "deployment "+id)
		require.ErrorContains(t, err, "aws deploy stop-deployment --deployment-id "+id)
		for name, group := range s.groups() {
			assert.EqualValues(t, 4, *group.MaxSize, name)
		}
		_, err = s.deploying.StopDeployment(t.Context(), &codedeployapi.StopDeploymentInput{DeploymentId: &id})
		require.NoError(t, err)
		s.during("the end of the deployment", func() bool { return s.deployment(id).CompleteTime != nil })
		s.up()
		assert.EqualValues(t, 5, *s.groups()[aws.ToString(s.deploymentGroup().AutoScalingGroups[0].Name)].MaxSize)
		s.unchanged("after the second up")
	})
	s.run("waits with the deployment group's settings, too", func(t *testing.T) {
		s.slow(3)
		id := s.deploy()
		s.during("two groups", func() bool { return len(s.groups()) == 2 })
		s.set("release", "waitForDeploymentMinutes", 5)
		s.set("release", "terminationWaitMinutes", 11)
		s.up()
		group := s.deploymentGroup()
		require.Len(t, group.AutoScalingGroups, 1)
		assert.Equal(t, "CodeDeploy_"+siteDeploymentGroup+"_"+id, aws.ToString(group.AutoScalingGroups[0].Name), "never the group that the release has replaced")
		assert.EqualValues(t, 11, group.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes)
		s.unchanged("after the settings were changed")
	})
	s.run("waits, and changes the group that the release has made", func(t *testing.T) {
		s.slow(3)
		id := s.deploy()
		s.set("fleet", "maxSize", 6)
		s.set("release", "waitForDeploymentMinutes", 5)
		s.up()
		assert.Equal(t, codedeploytypes.DeploymentStatusSucceeded, s.deployment(id).Status)
		assert.EqualValues(t, 6, *s.groups()["CodeDeploy_"+siteDeploymentGroup+"_"+id].MaxSize)
		s.unchanged("after the up that waited")
	})
}

func TestAReleaseThatIsStopped(t *testing.T) {
	s := built(t)
	s.released()
	live := s.live()
	s.order(map[string]any{"eventSeconds": 0.5})
	id := s.deploy()
	s.during("two groups", func() bool { return len(s.groups()) == 2 })
	var stopped release.Result
	require.NoError(t, s.Release(t.Context(), Release{Options: release.Options{Output: io.Discard}}, stopping(&stopped, id)))
	require.Len(t, stopped.Deployments, 1)
	assert.Equal(t, release.RolledBack, stopped.Deployments[0].Outcome, "%+v", stopped.Deployments[0])
	assert.Equal(t, live.AutoScalingGroupName, s.live().AutoScalingGroupName)
	assert.ElementsMatch(t, ids(live), s.served())
	s.unchanged("after a release was stopped")
}

// What nobody sweeps: a failed deployment without rollback, made by hand.
func TestALeftoverIsNeitherChosenNorKept(t *testing.T) {
	s := planned(t)
	s.set("release", "rollback", false)
	s.up()
	s.released()
	live := aws.ToString(s.live().AutoScalingGroupName)
	s.order(map[string]any{"failures": []map[string]any{{"event": "ValidateService"}}})
	id := s.deploy()
	s.during("the end of the deployment", func() bool { return s.deployment(id).CompleteTime != nil })
	leftover := "CodeDeploy_" + siteDeploymentGroup + "_" + id
	require.ElementsMatch(t, []string{live, leftover}, slices.Collect(maps.Keys(s.groups())))

	s.unchanged("with a leftover")
	s.set("fleet", "maxSize", 6)
	var said logged
	s.Progress = &said
	s.up()
	s.Progress = io.Discard
	assert.Contains(t, said.String(), leftover, "it costs money, and somebody should know")
	assert.EqualValues(t, 6, *s.groups()[live].MaxSize)
	assert.EqualValues(t, 4, *s.groups()[leftover].MaxSize)
	require.NoError(t, s.destroy())
	s.empty()
}

func TestWhatWasDeletedByHandComesBack(t *testing.T) {
	s := built(t)
	s.released()
	s.run("the live group", func(t *testing.T) {
		_, err := s.scaling.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{
			AutoScalingGroupName: s.live().AutoScalingGroupName, ForceDelete: aws.Bool(true),
		})
		require.NoError(t, err)
		s.up()
		assert.Equal(t, siteFirstGroup, aws.ToString(s.live().AutoScalingGroupName))
		s.unchanged("after up has made the fleet again")
		s.released()
		s.unchanged("after the release that followed")
	})
	s.run("the deployment group", func(t *testing.T) {
		live := s.live()
		_, err := s.deploying.DeleteDeploymentGroup(t.Context(), &codedeployapi.DeleteDeploymentGroupInput{
			ApplicationName: aws.String(siteApplication), DeploymentGroupName: aws.String(siteDeploymentGroup),
		})
		require.NoError(t, err)
		s.up()
		assert.Equal(t, live.AutoScalingGroupName, s.live().AutoScalingGroupName, "no second fleet")
		assert.ElementsMatch(t, ids(live), ids(s.live()))
		s.unchanged("after up has made the deployment group again")
		s.released()
		s.unchanged("after the release that followed")
	})
}

func TestThrottling(t *testing.T) {
	s := built(t)
	s.throttle(map[string]int{"autoscaling": 2, "codedeploy": 2, "s3": 2, "elasticloadbalancing": 2})
	s.released()
	s.throttle(map[string]int{"autoscaling": 3, "codedeploy": 3, "ec2": 3})
	s.set("fleet", "maxSize", 5)
	s.up()
	assert.EqualValues(t, 5, *s.live().MaxSize)
	s.throttle(map[string]int{"autoscaling": 3, "codedeploy": 3})
	s.unchanged("while AWS throttles")
	s.throttle(map[string]int{"autoscaling": 3, "codedeploy": 3, "ec2": 3})
	require.NoError(t, s.destroy())
	s.empty()
}

func TestDestroyAfterARelease(t *testing.T) {
	t.Run("straight after", func(t *testing.T) {
		s := built(t)
		s.released()
		require.NoError(t, s.destroy())
		s.empty()
	})
	t.Run("after a failed one", func(t *testing.T) {
		s := built(t)
		s.released()
		s.order(map[string]any{"keepGreen": true, "failures": []map[string]any{{"event": "AfterInstall"}}})
		id := s.deploy()
		s.during("the end of the deployment", func() bool { return s.deployment(id).CompleteTime != nil })
		require.NoError(t, s.destroy())
		s.empty()
	})
	t.Run("in the middle of one, it refuses", func(t *testing.T) {
		s := built(t)
		s.released()
		s.slow(600)
		id := s.deploy()
		s.during("two groups", func() bool { return len(s.groups()) == 2 })
		require.ErrorContains(t, s.destroy(), "deployment "+id)
		assert.NotNil(t, s.deploymentGroup(), "a running release keeps its deployment group")
		assert.Len(t, s.groups(), 2)
		_, err := s.deploying.StopDeployment(t.Context(), &codedeployapi.StopDeploymentInput{DeploymentId: &id})
		require.NoError(t, err)
		s.during("the end of the deployment", func() bool { return s.deployment(id).CompleteTime != nil })
		require.NoError(t, s.destroy())
		s.empty()
	})
	t.Run("in the middle of one, told to stop it", func(t *testing.T) {
		s := planned(t)
		s.set("release", "stopOnDestroy", true)
		s.up()
		s.released()
		s.slow(600)
		id := s.deploy()
		s.during("two groups", func() bool { return len(s.groups()) == 2 })
		require.NoError(t, s.destroy())
		assert.Equal(t, codedeploytypes.DeploymentStatusStopped, s.deployment(id).Status)
		s.empty()
	})
}
