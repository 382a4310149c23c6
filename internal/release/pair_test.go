package release

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"bluegreen/infra/pair"
	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPair is a world with two permanent fleets: w.fleet with two instances, and
// another one with none.
func newPair(t *testing.T, settings standin.Settings, changes ...func(*codedeploy.CreateDeploymentGroupInput)) (w *world, other string) {
	w = newWorld(t, settings)
	other = w.fleet + "b"
	w.make(append(changes, func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption.Action = types.GreenFleetProvisioningActionDiscoverExisting
		in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess = &types.BlueInstanceTerminationOption{Action: types.InstanceActionKeepAlive}
	})...)
	key := asgtypes.Tag{Key: aws.String(pairTag), Value: aws.String(w.application + "/" + w.group), PropagateAtLaunch: aws.Bool(false)}
	w.launch(other, 0, "", key)
	key.ResourceId, key.ResourceType = &w.fleet, aws.String("auto-scaling-group")
	_, err := w.scaling.CreateOrUpdateTags(w.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []asgtypes.Tag{key}})
	require.NoError(t, err)
	return w, other
}

// asleep checks that a fleet has no instances.
func (w *world) asleep(name string) {
	w.Helper()
	g := w.asg(name)
	assert.Empty(w, g.Instances)
	assert.Zero(w, *g.MinSize+*g.DesiredCapacity)
	assert.EqualValues(w, 4, *g.MaxSize)
}

func TestAPairTakesTurns(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	folder := checkout(t)
	for i, want := range []string{other, w.fleet, other} {
		d := w.run(Succeeded, folder).Deployments[0]
		assert.Equal(t, want, d.Live, i)
		w.serves(want)
		assert.Len(t, w.asg(want).Instances, 2)
		assert.EqualValues(t, 2, *w.asg(want).MinSize)
		w.asleep(map[string]string{w.fleet: other, other: w.fleet}[want])
	}
	status, err := ReadStatus(w.ctx, w.options(""))
	require.NoError(t, err)
	assert.Equal(t, []string{other}, status.Groups[0].Live)
	assert.Equal(t, w.fleet, status.Groups[0].Idle)
	assert.Empty(t, status.Groups[0].Problems)
}

// An Auto Scaling group replaces the instances that CodeDeploy terminates in it.
func TestAPairWhoseOldInstancesCodeDeployTerminates(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	_, err := w.deploying.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: &w.application, CurrentDeploymentGroupName: &w.group,
		BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment},
			GreenFleetProvisioningOption:              &types.GreenFleetProvisioningOption{Action: types.GreenFleetProvisioningActionDiscoverExisting},
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{Action: types.InstanceActionTerminate, TerminationWaitTimeInMinutes: 10},
		},
	})
	require.NoError(t, err)
	w.run(Succeeded, checkout(t), func(o *Options) { o.WaitForTermination = false })
	w.serves(other)
	w.asleep(w.fleet)
}

func TestAPairAfterAFailure(t *testing.T) {
	for _, event := range []string{"Install", "AfterBlockTraffic"} {
		t.Run(event, func(t *testing.T) {
			w, other := newPair(t, standin.Settings{})
			folder := checkout(t)
			w.run(Succeeded, folder)
			w.fail(event)
			d := w.run(RolledBack, folder).Deployments[0]
			assert.Equal(t, other, d.Live)
			w.serves(other)
			w.asleep(w.fleet)
		})
	}
}

func TestAPairWithTrafficOnBothIsLeftAlone(t *testing.T) {
	w, other := newPair(t, standin.Settings{}, noRollback)
	w.fail("AfterAllowTraffic")
	result, err := Run(w.ctx, w.options(checkout(t)))
	w.as(Attention, result, err)
	assert.Contains(t, strings.Join(result.Deployments[0].Problems, "\n"), "set its size to 0")
	assert.Len(t, w.asg(w.fleet).Instances, 2)
	assert.Len(t, w.asg(other).Instances, 2)
}

func TestResumeFinishesAPair(t *testing.T) {
	for name, failing := range map[string]bool{"after a success": false, "after a failure": true} {
		t.Run(name, func(t *testing.T) {
			w, other := newPair(t, standin.Settings{})
			folder := checkout(t)
			w.run(Succeeded, folder)
			if failing {
				w.fail("ValidateService")
			}
			// What a process did that was killed when it had made the deployment.
			s, err := w.options(folder).open()
			require.NoError(t, err)
			made, err := s.order(w.ctx)
			require.NoError(t, err)
			id, err := s.create(w.ctx, w.group, made)
			require.NoError(t, err)

			for range 2 {
				result, err := Resume(w.ctx, w.options(""), id)
				if failing {
					w.as(RolledBack, result, err)
					w.serves(other)
					w.asleep(w.fleet)
				} else {
					w.as(Succeeded, result, err)
					w.serves(w.fleet)
					w.asleep(other)
				}
			}
		})
	}
}

