package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"bluegreen/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// invoke runs a command line in folder.
func invoke(t *testing.T, folder string, arguments ...string) (out, errs string, code int) {
	t.Helper()
	t.Chdir(folder)
	var outText, errText bytes.Buffer
	code = run(t.Context(), arguments, &outText, &errText)
	return outText.String(), errText.String(), code
}

func TestNoSandboxHasAnExitCodeOfItsOwn(t *testing.T) {
	out, errs, code := invoke(t, ".", "sandbox", "status", "--run", t.TempDir())
	assert.Equal(t, 3, code)
	assert.Equal(t, "Stack sandbox: no sandbox is running; bluegreen sandbox up starts one\n", out)
	assert.Empty(t, errs)

	out, _, code = invoke(t, ".", "sandbox", "status", "--json", "--run", t.TempDir())
	assert.Equal(t, 3, code)
	var status sandbox.Status
	require.NoError(t, json.Unmarshal([]byte(out), &status))
	assert.False(t, status.Running)
}

func TestWithoutASandbox(t *testing.T) {
	for command, want := range map[string]int{"preview": 1, "env": 1, "destroy": 0} {
		out, errs, code := invoke(t, ".", "sandbox", command, "--run", t.TempDir())
		assert.Equal(t, want, code, command)
		assert.Contains(t, out+errs, "no sandbox is running", command)
		if want != 0 {
			assert.Regexp(t, "^bluegreen: .*\\n$", errs, "one message")
			assert.Empty(t, out, command)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for _, arguments := range [][]string{
		{"sandbox", "up", "--port", "70000"},
		{"sandbox", "up", "--prot", "1"},
		{"sandbox", "preview", "extra"},
		{"sandbox", "frobnicate"},
		{"sandbox", "preview", "--refresh", "--stack-file", "Pulumi.prod.yaml"},
		{"sandbox", "preview", "--stack-file", "absent.yaml"},
		{"sandbox", "preview", "--stack-file", "absent.yaml", "--digest", "absent.json"},
	} {
		out, errs, code := invoke(t, ".", append(arguments, "--run", t.TempDir())...)
		assert.Equal(t, 1, code, arguments)
		assert.Regexp(t, "^bluegreen: ", errs, arguments)
		assert.Empty(t, out, arguments)
		assert.NoFileExists(t, "absent.json")
	}
}

func TestOutsideACheckout(t *testing.T) {
	_, errs, code := invoke(t, t.TempDir(), "sandbox", "status")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "no Pulumi.yaml of project bluegreen here or above; run this in the checkout, or name it with --root")
}

func TestVersion(t *testing.T) {
	out, _, code := invoke(t, ".", "version")
	assert.Zero(t, code)
	assert.Regexp(t, `^bluegreen .* go1\.`, out)
}

// A terminal that answers no question does not hold a command up, and its
// output has no question.
func TestNothingIsAskedOfTheTerminal(t *testing.T) {
	program := binary(t)
	command := exec.Command("python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))", program, "version") // #nosec G204 -- our own program
	command.Env = append(os.Environ(), "TERM=xterm-256color", "CI=")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Contains(t, string(output), "bluegreen ")
	assert.NotContains(t, string(output), "\x1b")
}
