package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stackURN = "urn:pulumi:sandbox::bluegreen::pulumi:pulumi:Stack::bluegreen-sandbox"

func resourceURN(component, token, name string) string {
	return "urn:pulumi:sandbox::bluegreen::" + component + "$" + token + "::" + name
}

// does is the event that begins an operation.
func does(operation apitype.OpType, urn, token string, custom bool) apitype.EngineEvent {
	return apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: apitype.StepEventMetadata{
		Op: operation, URN: urn, Type: token, New: &apitype.StepEventStateMetadata{Custom: custom},
	}}}
}

func TestChangesAreCountedOnce(t *testing.T) {
	vpc := resourceURN("bluegreen:infra:Network", "aws:ec2/vpc:Vpc", "main")
	zone := resourceURN("bluegreen:infra:Edge", "aws:route53/zone:Zone", "site")
	o := &operation{}
	for _, event := range []apitype.EngineEvent{
		does("create", stackURN, "pulumi:pulumi:Stack", false),
		does("create", "urn:pulumi:sandbox::bluegreen::pulumi:providers:aws::aws", "pulumi:providers:aws", true),
		does("create", "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network::n", "bluegreen:infra:Network", false),
		does("refresh", vpc, "aws:ec2/vpc:Vpc", true),
		does("create-replacement", vpc, "aws:ec2/vpc:Vpc", true),
		does("replace", vpc, "aws:ec2/vpc:Vpc", true),
		does("delete-replaced", vpc, "aws:ec2/vpc:Vpc", true),
		does("update", zone, "aws:route53/zone:Zone", true),
		does("same", resourceURN("bluegreen:infra:Edge", "aws:lb/listener:Listener", "http"), "aws:lb/listener:Listener", true),
	} {
		o.see(event)
	}
	assert.Equal(t, map[string]int{"replace": 1, "update": 1, "same": 1}, o.changes())
	changed := o.changed()
	require.Len(t, changed, 2)
	assert.Equal(t, "site", changed[0].Name, "sorted by component")
	assert.Equal(t, "replace", changed[1].Operation)

	var out bytes.Buffer
	Changes{Stack: "sandbox", Count: o.changes(), Steps: changed}.Report(&out)
	assert.Contains(t, out.String(), "aws:route53:Zone")
	assert.Contains(t, out.String(), "Stack sandbox: 1 to update, 1 to replace, 1 unchanged")
}

func TestAProviderThatChangesIsAChange(t *testing.T) {
	o := &operation{}
	o.see(does("update", "urn:pulumi:sandbox::bluegreen::pulumi:providers:aws::aws", "pulumi:providers:aws", true))
	assert.True(t, Changes{Steps: o.changed()}.Any())
}

func TestOnlyTheProgramsWarningsAreShown(t *testing.T) {
	s := inFolder(t)
	var said strings.Builder
	s.Progress = &said
	_, err := s.operate(t.Context(), "up", "Creating", func(_ io.Writer, stream chan<- events.EngineEvent) error {
		defer close(stream)
		for _, urn := range []string{"", stackURN, resourceURN("bluegreen:infra:Storage", "aws:s3/bucketV2:BucketV2", "storage")} {
			stream <- events.EngineEvent{EngineEvent: apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
				URN: urn, Severity: "warning", Message: "<{%fg 3%}>plain text<{%reset%}>\n",
			}}}
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(said.String(), "warning: "), said.String())
	assert.True(t, strings.HasSuffix(said.String(), "\nwarning: plain text\n"), said.String())
}

func TestFailuresAreShortAndNameTheResource(t *testing.T) {
	urn := resourceURN("bluegreen:infra:Database", "aws:rds/instance:Instance", "database-01")
	complaint := func(text string) apitype.EngineEvent {
		return apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{URN: urn, Severity: "error", Message: text}}
	}
	o := &operation{name: "up"}
	o.see(does("create", urn, "aws:rds/instance:Instance", true))
	o.see(complaint("provider.go:12: InvalidParameterValue"))
	o.see(complaint("<{%fg 1%}>creating RDS: InvalidParameterValue<{%reset%}>" + strings.Repeat("x", 5000)))
	err := o.explain(errors.New("failed to run update: exit status 255\nstdout: a wall of text"), "/run/pulumi.log")
	text := err.Error()
	assert.Contains(t, text, "up: 1 of 1 resources failed:\n  aws:rds:Instance database-01\n    creating RDS: InvalidParameterValue")
	assert.Contains(t, text, "/run/pulumi.log")
	assert.NotContains(t, text, "wall of text")
	assert.Less(t, len(text), 1000)
}

func TestErrorsOfTheProgramAreShownWhole(t *testing.T) {
	o := &operation{name: "up"}
	o.see(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{URN: stackURN, Severity: "error", Message: "edge.domain: none given\nfleet: maxSize 1 is less than minSize 2"}})
	text := o.explain(errors.New("exit status 255"), "log").Error()
	assert.Contains(t, text, "edge.domain: none given\nfleet: maxSize 1 is less than minSize 2")
}

