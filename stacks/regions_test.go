package stacks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A newer SDK shows here which regions it has come to know.
func TestRegionsAreTheProviders(t *testing.T) {
	folder := list(t, "-f", "{{.Dir}}", "github.com/pulumi/pulumi-aws/sdk/v6/go/aws")[0]
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, "pulumiEnums.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var known []aws.Region
	ast.Inspect(file, func(node ast.Node) bool {
		constant, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(constant.Names[0].Name, "Region") {
			return true
		}
		value, ok := constant.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit)
		require.True(t, ok)
		name, err := strconv.Unquote(value.Value)
		require.NoError(t, err)
		if !strings.Contains(name, "-iso") { // partitions that the program makes no ARNs for
			known = append(known, aws.Region(name))
		}
		return true
	})
	assert.ElementsMatch(t, known, regions)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(regions))), len(regions))
}

func TestZonesThatTheRegionLacks(t *testing.T) {
	for _, options := range []struct {
		name     string
		recorder *infratest.Recorder
	}{{"up", &infratest.Recorder{}}, {"preview", &infratest.Recorder{Withhold: true}}} {
		t.Run(options.name, func(t *testing.T) {
			err := run(t, options.recorder, "../Pulumi.prod.yaml", func(config map[string]string) {
				config["bluegreen:network"] = `{"zones": ["a", "d", "f"]}`
			})
			require.ErrorContains(t, err, "network.zones[1]: this account has no zone d in us-east-2; choose from a, b, c")
			require.ErrorContains(t, err, "network.zones[2]: this account has no zone f in us-east-2")
			assert.NotContains(t, err.Error(), "zones[0]")
			assert.Empty(t, options.recorder.OfType("aws:ec2/vpc:Vpc"))
		})
	}
}
