package release

import (
	"fmt"
	"strings"
	"testing"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARelease(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	id := git(t, folder, "rev-parse", "HEAD")

	result := w.run(Succeeded, folder)
	require.Len(t, result.Deployments, 1)
	d := result.Deployments[0]
	green := greenName(w.group, d.ID)
	assert.Equal(t, id+" Say hello", d.Description)
	assert.Equal(t, green, d.Live)
	assert.Equal(t, []string{green}, w.groups())
	w.serves(green)

	info, err := w.deploying.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &d.ID})
	require.NoError(t, err)
	assert.Equal(t, id+" Say hello", *info.DeploymentInfo.Description)
	assert.Equal(t, types.FileExistsBehaviorOverwrite, info.DeploymentInfo.FileExistsBehavior)
	at := info.DeploymentInfo.Revision.S3Location
	assert.Equal(t, "releases/"+w.application+"/bundle.tgz", *at.Key)
	assert.Equal(t, types.BundleTypeTarGZip, at.BundleType)
	object, err := w.objects.HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: at.Bucket, Key: at.Key})
	require.NoError(t, err)
	assert.Equal(t, strings.Trim(*object.ETag, `"`), *at.ETag)
	assert.EqualValues(t, result.Bundle.Size, *object.ContentLength)
	said := w.out.String()
	assert.Contains(t, said, "--resume "+d.ID)
	assert.Regexp(t, `green: ValidateService Succeeded on i-\w+.*, [0-9.]+m?s`, said)
	assert.Contains(t, said, " uploaded")

	w.out.Reset()
	w.run(Succeeded, folder)
	assert.Contains(t, w.out.String(), "is there already")
	assert.NotContains(t, w.out.String(), " uploaded")
	again, err := w.objects.HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: at.Bucket, Key: at.Key})
	require.NoError(t, err)
	assert.Equal(t, object.LastModified, again.LastModified)
}

func TestSuccessIsTrafficOnGreenAndBlueGoing(t *testing.T) {
	for name, atEnd := range map[string]bool{"the deployment group follows at once": false, "it follows at the end": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, standin.Settings{Waits: 1, SwitchAtEnd: atEnd}) // ten minutes
			w.make()
			d := w.run(Succeeded, checkout(t), func(o *Options) { o.WaitForTermination = false }).Deployments[0]
			assert.Equal(t, "InProgress", d.Status)
			green := greenName(w.group, d.ID)
			assert.Equal(t, green, d.Live)
			w.serves(green)
			assert.ElementsMatch(t, []string{w.fleet, green}, w.groups(), "blue is going, and not gone")
			assert.Contains(t, w.out.String(), "the old ones go in 10 minutes")

			o := w.options("")
			o.Timeout = 1
			late, err := Resume(w.ctx, o, d.ID)
			w.as(Attention, late, err)
			assert.Contains(t, late.Deployments[0].Problems[0], "bluegreen release --resume "+d.ID)

			_, err = w.deploying.ContinueDeployment(w.ctx, &codedeploy.ContinueDeploymentInput{
				DeploymentId: &d.ID, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait,
			})
			require.NoError(t, err)
			o.Timeout = testTime
			result, err := Resume(w.ctx, o, d.ID)
			w.as(Succeeded, result, err)
			assert.Equal(t, "Succeeded", result.Deployments[0].Status)
			assert.Equal(t, []string{green}, w.groups())
		})
	}
}

func TestNoTargetGroupAfterSuccess(t *testing.T) {
	copied := standin.CopyAll()
	copied.TargetGroups = false
	w := newWorld(t, standin.Settings{Copy: &copied})
	w.make()
	d := w.run(Attention, checkout(t)).Deployments[0]
	assert.Equal(t, "Succeeded", d.Status)
	require.NotEmpty(t, d.Problems)
	assert.Equal(t, fmt.Sprintf("target group %s is not attached to Auto Scaling group %s: what it launches gets no traffic; attach it with aws autoscaling attach-load-balancer-target-groups, or set fleet.copyLosses to repair and run pulumi up", w.targetGroup, greenName(w.group, d.ID)), d.Problems[0])
	assert.Equal(t, 3, d.Outcome.ExitCode())
}

func TestAFleetThatIsKeptNeedsAttention(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) {
		in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.Action = types.InstanceActionKeepAlive
	})
	d := w.run(Attention, checkout(t)).Deployments[0]
	assert.Contains(t, d.Problems[0], "KEEP_ALIVE")
}