func TestAPairThatGetsNoDeployment(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	w.intercept(func(out http.ResponseWriter, operation string) bool {
		if operation == "CreateDeployment" {
			answer(out, http.StatusBadRequest, "AccessDeniedException")
			return true
		}
		return false
	})
	_, err := Run(w.ctx, w.options(checkout(t)))
	require.ErrorContains(t, err, "AccessDeniedException")
	w.asleep(other)
	w.serves(w.fleet)
}

// The fleet that another pipeline's deployment needs is not ended.
func TestAPairThatAnotherPipelineTakesFirst(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	reached, release := w.hold("Install")
	defer release()
	s, err := w.options("").open()
	require.NoError(t, err)
	folder := checkout(t)
	s.Source = w.options(folder).Source
	made, err := s.order(w.ctx)
	require.NoError(t, err)
	id, err := s.tryCreate(w.ctx, w.group, made)
	require.NoError(t, err)
	reached()
	_, err = s.tryCreate(w.ctx, w.group, made)
	require.True(t, coded(err, limitExceeded), "%v", err)
	group, err := s.group(w.ctx, w.application, w.group)
	require.NoError(t, err)
	require.NoError(t, s.lull(w.ctx, group, half{name: other}))
	assert.Len(t, w.asg(other).Instances, 2)
	release()
	result, err := Resume(w.ctx, w.options(""), id)
	w.as(Succeeded, result, err)
	w.serves(other)
	w.asleep(w.fleet)
}

func TestAPairMustBeTwo(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption.Action = types.GreenFleetProvisioningActionDiscoverExisting
	})
	_, err := Run(w.ctx, w.options(checkout(t)))
	require.ErrorContains(t, err, "want two Auto Scaling groups with tag bluegreen:pair = "+w.application+"/"+w.group+", found 0")
}

func TestTheSizeOfTheNextFleet(t *testing.T) {
	for name, test := range map[string]struct {
		fleets           fleets
		minimum, desired int32
		wrong            string
	}{
		"as the live one":  {fleets{half{min: 1, desired: 3}, half{max: 4, tags: map[string]string{sizeTag: "2"}}}, 1, 3, ""},
		"as its tag says":  {fleets{half{}, half{max: 4, tags: map[string]string{sizeTag: "2"}}}, 2, 2, ""},
		"nobody says":      {fleets{half{name: "a"}, half{name: "b", max: 4, tags: map[string]string{sizeTag: "many"}}}, 0, 0, "a: has no instance"},
		"more than it may": {fleets{half{name: "a", min: 1, desired: 3}, half{name: "b", max: 2}}, 0, 0, "b: its maximum is 2"},
	} {
		minimum, desired, err := test.fleets.wanted()
		if test.wrong != "" {
			require.ErrorContains(t, err, test.wrong, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, []int32{test.minimum, test.desired}, []int32{minimum, desired}, name)
	}
}

// Whether CodeDeploy attaches groups that it has not copied, AWS does not say.
func TestTheLiveFleetOfAPairIsAttachedAndTheOtherIsNot(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	w.run(Succeeded, checkout(t))
	_, err := w.scaling.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: &other, TargetGroupARNs: []string{w.targetARN},
	})
	require.NoError(t, err)
	_, err = w.scaling.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: &w.fleet, TargetGroupARNs: []string{w.targetARN},
	})
	require.NoError(t, err)
	result, err := Resume(w.ctx, w.options(""), "last")
	w.as(Succeeded, result, err)
	w.serves(other)
	assert.Empty(t, w.asg(w.fleet).TargetGroupARNs)
}

func TestTheOldFleetOfAPairStaysForAWhile(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	wait := asgtypes.Tag{
		Key: aws.String(waitTag), Value: aws.String("600"), PropagateAtLaunch: aws.Bool(false),
		ResourceId: &w.fleet, ResourceType: aws.String("auto-scaling-group"),
	}
	_, err := w.scaling.CreateOrUpdateTags(w.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []asgtypes.Tag{wait}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	o := w.options(checkout(t))
	o.Output = writer(func(text []byte) (int, error) {
		if strings.Contains(string(text), w.fleet+" stays for") {
			cancel()
		}
		return len(text), nil
	})
	result, err := Run(ctx, o)
	w.as(Interrupted, result, err)
	w.serves(other)
	assert.Len(t, w.asg(w.fleet).Instances, 2, "the way back")

	at := time.Duration(0)
	o = w.options("")
	o.OldFleetStays = &at
	result, err = Resume(w.ctx, o, result.Deployments[0].ID)
	w.as(Succeeded, result, err)
	w.asleep(w.fleet)
}

// writer is a function as an io.Writer.
type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// The groups are made by the program, which this package does not import.
func TestTheTagsOfAPairAreThoseOfTheProgram(t *testing.T) {
	assert.Equal(t, pair.TagPair, pairTag)
	assert.Equal(t, pair.TagSize, sizeTag)
	assert.Equal(t, pair.TagTerminationWait, waitTag)
}
