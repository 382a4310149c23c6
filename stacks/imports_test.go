package stacks

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pure packages work without Pulumi; shared ones are what components may have
// in common.
var (
	pure   = []string{"bluegreen/infra/naming", "bluegreen/infra/policy", "bluegreen/infra/spelling", "bluegreen/infra/window"}
	shared = append([]string{"bluegreen/infra/firewall"}, pure...)
)

// What may import what, read from the build itself.
func TestImports(t *testing.T) {
	for _, component := range packages(t, "bluegreen/infra/...") {
		if component == "bluegreen/infra/infratest" {
			continue
		}
		for _, dependency := range dependencies(t, component) {
			inside := strings.HasPrefix(dependency, "bluegreen/")
			assert.False(t, inside && dependency != component && !slices.Contains(shared, dependency),
				"%s imports %s; components meet only in stacks", component, dependency)
			if slices.Contains(pure, component) {
				assert.NotContains(t, dependency, "pulumi", "%s is pure", component)
			}
		}
	}
}

// The program's own build stays light: its users wait for it.
func TestProgramIsLight(t *testing.T) {
	for _, dependency := range dependencies(t, "bluegreen") {
		for _, heavy := range []string{
			"github.com/pulumi/pulumi/pkg/", // the engine
			"github.com/pulumi/pulumi/sdk/v3/go/auto",
			"github.com/aws/aws-sdk-go-v2",
			"github.com/stretchr/testify",
			"bluegreen/sandbox",
			"bluegreen/cmd",
		} {
			assert.False(t, strings.HasPrefix(dependency, heavy), "the program imports %s", dependency)
		}
	}
}

func packages(t *testing.T, pattern string) []string { return list(t, pattern) }

func dependencies(t *testing.T, pkg string) []string { return list(t, "-deps", pkg) }

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}
