package sandbox

import (
	"context"
	"io"
	"strings"
	"testing"

	"bluegreen/internal/release"
	"bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	codedeployapi "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	codedeploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	siteWorkers = "web-sandbox-CeleryWorker"
	siteBeat    = "web-sandbox-CeleryBeat"
	siteCelery  = "web-sandbox-Celery"
)

// withCelery is a site whose workers have a broker, in a mode and not made yet.
func withCelery(t *testing.T, mode string) *site {
	t.Helper()
	s := planned(t)
	s.settings["environment"]["CELERY_BROKER_URL"] = "redis://elsewhere:6379/0"
	s.settings["celery"] = map[string]any{"mode": mode}
	configure(t, s.Sandbox, s.text())
	return s
}

// releaseAll releases the checkout, with more files or without, to every fleet.
func (s *site) releaseAll(more []string, failures ...codedeploy.Failure) release.Result {
	s.t.Helper()
	order := Release{Options: release.Options{Output: io.Discard, Source: release.Source{AllowDirty: true, Paths: more}}, Failures: failures}
	var result release.Result
	err := s.Release(s.t.Context(), order, func(ctx context.Context, options release.Options) (err error) {
		result, err = release.Run(ctx, options)
		return err
	})
	require.NoError(s.t, err)
	return result
}

// reached are the deployment groups that a release has deployed to.
func reached(result release.Result) (groups []string) {
	for _, deployment := range result.Deployments {
		groups = append(groups, deployment.Group)
	}
	return groups
}

// fleetOf is the Auto Scaling group that a deployment group names, and nothing
// of a release ever changes.
func (s *site) fleetOf(deploymentGroup string) autoscalingtypes.AutoScalingGroup {
	s.t.Helper()
	info := s.groupInfo(deploymentGroup)
	require.Len(s.t, info.AutoScalingGroups, 1)
	name := aws.ToString(info.AutoScalingGroups[0].Name)
	require.True(s.t, strings.HasPrefix(name, deploymentGroup+"-"), name)
	group, ok := s.groups()[name]
	require.True(s.t, ok, name)
	return group
}

func (s *site) groupInfo(name string) *codedeploytypes.DeploymentGroupInfo {
	s.t.Helper()
	found, err := s.deploying.GetDeploymentGroup(s.t.Context(), &codedeployapi.GetDeploymentGroupInput{
		ApplicationName: aws.String(siteApplication), DeploymentGroupName: &name,
	})
	require.NoError(s.t, err)
	return found.DeploymentGroupInfo
}

