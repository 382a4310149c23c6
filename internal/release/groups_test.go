package release

import (
	"context"
	"strings"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newFleets is a world with a web fleet, workers and beat, released to in this
// order.
func newFleets(t *testing.T) (w *world, workers, beat string, all func(*Options)) {
	t.Helper()
	w = newWorld(t, standin.Settings{})
	w.make()
	_, err := w.objects.PutBucketVersioning(w.ctx, &s3.PutBucketVersioningInput{Bucket: &w.bucket, VersioningConfiguration: &s3types.VersioningConfiguration{
		Status: s3types.BucketVersioningStatusEnabled,
	}})
	require.NoError(t, err)
	workers, beat = w.group+"-CeleryWorker", w.group+"-CeleryBeat"
	w.worker(workers)
	w.worker(beat)
	return w, workers, beat, func(o *Options) { o.Groups = []string{w.group, workers, beat} }
}

// worker makes a fleet that is released to in place.
func (w *world) worker(name string) {
	w.Helper()
	w.launch(name, 1, "")
	w.make(inPlace, func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentGroupName, in.AutoScalingGroups = &name, []string{name}
	})
}

func (w *world) failIn(group, event string) {
	w.Helper()
	w.change(func(s *standin.Settings) {
		s.Failures = append(s.Failures, standin.Failure{Event: event, DeploymentGroup: group})
	})
}

func groupsOf(result Result) (groups []string) {
	for _, d := range result.Deployments {
		groups = append(groups, d.Group)
	}
	return groups
}

func TestAReleaseThatFailedHalfWayIsFinishedByRunningItAgain(t *testing.T) {
	w, workers, beat, all := newFleets(t)
	folder := checkout(t)
	result := w.run(Succeeded, folder, all)
	require.Equal(t, []string{w.group, workers, beat}, groupsOf(result))
	assert.Equal(t, []bool{false, true, true}, []bool{result.Deployments[0].InPlace, result.Deployments[1].InPlace, result.Deployments[2].InPlace})

	put(t, folder, "app/data.txt", "more\n")
	commit(t, folder, "Say more")
	w.failIn(workers, "ApplicationStart")
	result = w.run(Attention, folder, all)
	require.Equal(t, []string{w.group, workers}, groupsOf(result))
	assert.Equal(t, 3, result.Outcome.ExitCode(), "the fleets have different revisions")
	assert.Equal(t, Succeeded, result.Deployments[0].Outcome)
	assert.Equal(t, RolledBack, result.Deployments[1].Outcome)
	assert.Equal(t, "Succeeded", result.Deployments[1].Rollback.Status)
	assert.Equal(t, []string{beat}, result.NotStarted)
	var report strings.Builder
	result.Report(&report)
	assert.Contains(t, report.String(), "its instances run what they ran before")
	assert.NotContains(t, report.String(), "the site serves what it served before")
	assert.Contains(t, report.String(), "Released to "+w.group+", not to "+workers+", "+beat+": the same release, run again, goes on there\n")

	w.serves(result.Deployments[0].Live)
	again := w.run(Succeeded, folder, all)
	assert.Equal(t, []string{workers, beat}, groupsOf(again))
	assert.Equal(t, []string{w.group}, again.Reached)
	w.serves(result.Deployments[0].Live)
	assert.Contains(t, w.out.String(), w.group+": has ")

	anew := w.run(Succeeded, folder, all)
	assert.Equal(t, []string{w.group, workers, beat}, groupsOf(anew), "with nothing missing, all of it is released anew")
	assert.Empty(t, anew.Reached)
}

// A bucket may keep no versions: then what is in the bundle tells.
func TestAnotherCommitIsNoRestOfARelease(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	workers := w.group + "-CeleryWorker"
	w.worker(workers)
	all := func(o *Options) { o.Groups = []string{w.group, workers} }
	folder := checkout(t)
	w.failIn(workers, "Install")
	w.run(Attention, folder, all)
	put(t, folder, "app/data.txt", "more\n")
	commit(t, folder, "Say more")
	assert.Equal(t, []string{w.group, workers}, groupsOf(w.run(Succeeded, folder, all)))
}

// The fleets that a stack has got since the last release may take work from the
// web instances, which then have to change, too.
func TestANewGroupIsNoRestOfARelease(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	w.run(Succeeded, folder)
	workers := w.group + "-CeleryWorker"
	w.worker(workers)
	both := func(o *Options) { o.Groups = []string{w.group, workers} }
	assert.Equal(t, []string{w.group, workers}, groupsOf(w.run(Succeeded, folder, both)))
}

// A web fleet that only waits to end its old instances has the release.
func TestTheRestOfAReleaseDoesNotWaitForTheOldFleet(t *testing.T) {
	w, workers, beat, all := newFleets(t)
	folder := checkout(t)
	w.run(Succeeded, folder, all)
	w.change(func(s *standin.Settings) { s.Waits = 1 })
	going := func(o *Options) { o.WaitForTermination = false }
	put(t, folder, "app/data.txt", "more\n")
	commit(t, folder, "Say more")
	w.failIn(beat, "Install")
	result := w.run(Attention, folder, all, going)
	web := result.Deployments[0].ID
	assert.Equal(t, types.DeploymentStatusInProgress, w.status(web))
	again := w.run(Succeeded, folder, all, going)
	assert.Equal(t, []string{beat}, groupsOf(again))
	assert.Equal(t, []string{w.group, workers}, again.Reached)
	assert.Equal(t, types.DeploymentStatusInProgress, w.status(web), "nobody waited for it, and nobody stopped it")
}

