package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bluegreen/internal/cost"
	"bluegreen/internal/preview"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// priced are the properties that an estimate reads. Others, such as names with
// random characters, differ from run to run.
var priced = []string{
	"region", "tier", "mapPublicIpOnLaunch", "enableKeyRotation", "metricQueries",
	"instanceTypes", "minSize", "maxSize", "desiredCapacity", "onDemandBaseCapacity", "onDemandPercentageAboveBaseCapacity",
	"launchTemplateId", "mixedInstancesPolicy", "instanceType", "blockDeviceMappings",
	"deploymentGroup", "deploymentGroupName", "blueGreenDeploymentConfig",
	"loadBalancerType", "internal", "ipAddressType", "subnets", "vpcEndpointType", "subnetIds",
	"engine", "instanceClass", "multiAz", "allocatedStorage", "storageType", "maxAllocatedStorage", "enabledCloudwatchLogsExports",
	"nodeType", "numCacheClusters", "snapshotRetentionLimit",
}

// traced are the properties whose resources an estimate looks for.
var traced = []string{"launchTemplateId", "mixedInstancesPolicy", "subnets"}

// reduced is a digest with what an estimate reads.
func reduced(digest preview.Digest) preview.Digest {
	small := preview.Digest{ChangeSummary: digest.ChangeSummary}
	for _, step := range digest.Steps {
		state := *step.NewState
		state.Outputs, state.Inputs = nil, only(priced, state.Inputs)
		state.PropertyDependencies = only(traced, state.PropertyDependencies)
		for _, from := range state.PropertyDependencies {
			slices.Sort(from)
		}
		small.Steps = append(small.Steps, preview.Step{Op: step.Op, URN: step.URN, NewState: &state})
	}
	slices.SortFunc(small.Steps, func(a, b preview.Step) int { return bytes.Compare([]byte(a.URN), []byte(b.URN)) })
	return small
}

func only[V any](names []string, all map[string]V) map[string]V {
	kept := map[string]V{}
	for _, name := range names {
		if value, there := all[name]; there {
			kept[name] = value
		}
	}
	return kept
}

// lines is a digest as JSON, a line for each resource.
func lines(t *testing.T, digest preview.Digest) []byte {
	t.Helper()
	var text bytes.Buffer
	summary, err := json.Marshal(digest.ChangeSummary)
	require.NoError(t, err)
	fmt.Fprintf(&text, "{\"changeSummary\": %s, \"steps\": [", summary)
	between := "\n"
	for _, step := range digest.Steps {
		line, err := json.Marshal(step)
		require.NoError(t, err)
		fmt.Fprintf(&text, "%s%s", between, line)
		between = ",\n"
	}
	text.WriteString("\n]}\n")
	return text.Bytes()
}

// The digests that internal/cost is tested with, and that docs/cost.md is made
// from, are those of the stacks' real files.
func TestTheEstimatesAreOfTheRealStacks(t *testing.T) {
	s := stand(t, Platform(), "config: {}\n")
	for _, name := range []string{"prod", "staging", "sandbox"} {
		file, err := filepath.Abs("Pulumi." + name + ".yaml")
		require.NoError(t, err)
		changes, digest, _ := digested(t, s, func() (Changes, error) { return s.PreviewFile(t.Context(), file) })
		if name == "prod" {
			wantDigestOfProduction(t, changes, digest)
		}
		text := lines(t, reduced(digest))
		kept := filepath.Join("internal", "cost", "testdata", name+".json")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o750))
			require.NoError(t, os.WriteFile(kept, text, 0o600))
		}
		want, err := os.ReadFile(kept)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(text), "%s: run make golden", kept)

		small, err := preview.ParseFile(kept)
		require.NoError(t, err)
		whole := cost.Of(digest.After(), "")
		assert.Equal(t, whole, cost.Of(small.After(), ""), "%s: an estimate reads a property that is not kept", name)
		assert.Empty(t, whole.Unknown(), name)
		assert.Greater(t, whole.Total(), 30.0, name)
	}
}