func TestAnEngineThatNeverConnectsEndsTheOperation(t *testing.T) {
	s := inFolder(t)
	failure := errors.New("failed to run update: exit status 255\nstderr: error: no plugin found\n")
	_, err := s.operate(t.Context(), "up", "Creating", func(io.Writer, chan<- events.EngineEvent) error { return failure })
	require.ErrorIs(t, err, failure)
	require.ErrorContains(t, err, "up: no plugin found")
}

func TestAnInterruptedOperationSaysThatNothingIsLost(t *testing.T) {
	s := inFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.operate(ctx, "up", "Creating", func(io.Writer, chan<- events.EngineEvent) error {
		cancel()
		return errors.New("exit status 255")
	})
	require.ErrorContains(t, err, "up was interrupted")
	require.ErrorContains(t, err, "running it again goes on from there")
}

func TestTheEngineIsInterruptedAndNotKilled(t *testing.T) {
	s := inFolder(t)
	script := s.path("pulumi")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh
trap 'echo saved; exit 1' INT
echo "$AWS_PROFILE|$PULUMI_HOME|$EXTRA|$*"
while :; do sleep 0.05; done
`), 0o700)) // #nosec G306 -- executable
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	command := cli{binary: script, scratch: s.Folder, environment: merged([]string{"PATH=" + os.Getenv("PATH"), "AWS_PROFILE=production"}, map[string]string{"PULUMI_HOME": "/home"})}
	stdout, _, code, err := command.Run(ctx, s.Folder, nil, nil, nil, []string{"EXTRA=1"}, "up", "--yes")
	require.Error(t, err)
	assert.Equal(t, 1, code)
	assert.Equal(t, "|/home|1|--non-interactive up --yes\nsaved\n", stdout)
}

const stateText = `{"resources": [
 {"urn": "urn:pulumi:sandbox::bluegreen::pulumi:pulumi:Stack::bluegreen-sandbox", "type": "pulumi:pulumi:Stack",
  "outputs": {"siteUrl": "https://example.com", "token": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"},
   "nested": [{"inner": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "\"hush\""}}]}},
 {"urn": "urn:pulumi:sandbox::bluegreen::pulumi:providers:aws::aws", "type": "pulumi:providers:aws", "custom": true},
 {"urn": "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network::n", "type": "bluegreen:infra:Network",
  "parent": "urn:pulumi:sandbox::bluegreen::pulumi:pulumi:Stack::bluegreen-sandbox"},
 {"urn": "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::v", "type": "aws:ec2/vpc:Vpc", "custom": true,
  "parent": "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network::n"},
 {"urn": "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet::a", "type": "aws:ec2/subnet:Subnet", "custom": true,
  "parent": "urn:pulumi:sandbox::bluegreen::bluegreen:infra:Network$aws:ec2/vpc:Vpc::v"},
 {"urn": "urn:pulumi:sandbox::bluegreen::aws:kms/key:Key::k", "type": "aws:kms/key:Key", "custom": true,
  "parent": "urn:pulumi:sandbox::bluegreen::pulumi:pulumi:Stack::bluegreen-sandbox"}
]}`

func TestComponentsAndOutputsOfAState(t *testing.T) {
	var state apitype.DeploymentV3
	require.NoError(t, json.Unmarshal([]byte(stateText), &state))
	assert.Equal(t, []Component{
		{Name: "(stack)", Resources: 1, Types: map[string]int{"aws:kms/key:Key": 1}},
		{Name: "network", Resources: 2, Types: map[string]int{"aws:ec2/vpc:Vpc": 1, "aws:ec2/subnet:Subnet": 1}},
	}, components(state))
	assert.Equal(t, map[string]any{
		"siteUrl": "https://example.com", "token": "[secret]", "nested": []any{map[string]any{"inner": "[secret]"}},
	}, outputs(state))
}

func TestTheSummaryShowsNoSecret(t *testing.T) {
	var state apitype.DeploymentV3
	require.NoError(t, json.Unmarshal([]byte(stateText), &state))
	summary := Summary{Stack: "sandbox", Changes: map[string]int{"create": 3}, Resources: 3, Components: components(state), Outputs: outputs(state)}
	var out bytes.Buffer
	summary.Report(&out)
	text, err := json.Marshal(summary)
	require.NoError(t, err)
	for _, shown := range []string{out.String(), string(text)} {
		assert.Contains(t, shown, "https://example.com")
		assert.Contains(t, shown, "[secret]")
		assert.NotContains(t, shown, "hush")
		assert.NotContains(t, shown, "v1:x")
	}
	assert.Contains(t, out.String(), "Stack sandbox is up: 3 created")
	assert.Contains(t, out.String(), "Subnet, Vpc")
}

func TestFindRoot(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	root, err := FindRoot("sandbox/emulator")
	require.NoError(t, err)
	assert.Equal(t, here, root)
	_, err = FindRoot(t.TempDir())
	require.ErrorContains(t, err, "no Pulumi.yaml of project bluegreen here or above")
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := New(Options{Port: 70000, Program: idle()})
	require.EqualError(t, err, "port 70000: want 1 to 65535, or 0 for any free one")
	_, err = New(Options{})
	require.ErrorContains(t, err, "no program given")
}