func TestWorkersAndBeatHaveFleetsOfTheirOwn(t *testing.T) {
	s := withCelery(t, "workerAndBeatFleets")
	s.settings["celery"]["worker"] = map[string]any{"minSize": 2, "maxSize": 3, "cpuTarget": 60}
	configure(t, s.Sandbox, s.text())
	summary := s.up()
	assert.Equal(t, []any{siteWorkers, siteBeat}, summary.Outputs["celeryDeploymentGroups"])
	s.unchanged("before a release")
	workers, beat := s.fleetOf(siteWorkers), s.fleetOf(siteBeat)
	assert.Len(t, workers.Instances, 2)
	assert.Len(t, beat.Instances, 1)

	result := s.releaseAll(nil)
	require.Equal(t, release.Succeeded, result.Outcome, "%+v", result)
	assert.Equal(t, []string{siteDeploymentGroup, siteWorkers, siteBeat}, reached(result))
	assert.Equal(t, ids(workers), ids(s.fleetOf(siteWorkers)), "in place")
	assert.Equal(t, ids(beat), ids(s.fleetOf(siteBeat)))
	assert.Len(t, s.groups(), 3)
	s.unchanged("after a release")

	s.run("an edit reaches the fleet between releases", func(t *testing.T) {
		s.settings["celery"]["worker"] = map[string]any{"minSize": 2, "maxSize": 5, "cpuTarget": 70}
		configure(t, s.Sandbox, s.text())
		require.NotContains(t, s.up().Changes, "replace")
		after := s.fleetOf(siteWorkers)
		assert.EqualValues(t, 5, *after.MaxSize)
		assert.Equal(t, ids(workers), ids(after))
		s.unchanged("after the edit")
	})
	s.run("workers that fail leave the site released", func(t *testing.T) {
		another := []string{"README.md"} // another bundle than before
		result := s.releaseAll(another, codedeploy.Failure{Event: "ApplicationStart", DeploymentGroup: siteWorkers})
		require.Equal(t, release.Attention, result.Outcome, "%+v", result)
		assert.Equal(t, release.Succeeded, result.Deployments[0].Outcome)
		assert.Equal(t, release.RolledBack, result.Deployments[1].Outcome)
		assert.Equal(t, []string{siteBeat}, result.NotStarted)
		web := s.deploymentGroup()
		assert.Equal(t, result.Deployments[0].ID, aws.ToString(web.LastSuccessfulDeployment.DeploymentId))
		s.unchanged("after the failure")

		result = s.releaseAll(another)
		require.Equal(t, release.Succeeded, result.Outcome, "%+v", result)
		assert.Equal(t, []string{siteWorkers, siteBeat}, reached(result), "the same again goes on where it failed")
		assert.Equal(t, web.AutoScalingGroups, s.deploymentGroup().AutoScalingGroups)
		assert.Equal(t, web.TargetRevision, s.groupInfo(siteBeat).TargetRevision)
	})
	s.run("a destroy does not pull a fleet from under its release", func(t *testing.T) {
		s.order(map[string]any{"eventSeconds": 60})
		made, err := s.deploying.CreateDeployment(t.Context(), &codedeployapi.CreateDeploymentInput{
			ApplicationName: aws.String(siteApplication), DeploymentGroupName: aws.String(siteBeat), Revision: s.groupInfo(siteBeat).TargetRevision,
		})
		require.NoError(t, err)
		require.ErrorContains(t, s.destroy(), "deployment "+aws.ToString(made.DeploymentId))
		assert.Len(t, s.fleetOf(siteBeat).Instances, 1)
		_, err = s.deploying.StopDeployment(t.Context(), &codedeployapi.StopDeploymentInput{DeploymentId: made.DeploymentId, AutoRollbackEnabled: aws.Bool(false)})
		require.NoError(t, err)
		s.order(map[string]any{"eventSeconds": 0})
	})
	require.NoError(t, s.destroy())
	s.empty()
}

func TestSwitchingCelerysModes(t *testing.T) {
	s := withCelery(t, "single")
	s.up()
	s.released()
	plain := s.networkParts()

	s.set("celery", "mode", "workerFleet")
	s.up()
	require.NotEmpty(t, s.fleetOf(siteCelery).Instances)
	result := s.releaseAll(nil)
	require.Equal(t, release.Succeeded, result.Outcome, "%+v", result)
	assert.Equal(t, []string{siteDeploymentGroup, siteCelery}, reached(result), "web instances give Celery up")
	s.unchanged("after a release with a worker fleet")

	s.set("celery", "mode", "workerAndBeatFleets")
	s.up()
	assert.Len(t, s.groups(), 3, "the fleet of both is gone")
	result = s.releaseAll(nil)
	require.Equal(t, release.Succeeded, result.Outcome, "%+v", result)
	assert.Equal(t, []string{siteDeploymentGroup, siteWorkers, siteBeat}, reached(result))
	s.unchanged("after a release with three fleets")

	s.set("celery", "mode", "single")
	s.up()
	s.live() // the only one
	s.released()
	s.unchanged("back beside web")
	left := s.networkParts()
	for _, kind := range []string{"security groups", "launch templates"} {
		assert.Equal(t, plain[kind], left[kind], kind)
	}
	require.NoError(t, s.destroy())
	s.empty()
}
