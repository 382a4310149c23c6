package sandbox

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"bluegreen/internal/release"
	"bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// another is an image that the stack does not use yet.
func (s *site) another(image string) string {
	s.t.Helper()
	found, err := s.machines.DescribeImages(s.t.Context(), &ec2.DescribeImagesInput{Owners: []string{"099720109477"}, Filters: []ec2types.Filter{
		{Name: aws.String("architecture"), Values: []string{"x86_64"}},
	}})
	require.NoError(s.t, err)
	at := slices.IndexFunc(found.Images, func(i ec2types.Image) bool { return aws.ToString(i.ImageId) != image })
	require.GreaterOrEqual(s.t, at, 0)
	return aws.ToString(found.Images[at].ImageId)
}

func (s *site) imageOf(instance string) string {
	s.t.Helper()
	found, err := s.machines.DescribeInstances(s.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{instance}})
	require.NoError(s.t, err)
	return aws.ToString(found.Reservations[0].Instances[0].ImageId)
}

func typesOf(group autoscalingtypes.AutoScalingGroup) (types []string) {
	for _, override := range group.MixedInstancesPolicy.LaunchTemplate.Overrides {
		types = append(types, aws.ToString(override.InstanceType))
	}
	return types
}

// The promise of this project: after any release nothing is to be done, and an
// edit reaches the group that CodeDeploy made.
func TestTenReleases(t *testing.T) {
	s := built(t)
	assert.Equal(t, siteFirstGroup, aws.ToString(s.live().AutoScalingGroupName))
	s.unchanged("before a release")
	image := s.imageOf(ids(s.live())[0])
	edits := map[int]struct {
		name  string
		value any
		check func(autoscalingtypes.AutoScalingGroup)
	}{
		2: {"maxSize", 5, func(g autoscalingtypes.AutoScalingGroup) { assert.EqualValues(t, 5, *g.MaxSize) }},
		4: {"instanceTypes", []string{"t3.small", "t3a.small"}, func(g autoscalingtypes.AutoScalingGroup) {
			assert.Equal(t, []string{"t3.small", "t3a.small"}, typesOf(g))
		}},
		6: {"imageId", s.another(image), func(autoscalingtypes.AutoScalingGroup) {}}, // reaches the instances of the next release
		8: {"minSize", 3, func(g autoscalingtypes.AutoScalingGroup) {
			assert.EqualValues(t, 3, *g.MinSize)
			assert.Len(t, g.Instances, 3)
		}},
	}
	before := s.live()
	for n := range 10 {
		deployment := s.released()
		live := s.live()
		require.Equal(t, "CodeDeploy_"+siteDeploymentGroup+"_"+deployment.ID, aws.ToString(live.AutoScalingGroupName))
		require.NotEqual(t, ids(before), ids(live))
		require.ElementsMatch(t, ids(live), s.served(), "the load balancer has the new instances and no others")
		s.unchanged(fmt.Sprintf("after release %d", n+1))
		before = live
		edit, edited := edits[n]
		if !edited {
			continue
		}
		s.set("fleet", edit.name, edit.value)
		summary := s.up()
		require.NotContains(t, summary.Changes, "replace")
		require.NotContains(t, summary.Changes, "create")
		after := s.live()
		require.Equal(t, live.AutoScalingGroupName, after.AutoScalingGroupName)
		edit.check(after)
		s.unchanged("after the edit of " + edit.name)
		before = after
	}
	assert.Equal(t, s.settings["fleet"]["imageId"], s.imageOf(ids(s.live())[0]))
	require.NoError(t, s.destroy())
	s.empty()
}

// Whatever CodeDeploy copies: AWS does not say.
func TestReleasesThatCopyNothing(t *testing.T) {
	s := planned(t)
	s.settings["fleet"]["targetTracking"] = map[string]any{"cpu": map[string]any{"metric": "ASGAverageCPUUtilization", "target": 50}}
	s.settings["fleet"]["schedules"] = map[string]any{"morning": map[string]any{"recurrence": "0 7 * * *", "desiredSize": 2}}
	s.set("release", "terminationWaitMinutes", 0)
	s.up()
	s.order(map[string]any{"copy": map[string]any{
		"tags": false, "targetGroups": false, "mixedInstancesPolicy": false, "capacityRebalance": false, "terminationPolicies": false,
		"scalingPolicies": false, "scheduledActions": false, "notifications": false, "lifecycleHooks": false, "metrics": false,
	}, "switchAtEnd": true})
	for n := range 2 {
		deployment := s.release()
		assert.Equal(t, release.Attention, deployment.Outcome, "a live group without target group is not passed over")
		live := s.live()
		require.Empty(t, live.TargetGroupARNs)
		s.unchanged(fmt.Sprintf("after release %d", n+1))
	}
	s.set("fleet", "copyLosses", "repair")
	s.up()
	live := s.live()
	assert.Len(t, live.TargetGroupARNs, 1)
	assert.NotNil(t, live.MixedInstancesPolicy)
	assert.True(t, aws.ToBool(live.CapacityRebalance))
	keys := []string{}
	for _, tag := range live.Tags {
		keys = append(keys, aws.ToString(tag.Key))
	}
	assert.Subset(t, keys, []string{"bluegreen:fleet", "Project", "Environment", "ManagedBy", "Name"})
	s.unchanged("after the repair")
	require.NoError(t, s.destroy())
	s.empty()
}

// A release that fails, wherever, leaves the site and the state as they were.
func TestFailedReleases(t *testing.T) {
	s := built(t)
	s.released()
	live := s.live()
	events := []string{
		"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService",
		"BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic", "BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic",
	}
	for _, event := range events {
		deployment := s.release(event)
		require.Equal(t, release.RolledBack, deployment.Outcome, "%s: %+v", event, deployment)
		require.NotNil(t, deployment.Failure)
		assert.Equal(t, event, deployment.Failure.Event)
		assert.Equal(t, "ordered by a test", deployment.Failure.Log)
		require.NotNil(t, deployment.Rollback)
		require.Equal(t, live.AutoScalingGroupName, s.live().AutoScalingGroupName, event)
		require.ElementsMatch(t, ids(live), s.served(), event)
		changes, err := s.Preview(t.Context(), RefreshAsConfigured)
		require.NoError(t, err)
		require.Empty(t, changes.Steps, event)
	}
	s.unchanged("after all of them")
	s.run("an order that befell no deployment is forgotten", func(t *testing.T) {
		order := Release{Options: release.Options{Output: io.Discard, Source: release.Source{Commit: "no-such-commit"}}, Failures: []codedeploy.Failure{{Event: "Install"}}}
		err := s.Release(t.Context(), order, func(ctx context.Context, options release.Options) error {
			_, err := release.Run(ctx, options)
			return err
		})
		require.ErrorContains(t, err, "no-such-commit")
	})
	s.released()
	s.unchanged("after the release that worked")
}

// Nothing is asked twice: a check that finds what is there proves that it would
// find what is left.
func TestNothingIsLeftIsAsked(t *testing.T) {
	s := built(t)
	for kind, count := range s.networkParts() {
		assert.NotZero(t, count, kind)
	}
	require.NoError(t, s.destroy())
	s.empty()
}
