package release

import (
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

// A deployment group that names what is gone: any other group may be all that the
// site has left.
func TestADeploymentGroupThatNamesNothing(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	live := w.run(Succeeded, folder).Deployments[0].Live
	gone := w.fleet + "-gone"
	w.launch(gone, 0, "")
	_, err := w.deploying.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: &w.application, CurrentDeploymentGroupName: &w.group, AutoScalingGroups: []string{gone},
	})
	require.NoError(t, err)
	_, err = w.scaling.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &gone, ForceDelete: aws.Bool(true)})
	require.NoError(t, err)

	status, err := ReadStatus(w.ctx, w.options(""))
	require.NoError(t, err)
	assert.Empty(t, status.Groups[0].Leftovers, "%s serves", live)
	assert.Contains(t, strings.Join(status.Groups[0].Problems, "\n"), gone+" does not exist")
	before := len(status.Groups[0].Deployments)
	_, err = Run(w.ctx, w.options(folder))
	require.ErrorContains(t, err, w.group+": names "+gone+", and not all of it exists; run pulumi up")
	status, err = ReadStatus(w.ctx, w.options(""))
	require.NoError(t, err)
	assert.Len(t, status.Groups[0].Deployments, before, "no deployment that could only fail")
	w.serves(live)
}
