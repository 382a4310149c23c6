package stacks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var stackFiles = []string{"../Pulumi.prod.yaml", "../Pulumi.staging.yaml", "../Pulumi.sandbox.yaml"}

// declare runs the program on a stack's real file.
func declare(t *testing.T, recorder *infratest.Recorder, file string, options ...pulumi.RunOption) {
	t.Helper()
	require.NoError(t, run(t, recorder, file, nil, options...))
}

func run(t *testing.T, recorder *infratest.Recorder, file string, change func(map[string]string), options ...pulumi.RunOption) error {
	t.Helper()
	config, err := ReadConfig("../Pulumi.yaml", file)
	require.NoError(t, err)
	if change != nil {
		change(config)
	}
	stack, err := StackName(file)
	require.NoError(t, err)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	options = append([]pulumi.RunOption{infratest.Stack(stack, config, namespace+"environment"), infratest.Root(root)}, options...)
	return recorder.Run(Run, options...)
}

func TestGraphs(t *testing.T) {
	for _, file := range stackFiles {
		stack, err := StackName(file)
		require.NoError(t, err)
		t.Run(stack, func(t *testing.T) {
			var recorder infratest.Recorder
			declare(t, &recorder, file)
			golden(t, "testdata/"+stack+".golden.json", graph(t, &recorder))
		})
	}
}

// Two groups that take turns instead of a fleet that is copied.
func TestPair(t *testing.T) {
	for _, mode := range []struct {
		name          string
		fleets, pairs int
	}{{"copy", 1, 0}, {"pair", 0, 2}} {
		var recorder infratest.Recorder
		require.NoError(t, run(t, &recorder, "../Pulumi.prod.yaml", func(config map[string]string) {
			config[namespace+"release"] = `{"mode": "` + mode.name + `"}`
		}))
		assert.Len(t, recorder.OfType("bluegreen:index:Fleet"), mode.fleets, mode.name)
		assert.Len(t, recorder.OfType("aws:autoscaling/group:Group"), mode.pairs, mode.name)
		assert.Len(t, recorder.OfType("aws:codedeploy/deploymentGroup:DeploymentGroup"), 1)
		assert.Len(t, recorder.OfType("bluegreen:index:Guard"), 1)
	}
}

// The stack writes down what each instance runs, and lets the fleets in where
// they have to go.
func TestCeleryFleets(t *testing.T) {
	for mode, want := range map[string]map[string]string{
		"single":              {"web": "web worker beat"},
		"none":                {"web": "web"},
		"workerFleet":         {"web": "web", "Celery": "worker beat"},
		"workerAndBeatFleets": {"web": "web", "CeleryWorker": "worker", "CeleryBeat": "beat"},
	} {
		var recorder infratest.Recorder
		require.NoError(t, run(t, &recorder, "../Pulumi.prod.yaml", func(config map[string]string) {
			config[namespace+"celery"] = `{"mode": "` + mode + `"}`
		}))
		services := map[string]string{}
		for _, template := range recorder.OfType("aws:ec2/launchTemplate:LaunchTemplate") {
			script, err := base64.StdEncoding.DecodeString(template.Text("userData"))
			require.NoError(t, err)
			_, after, found := strings.Cut(string(script), "SERVICES=\"")
			require.True(t, found)
			name := strings.TrimSuffix(strings.TrimPrefix(template.Name, "example-prod-"), "-MainLaunchTemplate")
			if name == "MainLaunchTemplate" {
				name = "web"
			}
			services[name], _, _ = strings.Cut(after, "\"")
		}
		assert.Equal(t, want, services, mode)
		assert.Len(t, recorder.OfType("aws:codedeploy/deploymentGroup:DeploymentGroup"), len(want), mode)
		assert.Len(t, recorder.OfType("bluegreen:index:Guard"), len(want), mode)
		for name := range want {
			for _, server := range []string{"database", "cache"} {
				_, ok := recorder.Named("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "example-prod-"+server+"-"+name)
				assert.True(t, ok, "%s: %s from %s", mode, server, name)
			}
		}
		invariants(t, &recorder, mode)
	}
}

// Two runs declare the same, whatever the order of registration.
func TestDeterministic(t *testing.T) {
	var one, two infratest.Recorder
	declare(t, &one, "../Pulumi.prod.yaml")
	declare(t, &two, "../Pulumi.prod.yaml")
	assert.Equal(t, string(graph(t, &one)), string(graph(t, &two)))
}

// A preview of a stack that does not exist yet knows no id and no computed
// value; it declares the same resources all the same.
func TestPreviewDeclaresTheSame(t *testing.T) {
	for _, file := range stackFiles {
		var up infratest.Recorder
		preview := infratest.Recorder{Withhold: true}
		declare(t, &up, file)
		declare(t, &preview, file, infratest.Preview)
		assert.Equal(t, names(&up), names(&preview))
	}
}

func names(recorder *infratest.Recorder) (all []string) {
	for _, r := range recorder.Resources() {
		all = append(all, r.Type+" "+r.Name)
	}
	return all
}

// graph is what a stack declares, with secrets covered, as JSON to compare.
func graph(t *testing.T, recorder *infratest.Recorder) []byte {
	t.Helper()
	type node struct {
		Type, Name string
		Parent     string   `json:",omitempty"`
		Protect    bool     `json:",omitempty"`
		Retain     bool     `json:",omitempty"`
		Ignore     []string `json:",omitempty"`
		Inputs     any
	}
	var nodes []node
	for _, r := range recorder.Resources() {
		nodes = append(nodes, node{
			Type: r.Type, Name: r.Name, Parent: shortParent(r.Parent), Protect: r.Protect, Retain: r.Retain,
			Ignore: r.Ignore, Inputs: covered(resource.NewObjectProperty(r.Inputs)),
		})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(nodes))
	return text.Bytes()
}

// shortParent is the parent's own type and name, without stack and project.
func shortParent(urn string) string {
	if urn == "" {
		return ""
	}
	parsed := resource.URN(urn)
	if parsed.Type() == resource.RootStackType {
		return ""
	}
	return string(parsed.Type()) + " " + parsed.Name()
}

func covered(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return "[secret]"
	case v.IsObject():
		out := map[string]any{}
		for key, inner := range v.ObjectValue() {
			out[string(key)] = covered(inner)
		}
		return out
	case v.IsArray():
		out := []any{}
		for _, inner := range v.ArrayValue() {
			out = append(out, covered(inner))
		}
		return out
	case v.IsString() && strings.HasPrefix(v.StringValue(), `{"Version"`):
		var document any // a policy, easier to read as what it is
		if json.Unmarshal([]byte(v.StringValue()), &document) == nil {
			return document
		}
		return v.StringValue()
	default:
		return v.V
	}
}
