package release

import (
	"context"
	"io"
	"strings"
	"testing"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailureAndItsRollback(t *testing.T) {
	for _, event := range []string{"DownloadBundle", "ValidateService", "AllowTraffic", "AfterAllowTraffic", "AfterBlockTraffic"} {
		for _, keep := range []bool{false, true} {
			t.Run(event+map[bool]string{true: ", CodeDeploy leaves green"}[keep], func(t *testing.T) {
				w := newWorld(t, standin.Settings{KeepGreen: keep})
				w.make()
				folder := checkout(t)
				live := w.run(Succeeded, folder).Deployments[0].Live
				commit(t, folder, "Break it")
				w.fail(event)

				d := w.run(RolledBack, folder).Deployments[0]
				assert.Equal(t, 2, d.Outcome.ExitCode())
				assert.Equal(t, "Failed", d.Status)
				require.NotNil(t, d.Failure)
				assert.Equal(t, "HEALTH_CONSTRAINTS", d.Failure.Code)
				assert.Equal(t, event, d.Failure.Event)
				assert.Len(t, d.Failure.Instances, 2)
				assert.Equal(t, "scripts/"+strings.ToLower(event), d.Failure.Script)
				assert.Equal(t, "first line\nno such table", d.Failure.Log)
				require.NotNil(t, d.Rollback)
				assert.NotEqual(t, d.ID, d.Rollback.ID)
				assert.Equal(t, "Succeeded", d.Rollback.Status)
				assert.Equal(t, live, d.Live)
				w.serves(live)
				assert.Equal(t, []string{live}, w.groups(), "nothing is left over")
				if keep {
					assert.Equal(t, []string{greenName(w.group, d.ID)}, d.Removed)
				}
				var report strings.Builder
				Result{Deployments: []Deployment{d}}.Report(&report)
				for _, said := range []string{"the site serves what it served before", "failed: " + event, "    no such table\n", d.Rollback.ID} {
					assert.Contains(t, report.String(), said)
				}
			})
		}
	}
}

func TestAFailureWithoutRollbackIsCleanedUp(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(noRollback)
	w.fail("ValidateService")
	d := w.run(RolledBack, checkout(t)).Deployments[0]
	assert.Nil(t, d.Rollback)
	assert.Equal(t, []string{greenName(w.group, d.ID)}, d.Removed)
	assert.Equal(t, []string{w.fleet}, w.groups())
	w.serves(w.fleet)
}

func TestGreenWithTrafficIsNeverRemoved(t *testing.T) {
	for _, event := range []string{"AfterAllowTraffic", "AfterBlockTraffic"} {
		t.Run(event, func(t *testing.T) {
			w := newWorld(t, standin.Settings{})
			w.make(noRollback)
			w.fail(event)
			d := w.run(Attention, checkout(t)).Deployments[0]
			green := greenName(w.group, d.ID)
			assert.Empty(t, d.Removed)
			assert.ElementsMatch(t, []string{w.fleet, green}, w.groups())
			said := strings.Join(d.Problems, "\n")
			assert.Contains(t, said, green+" of the failed deployment is still there")
			assert.Contains(t, said, "also sends traffic to")
		})
	}
}

func TestOnlyItsOwnGroupIsRemoved(t *testing.T) {
	w := newWorld(t, standin.Settings{KeepGreen: true})
	w.make()
	folder := checkout(t)
	w.run(Succeeded, folder)
	older := greenName(w.group, "d-AAAAAAAAA")
	w.launch(older, 1, "")
	w.fail("Install")
	d := w.run(RolledBack, folder).Deployments[0]
	assert.Equal(t, []string{greenName(w.group, d.ID)}, d.Removed)
	assert.Contains(t, w.groups(), older)
	status, err := ReadStatus(w.ctx, w.options(""))
	require.NoError(t, err)
	assert.Equal(t, []string{older}, status.Groups[0].Leftovers)
}

// The copy that a failed deployment left is kept when it is what the deployment
// group names, when a target group is attached, and when it has a target.
func TestSweepRefusesWhatMayBeLive(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	s, err := w.options("").open()
	require.NoError(t, err)
	id := "d-AAAAAAAAA"
	green := greenName(w.group, id)
	w.launch(green, 1, "")
	failed := snapshot{info: types.DeploymentInfo{DeploymentId: &id}}
	group, err := s.group(w.ctx, w.application, w.group)
	require.NoError(t, err)
	refuses := func(why string, group types.DeploymentGroupInfo) {
		t.Helper()
		problems, err := s.sweep(w.ctx, group, failed, &Deployment{Group: w.group})
		require.NoError(t, err)
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0], why)
		assert.Contains(t, w.groups(), green)
	}
	named := group
	named.AutoScalingGroups = []types.AutoScalingGroup{{Name: &green}}
	refuses("the deployment group names it", named)

	instance := instancesOf(w.asg(green))[0]
	_, err = w.balancing.RegisterTargets(w.ctx, &elasticloadbalancingv2.RegisterTargetsInput{
		TargetGroupArn: &w.targetARN, Targets: []elbtypes.TargetDescription{{Id: &instance}},
	})
	require.NoError(t, err)
	refuses("has its instances "+instance, group)
	_, err = w.balancing.DeregisterTargets(w.ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
		TargetGroupArn: &w.targetARN, Targets: []elbtypes.TargetDescription{{Id: &instance}},
	})
	require.NoError(t, err)

	_, err = w.scaling.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &green, TargetGroupARNs: []string{w.targetARN}})
	require.NoError(t, err)
	refuses("a target group is attached to it", group)
	_, err = w.scaling.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &green, TargetGroupARNs: []string{w.targetARN}})
	require.NoError(t, err)

	d := &Deployment{Group: w.group}
	problems, err := s.sweep(w.ctx, group, failed, d)
	require.NoError(t, err)
	assert.Empty(t, problems)
	assert.Equal(t, []string{green}, d.Removed)
	assert.Equal(t, []string{w.fleet}, w.groups())
}