func TestSeveralGroupsInOrder(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	workers := w.group + "-workers"
	w.launch(workers, 1, "")
	w.make(inPlace, func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentGroupName, in.AutoScalingGroups = &workers, []string{workers}
	})
	both := func(o *Options) { o.Groups = []string{w.group, workers} }
	folder := checkout(t)

	result := w.run(Succeeded, folder, both)
	require.Len(t, result.Deployments, 2)
	assert.Equal(t, w.group, result.Deployments[0].Group)
	assert.Equal(t, workers, result.Deployments[1].Group)
	first, err := w.deploying.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &result.Deployments[0].ID})
	require.NoError(t, err)
	second, err := w.deploying.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &result.Deployments[1].ID})
	require.NoError(t, err)
	assert.False(t, second.DeploymentInfo.CreateTime.Before(*first.DeploymentInfo.CompleteTime))
	assert.Equal(t, first.DeploymentInfo.Revision, second.DeploymentInfo.Revision)

	w.fail("ApplicationStart")
	result = w.run(RolledBack, folder, both)
	assert.Len(t, result.Deployments, 1)
	assert.Equal(t, []string{workers}, result.NotStarted)
}

// CodeDeploy tells about 25 targets at a time.
func TestMoreInstancesThanOneAnswerHas(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	large := w.fleet + "b"
	w.launch(large, 30, w.targetARN)
	_, err := w.scaling.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &w.fleet, TargetGroupARNs: []string{w.targetARN}})
	require.NoError(t, err)
	w.make(func(in *codedeploy.CreateDeploymentGroupInput) { in.AutoScalingGroups = []string{large} })
	d := w.run(Succeeded, checkout(t)).Deployments[0]
	s, err := w.options("").open()
	require.NoError(t, err)
	now, err := s.look(w.ctx, d.ID)
	require.NoError(t, err)
	assert.ElementsMatch(t, instancesOf(w.asg(d.Live)), now.instances(types.TargetLabelGreen))
	assert.Equal(t, "30 blue Succeeded, 30 green Succeeded", now.overview())
}

func TestAGitHubRevision(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	result := w.run(Succeeded, folder, func(o *Options) { o.Source = Source{Folder: folder, GitHub: "octo-org/site"} })
	assert.Nil(t, result.Bundle)
	assert.Equal(t, "github.com/octo-org/site@"+git(t, folder, "rev-parse", "HEAD"), result.Deployments[0].Revision)
}

func TestRedeployLastGood(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	_, err := RedeployLastGood(w.ctx, w.options(""))
	require.ErrorContains(t, err, "no deployment has succeeded yet")
	folder := checkout(t)
	good := w.run(Succeeded, folder).Deployments[0]
	commit(t, folder, "Break it")
	w.fail("ValidateService")
	w.run(RolledBack, folder)

	w.out.Reset()
	result, err := RedeployLastGood(w.ctx, w.options(""))
	w.as(Succeeded, result, err)
	assert.Equal(t, good.Revision, result.Deployments[0].Revision)
	assert.Contains(t, w.out.String(), "the last successful deployment is d-")
	assert.Equal(t, "again: "+good.Description, result.Deployments[0].Description)
	result, err = RedeployLastGood(w.ctx, w.options(""))
	w.as(Succeeded, result, err)
	assert.Equal(t, "again: "+good.Description, result.Deployments[0].Description)
}

func TestAnUploadNeedsItsBucket(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	o := w.options(checkout(t))
	o.Source.Bucket = w.bucket + "-gone"
	result, err := Run(w.ctx, o)
	require.ErrorContains(t, err, "s3://"+w.bucket+"-gone/releases/")
	assert.ErrorContains(t, err, "releaseBucket")
	assert.Equal(t, Failed, result.Outcome)
}

func TestAllThatIsMissingIsToldAtOnce(t *testing.T) {
	_, err := Run(t.Context(), Options{Output: new(strings.Builder)})
	for _, missing := range []error{errMissingApplication, errMissingGroup, errMissingRegion, errMissingBucket} {
		require.ErrorIs(t, err, missing)
	}
	_, err = Run(t.Context(), Options{
		Output: new(strings.Builder), AWS: aws.Config{Region: testRegion}, Application: "a", Groups: []string{"g"}, Poll: -1,
		Source: Source{GitHub: "name", Commit: "HEAD", AllowDirty: true},
	})
	for _, said := range []string{"poll: want 0 or more", "GitHub has no uncommitted changes", "want owner/name, got \"name\"", "a named commit has no uncommitted changes"} {
		require.ErrorContains(t, err, said)
	}
}
