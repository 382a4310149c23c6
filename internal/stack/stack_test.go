package stack

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/sandbox/parts"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const hidden = "correct horse battery staple"

func secret(value any) map[string]any {
	text, _ := json.Marshal(value)
	return map[string]any{signature: secretSignature, "plaintext": string(text)}
}

// realStack makes a stack with the real engine, in a backend of its own, and
// leaves the test in its project.
func realStack(t *testing.T, outputs map[string]any) {
	t.Helper()
	binary, err := parts.FindPulumi(t.Context(), filepath.Join("..", ".."))
	if err != nil {
		t.Skip("no pulumi here: bluegreen sandbox up builds one")
	}
	folder := t.TempDir()
	require.NoError(t, os.Symlink(binary, filepath.Join(folder, "pulumi")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), []byte("name: some\nruntime: go\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "passphrase"), []byte("pass"), 0o600))
	for name, value := range map[string]string{
		"PATH": folder + string(os.PathListSeparator) + os.Getenv("PATH"), "PULUMI_HOME": filepath.Join(folder, "home"),
		"PULUMI_BACKEND_URL": "file://" + folder, "PULUMI_CONFIG_PASSPHRASE_FILE": filepath.Join(folder, "passphrase"),
		"PULUMI_SKIP_UPDATE_CHECK": "true",
	} {
		t.Setenv(name, value)
	}
	t.Chdir(folder)
	run := func(in string, arguments ...string) {
		t.Helper()
		command := exec.Command(binary, arguments...)
		command.Stdin = strings.NewReader(in)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run("", "--non-interactive", "stack", "init", "prod")
	text, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{
		"secrets_providers": map[string]any{"type": "passphrase", "state": map[string]any{"salt": salt(t, "Pulumi.prod.yaml")}},
		"manifest":          map[string]any{"time": "2026-01-02T03:04:05Z", "magic": "", "version": ""},
		"resources": []any{
			map[string]any{"urn": "urn:pulumi:prod::some::pulumi:pulumi:Stack::some-prod", "type": stackType, "outputs": outputs},
			map[string]any{
				"urn": "urn:pulumi:prod::some::some:index:Comp::one", "type": "some:index:Comp",
				"inputs": map[string]any{"password": secret(hidden), "list": []any{secret(hidden), "open"}}, "outputs": map[string]any{},
			},
		},
	}})
	require.NoError(t, err)
	run(string(text), "--non-interactive", "stack", "import", "--stack", "prod")
}

// salt is what the stack's file says of its passphrase.
func salt(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var settings struct {
		Salt string `yaml:"encryptionsalt"`
	}
	require.NoError(t, yaml.Unmarshal(text, &settings))
	return settings.Salt
}

func TestWithTheRealEngine(t *testing.T) {
	realStack(t, map[string]any{
		"plain": "text", "list": []any{"a", "b"}, "looksMasked": Mask, "token": secret(hidden),
		"nested": map[string]any{"user": "admin", "password": secret(hidden)}, "none": nil,
	})
	outputs, err := Outputs(t.Context(), "prod")
	require.NoError(t, err)
	assert.Equal(t, Output{Value: "text"}, outputs["plain"])
	assert.Equal(t, Output{Value: []any{"a", "b"}}, outputs["list"])
	assert.Equal(t, Output{Value: Mask}, outputs["looksMasked"])
	assert.Equal(t, Output{Value: hidden, Secret: true}, outputs["token"])
	assert.Equal(t, Output{Value: map[string]any{"user": "admin", "password": hidden}, Secret: true}, outputs["nested"])

	open, err := Masked(t.Context(), "prod")
	require.NoError(t, err)
	assert.Equal(t, "text", open["plain"])
	assert.Equal(t, Mask, open["token"])

	resources, err := Export(t.Context(), "prod")
	require.NoError(t, err)
	require.Len(t, resources, 2)
	assert.Equal(t, "some:index:Comp", resources[1].Type)
	assert.Equal(t, map[string]any{"password": Mask, "list": []any{Mask, "open"}}, resources[1].Inputs)
	assert.Equal(t, Mask, resources[0].Outputs["token"])

	_, err = Outputs(t.Context(), "absent")
	require.ErrorContains(t, err, "stack absent: pulumi stack output: exit status")
	require.ErrorContains(t, err, "no stack named 'absent' found")
}

// A pulumi of our own tells what it was started with.
func TestTokensOfGitHubStayHere(t *testing.T) {
	folder := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" != version ] || exec echo v" + parts.PulumiVersion + "\nenv >environment; echo '{}'\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "pulumi"), []byte(script), 0o700)) // #nosec G306 -- it runs
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(folder)
	for _, name := range tokens {
		t.Setenv(name, hidden)
	}
	t.Setenv("AWS_PROFILE", "passed-on")
	_, err := Masked(t.Context(), "prod")
	require.NoError(t, err)
	seen, err := os.ReadFile("environment")
	require.NoError(t, err)
	assert.Contains(t, string(seen), "AWS_PROFILE=passed-on")
	assert.NotContains(t, string(seen), hidden)
}

func TestWithoutPulumi(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	_, err := Outputs(t.Context(), "prod")
	require.ErrorIs(t, err, exec.ErrNotFound)
	require.ErrorContains(t, err, "stack prod: pulumi is not installed")
}

func TestFilesThatAreNoExport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	for text, said := range map[string]string{
		"no":                                   "want what pulumi stack export prints",
		`{"steps": []}`:                        "state of version 0, want 3 or 4",
		`{"version": 9}`:                       "state of version 9, want 3 or 4",
		`{"version": 3, "deployment": "gone"}`: "cannot unmarshal",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ReadExport(file)
		require.ErrorContains(t, err, said)
		require.ErrorContains(t, err, file)
	}
	require.NoError(t, os.WriteFile(file, []byte(`{"version": 3, "deployment": {"resources": [{"urn": "u", "type": "t", "id": "i", "custom": true}]}}`), 0o600))
	resources, err := ReadExport(file)
	require.NoError(t, err)
	assert.Equal(t, []Resource{{URN: "u", Type: "t", ID: "i", Custom: true}}, resources)
}