func TestAFailedRollbackNeedsAttention(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	w.run(Succeeded, folder)
	w.change(func(s *standin.Settings) {
		s.Failures = []standin.Failure{{Event: "AfterAllowTraffic"}, {Event: "AllowTraffic", Rollback: true}}
	})
	d := w.run(Attention, folder).Deployments[0]
	assert.Equal(t, "Failed", d.Rollback.Status)
	assert.Contains(t, strings.Join(d.Problems, "\n"), "the rollback "+d.Rollback.ID+" is Failed")
}

func TestAFailureInPlace(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(inPlace, noRollback)
	w.fail("ApplicationStart")
	d := w.run(Attention, checkout(t)).Deployments[0]
	assert.Contains(t, d.Problems[0], "instances may have either revision")
	w.run(Succeeded, checkout(t))
}

func TestADeploymentThatNeverGotToAnInstance(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.OneAtATime")
	})
	_, err := w.scaling.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &w.fleet, MinSize: aws.Int32(0), DesiredCapacity: aws.Int32(0),
	})
	require.NoError(t, err)
	d := w.run(Attention, checkout(t)).Deployments[0]
	assert.Equal(t, "NO_INSTANCES", d.Failure.Code)
	assert.Empty(t, d.Failure.Event)
	assert.NotEmpty(t, d.Problems)
}