// A pair of which both still run has its release only when the old one is ended.
func TestAPairThatWasNotFinishedIsReleasedToAgain(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	workers := w.group + "-CeleryWorker"
	w.worker(workers)
	both := func(o *Options) { o.Groups = []string{w.group, workers} }
	folder := checkout(t)
	w.run(Succeeded, folder, both)
	w.serves(other)
	put(t, folder, "app/data.txt", "more\n")
	commit(t, folder, "Say more")
	_, err := w.scaling.CreateOrUpdateTags(w.ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []asgtypes.Tag{{
		ResourceId: &other, ResourceType: aws.String("auto-scaling-group"), Key: aws.String(waitTag), Value: aws.String("60"), PropagateAtLaunch: aws.Bool(false),
	}}})
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(w.ctx)
	defer interrupt()
	o := w.options(folder)
	both(&o)
	o.Output = writer(func(text []byte) (int, error) {
		if strings.Contains(string(text), "stays for") {
			interrupt()
		}
		return len(text), nil
	})
	result, err := Run(ctx, o)
	require.NoError(t, err)
	require.Equal(t, Interrupted, result.Outcome)

	at := time.Duration(0)
	again := w.run(Succeeded, folder, both, func(o *Options) { o.OldFleetStays = &at })
	assert.Equal(t, []string{w.group, workers}, groupsOf(again))
	assert.Empty(t, again.Reached)
	w.asleep(map[string]string{w.fleet: other, other: w.fleet}[again.Deployments[0].Live])
}

func TestStopTakesTheNewest(t *testing.T) {
	w, workers, _, all := newFleets(t)
	folder := checkout(t)
	w.run(Succeeded, folder, all)
	w.change(func(s *standin.Settings) { s.Waits = 1 })
	web := w.run(Succeeded, folder, func(o *Options) { o.WaitForTermination = false }).Deployments[0].ID
	reached, release := w.hold("Install")
	defer release()
	made, err := w.deploying.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: &w.application, DeploymentGroupName: &workers})
	require.NoError(t, err)
	reached()
	o := w.options("")
	all(&o)
	stopped, err := Stop(w.ctx, o, "")
	w.as(RolledBack, stopped, err)
	assert.Equal(t, *made.DeploymentId, stopped.Deployments[0].ID)
	assert.Contains(t, w.out.String(), "deployment "+web+" of "+w.group+" is under way, too, and goes on")
	assert.Equal(t, types.DeploymentStatusInProgress, w.status(web))
}

func TestResumeSaysWhatIsMissing(t *testing.T) {
	w, workers, beat, all := newFleets(t)
	folder := checkout(t)
	w.run(Succeeded, folder, all)
	put(t, folder, "app/data.txt", "more\n")
	commit(t, folder, "Say more")
	w.run(Succeeded, folder) // and then the pipeline was killed
	o := w.options("")
	all(&o)
	result, err := Resume(w.ctx, o, "last")
	w.as(Succeeded, result, err)
	assert.Equal(t, []string{workers, beat}, result.NotStarted)
	assert.Equal(t, []string{workers, beat}, groupsOf(w.run(Succeeded, folder, all)))
	result, err = Resume(w.ctx, o, "last")
	w.as(Succeeded, result, err)
	assert.Empty(t, result.NotStarted)
}

func TestGoingBackTouchesNothingUnlessEachGroupCan(t *testing.T) {
	w, workers, _, all := newFleets(t)
	folder := checkout(t)
	web := w.run(Succeeded, folder).Deployments[0].Live
	o := w.options("")
	all(&o)
	_, err := RedeployLastGood(w.ctx, o)
	require.ErrorContains(t, err, workers+": no deployment has succeeded yet")
	w.serves(web)

	w.run(Succeeded, folder, all)
	result, err := RedeployLastGood(w.ctx, o)
	w.as(Succeeded, result, err)
	assert.Equal(t, o.Groups, groupsOf(result))
}

func TestStatusOfSeveralGroups(t *testing.T) {
	w, workers, beat, all := newFleets(t)
	w.run(Succeeded, checkout(t), all)
	o := w.options("")
	all(&o)
	status, err := ReadStatus(w.ctx, o)
	require.NoError(t, err)
	require.Len(t, status.Groups, 3)
	for i, name := range []string{workers, beat} {
		assert.Equal(t, []string{name}, status.Groups[i+1].Live)
		assert.Equal(t, status.Groups[0].Revision, status.Groups[i+1].Revision)
		assert.Empty(t, status.Groups[i+1].Problems)
		assert.Empty(t, status.Groups[i+1].Leftovers)
	}
}

// One at a time, CodeDeploy puts up with the failure of the last instance.
func TestAnInstanceThatFailedIsNamed(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	workers := w.group + "-CeleryWorker"
	w.launch(workers, 2, "")
	oneAtATime := "CodeDeployDefault.OneAtATime"
	w.make(inPlace, func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentGroupName, in.AutoScalingGroups, in.DeploymentConfigName = &workers, []string{workers}, &oneAtATime
	})
	only := func(o *Options) { o.Groups = []string{workers} }
	folder := checkout(t)
	order := w.run(Succeeded, folder, only).Deployments[0]
	s, err := w.options("").open()
	require.NoError(t, err)
	now, err := s.look(w.ctx, order.ID)
	require.NoError(t, err)
	last := now.targets[0]
	for _, target := range now.targets {
		if target.LifecycleEvents[0].StartTime.After(*last.LifecycleEvents[0].StartTime) {
			last = target
		}
	}
	w.change(func(s *standin.Settings) {
		s.Failures = []standin.Failure{{Event: "Install", Instance: *last.TargetId, DeploymentGroup: workers}}
	})
	d := w.run(Attention, folder, only).Deployments[0]
	assert.Equal(t, "Succeeded", d.Status)
	assert.Contains(t, strings.Join(d.Problems, "\n"), "failed on instance "+*last.TargetId)
}
