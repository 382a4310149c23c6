package sandbox

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bluegreen/provider"
	"bluegreen/sandbox/parts/awssource"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuoteSurvivesAShell(t *testing.T) {
	for _, value := range []string{"", "plain", "with space", "it's", `"$HOME" \ $(id) *`, "a\nb"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(value)).Output() // #nosec G204 -- what is tested
		require.NoError(t, err)
		assert.Equal(t, value, string(out))
	}
}

func TestTheShellOfASandbox(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://elsewhere")
	t.Setenv("PULUMI_ACCESS_TOKEN", "pul-123")
	t.Setenv("no_proxy", "internal.example.com")
	s := inFolder(t)
	require.NoError(t, os.WriteFile(s.file, []byte("config: {}\n"), 0o600))
	_, err := s.Environment(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)

	_, stop, ended := serveFake(t, s)
	text, err := s.Environment(t.Context())
	require.NoError(t, err)
	variables := evaluated(t, text)
	assert.Equal(t, "http://127.0.0.1:1", variables["AWS_ENDPOINT_URL"])
	assert.Equal(t, "eu-west-1", variables["AWS_REGION"])
	assert.Equal(t, "sandbox", variables["PULUMI_STACK"])
	assert.Equal(t, s.copied(), variables["PULUMI_OPTION_CONFIG_FILE"])
	assert.Equal(t, "internal.example.com,127.0.0.1,localhost", variables["no_proxy"])
	assert.True(t, strings.HasPrefix(variables["PATH"], s.path("bin")+":"))
	for _, leak := range []string{"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "PULUMI_ACCESS_TOKEN"} {
		assert.NotContains(t, variables, leak)
	}
	phrase, err := s.passphrase()
	require.NoError(t, err)
	assert.NotContains(t, text, phrase)

	stop()
	require.NoError(t, <-ended)
	_, err = s.Environment(t.Context())
	require.ErrorContains(t, err, "the emulator has stopped")
}

// evaluated is the environment of a shell that has evaluated text.
func evaluated(t *testing.T, text string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-euc", text+"\nenv").Output() // #nosec G204 -- what is tested
	require.NoError(t, err)
	variables := map[string]string{}
	for _, line := range strings.Split(string(out), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			variables[name] = value
		}
	}
	return variables
}

func TestTheEngineGetsNothingOfTheUsersAccounts(t *testing.T) {
	inherited := []string{
		"HOME=/home/u", "PATH=/bin", "AWS_PROFILE=production", "AWS_SESSION_TOKEN=x", "PULUMI_ACCESS_TOKEN=x",
		"PULUMI_BACKEND_URL=https://api.pulumi.com", "https_proxy=http://proxy", "HTTP_PROXY=http://proxy",
	}
	s := inFolder(t)
	got := merged(inherited, s.variables(server{Endpoint: "http://127.0.0.1:1", World: World{Region: "eu-west-1"}}))
	assert.Subset(t, got, []string{"HOME=/home/u", "PATH=/bin", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_REGION=eu-west-1"})
	for _, entry := range got {
		assert.NotRegexp(t, `^(AWS_PROFILE|AWS_SESSION_TOKEN|PULUMI_ACCESS_TOKEN|.*_(proxy|PROXY))=`, entry)
		assert.NotEqual(t, "PULUMI_BACKEND_URL=https://api.pulumi.com", entry)
	}
}

// Each plugin has the variable's name in code of its own.
func TestPluginsNeedNotBePatientWithTheSandbox(t *testing.T) {
	set := inFolder(t).variables(server{})
	assert.NotEmpty(t, set[provider.FastWaits])
	assert.NotEmpty(t, set[awssource.FastWaits])
}

func TestStatusWithoutASandbox(t *testing.T) {
	s := inFolder(t)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.False(t, status.Running)
	assert.Equal(t, ErrNotRunning.Error(), status.Problem)

	require.NoError(t, writeJSON(s.path(serverFile), server{PID: 4711, Endpoint: "http://127.0.0.1:1", Started: time.Now()}))
	require.NoError(t, os.WriteFile(s.path(serverLock), nil, 0o600))
	status, err = s.Status(t.Context())
	require.NoError(t, err)
	assert.False(t, status.Running)
	assert.Contains(t, status.Problem, "the emulator has stopped (process 4711 is gone)")
	assert.Equal(t, []Process{{Name: "emulator", PID: 4711, Alive: false, Started: status.Processes[0].Started}}, status.Processes)
}

func TestDestroyWithoutASandbox(t *testing.T) {
	s := inFolder(t)
	done, err := s.Destroy(t.Context(), false)
	require.NoError(t, err)
	assert.Equal(t, "no sandbox is running, nothing to destroy", done.Note)

	require.NoError(t, writeJSON(s.path(serverFile), server{PID: 4711}))
	require.NoError(t, os.WriteFile(s.path(serverLock), nil, 0o600))
	done, err = s.Destroy(t.Context(), false)
	require.NoError(t, err)
	assert.Contains(t, done.Note, "process 4711 is gone")
	_, now, err := s.lookup()
	require.NoError(t, err)
	assert.Equal(t, none, now)
}