func TestStop(t *testing.T) {
	for _, event := range []string{"ApplicationStart", "AfterAllowTraffic"} {
		t.Run(event, func(t *testing.T) {
			w := newWorld(t, standin.Settings{})
			w.make()
			folder := checkout(t)
			live := w.run(Succeeded, folder).Deployments[0].Live
			_, err := Stop(w.ctx, w.options(""), "")
			require.ErrorContains(t, err, "no deployment is under way")

			reached, release := w.hold(event)
			defer release()
			id := w.deploy()
			reached()
			o := w.options("")
			done := make(chan struct{})
			go func() { // a rollback has the same event
				defer close(done)
				for w.status(id) != types.DeploymentStatusStopped && w.ctx.Err() == nil {
					continue
				}
				release()
			}()
			result, err := Stop(w.ctx, o, "")
			<-done
			w.as(RolledBack, result, err)
			d := result.Deployments[0]
			assert.Equal(t, id, d.ID)
			assert.Equal(t, "Stopped", d.Status)
			assert.Equal(t, "MANUAL_STOP", d.Failure.Code)
			assert.Equal(t, "Succeeded", d.Rollback.Status)
			assert.Equal(t, []string{live}, w.groups())
			w.serves(live)

			_, err = Stop(w.ctx, o, id)
			require.ErrorContains(t, err, "already completed")
		})
	}
}

func (w *world) status(id string) types.DeploymentStatus {
	out, err := w.deploying.GetDeployment(context.Background(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return types.DeploymentStatusStopped
	}
	return out.DeploymentInfo.Status
}

func TestStopInTheTerminationWait(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	live := w.run(Succeeded, folder).Deployments[0].Live
	w.change(func(s *standin.Settings) { s.Waits = 1 })
	id := w.run(Succeeded, folder, func(o *Options) { o.WaitForTermination = false }).Deployments[0].ID
	result, err := Stop(w.ctx, w.options(""), id)
	w.as(RolledBack, result, err)
	assert.Equal(t, live, result.Deployments[0].Live)
	w.serves(live)
}

func TestResumeAfterAnInterruption(t *testing.T) {
	for name, failing := range map[string]bool{"that succeeds": false, "that fails": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, standin.Settings{KeepGreen: true})
			w.make()
			folder := checkout(t)
			w.run(Succeeded, folder)
			if failing {
				w.fail("AfterAllowTraffic")
			}
			reached, release := w.hold("Install")
			defer release()
			ctx, interrupt := context.WithCancel(w.ctx)
			go func() {
				reached()
				interrupt()
			}()
			result, err := Run(ctx, w.options(folder))
			require.NoError(t, err)
			assert.Equal(t, Interrupted, result.Outcome)
			assert.Equal(t, 130, result.Outcome.ExitCode())
			id := result.Deployments[0].ID
			assert.Equal(t, types.DeploymentStatusInProgress, w.status(id), "it goes on")
			var report strings.Builder
			result.Report(&report)
			assert.Contains(t, report.String(), "bluegreen release --resume "+id)
			release()

			o := w.options("")
			o.Application, o.Groups = "", nil // the deployment knows them
			result, err = Resume(w.ctx, o, id)
			want := map[bool]Outcome{false: Succeeded, true: RolledBack}[failing]
			w.as(want, result, err)
			assert.Equal(t, []string{result.Deployments[0].Live}, w.groups())
			w.serves(result.Deployments[0].Live)

			result, err = Resume(w.ctx, w.options(""), "last")
			w.as(want, result, err)
			assert.Equal(t, id, result.Deployments[0].ID, "of a rollback, the one that it rolls back")
		})
	}
}

func TestResumeOfAnOldDeploymentTouchesNothing(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	old := w.run(Succeeded, folder).Deployments[0].ID
	live := w.run(Succeeded, folder).Deployments[0].Live
	result, err := Resume(w.ctx, w.options(""), old)
	w.as(Succeeded, result, err)
	assert.Contains(t, w.out.String(), "came after "+old)
	w.serves(live)
	_, err = Resume(w.ctx, w.options(""), "d-ZZZZZZZZZ")
	require.ErrorContains(t, err, "d-ZZZZZZZZZ")
	o := w.options("")
	o.Groups, o.Output = nil, io.Discard
	_, err = Resume(w.ctx, o, "last")
	require.ErrorIs(t, err, errMissingGroup)
}
