package sandbox

import (
	"fmt"
	"testing"

	"bluegreen/internal/release"

	"github.com/aws/aws-sdk-go-v2/aws"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// turns are the two groups of mode pair: the one with instances, and the other.
func (s *site) turns() (live, idle autoscalingtypes.AutoScalingGroup) {
	s.t.Helper()
	groups := s.groups()
	a, b := groups[siteFirstGroup+"-a"], groups[siteFirstGroup+"-b"]
	require.Len(s.t, groups, 2)
	if len(a.Instances) > 0 {
		live, idle = a, b
	} else {
		live, idle = b, a
	}
	require.NotEmpty(s.t, live.Instances)
	require.Empty(s.t, idle.Instances)
	return live, idle
}

func TestTwoGroupsTakeTurns(t *testing.T) {
	s := planned(t)
	s.set("release", "mode", "pair")
	s.up()
	s.unchanged("before a release")
	for n := range 4 {
		_, idle := s.turns()
		deployment := s.released()
		live, _ := s.turns()
		require.Equal(t, aws.ToString(idle.AutoScalingGroupName), aws.ToString(live.AutoScalingGroupName), "the other one serves")
		assert.Equal(t, deployment.Live, aws.ToString(live.AutoScalingGroupName))
		require.ElementsMatch(t, ids(live), s.served())
		s.unchanged(fmt.Sprintf("after release %d", n+1))
	}
	s.run("a failed release", func(t *testing.T) {
		before, _ := s.turns()
		require.Equal(t, release.RolledBack, s.release("ValidateService").Outcome)
		after, _ := s.turns()
		assert.Equal(t, ids(before), ids(after))
		s.unchanged("after the failed release")
	})
	s.run("edits reach the group that serves", func(t *testing.T) {
		s.set("fleet", "maxSize", 6)
		s.set("fleet", "minSize", 3)
		s.up()
		live, idle := s.turns()
		assert.EqualValues(t, 6, *live.MaxSize)
		assert.EqualValues(t, 3, *live.MinSize)
		assert.EqualValues(t, 6, *idle.MaxSize)
		assert.EqualValues(t, 0, *idle.MinSize)
		s.unchanged("after the edit")
		s.released()
		live, _ = s.turns()
		assert.EqualValues(t, 3, *live.MinSize)
		s.unchanged("after the release that followed")
	})
	require.NoError(t, s.destroy())
	s.empty()
}

func TestSwitchingModes(t *testing.T) {
	s := built(t)
	s.released()
	s.set("release", "mode", "pair")
	s.up()
	s.unchanged("after the switch to pair")
	s.released()
	s.unchanged("after a release of the pair")
	s.set("release", "mode", "copy")
	s.up()
	assert.Equal(t, siteFirstGroup, aws.ToString(s.live().AutoScalingGroupName))
	s.unchanged("after the switch back")
	s.released()
	s.unchanged("after a release of the copy")
	require.NoError(t, s.destroy())
	s.empty()
}
