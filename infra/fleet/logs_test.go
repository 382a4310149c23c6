package fleet

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/infratest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signed is a folder with the CloudWatch agent's package, its signature and the
// public key, and the fingerprint of that key.
func signed(t *testing.T) (folder, fingerprint string) {
	t.Helper()
	_, err := exec.LookPath("gpg")
	if err != nil && testing.Short() {
		t.Skip("no gpg")
	}
	require.NoError(t, err, "install gpg (apt install gpg)")
	home, err := os.MkdirTemp("", "g") // short, for the agent's socket
	require.NoError(t, err)
	folder = t.TempDir()
	run := func(arguments ...string) string {
		command := exec.Command("gpg", append([]string{"--batch", "--homedir", home, "--pinentry-mode", "loopback", "--passphrase", ""}, arguments...)...)
		output, err := command.Output()
		require.NoError(t, err)
		return string(output)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	run("--quick-gen-key", "test@example.com", "ed25519", "sign", "never")
	found := regexp.MustCompile(`(?m)^fpr:+([0-9A-F]{40}):`).FindStringSubmatch(run("--with-colons", "--list-keys"))
	require.Len(t, found, 2)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "amazon-cloudwatch-agent.deb"), []byte("package"), 0o600))
	run("--detach-sign", filepath.Join(folder, "amazon-cloudwatch-agent.deb"))
	run("--output", filepath.Join(folder, "amazon-cloudwatch-agent.gpg"), "--export")
	return folder, found[1]
}

const awsKey = "937616F3450B7D806CBD9725D58167303B789C72"

// logging is a machine whose script sends logs, and takes packages that are
// signed with a key of the test.
func logging(t *testing.T) (m machine, environment string) {
	t.Helper()
	folder, fingerprint := signed(t)
	return accepting(t, folder, fingerprint)
}

func accepting(t *testing.T, folder, fingerprint string) (m machine, environment string) {
	t.Helper()
	m = newMachine(t)
	m.script = strings.Replace(rendered(t, "/example/prod"), awsKey, fingerprint, 1)
	require.NotContains(t, m.script, awsKey)
	return m, "SIGNED=" + folder
}

func (m machine) configureLogs() string {
	return "logs agent -a fetch-config -m ec2 -c file:" + m.root + "/etc/bluegreen-logs.json -s"
}

func TestLogsAreSent(t *testing.T) {
	m, packages := logging(t)
	calls, output, err := m.start(packages)
	require.NoError(t, err, output)
	const latest = "https://amazoncloudwatch-agent-us-east-2.s3.us-east-2.amazonaws.com/ubuntu/amd64/latest/amazon-cloudwatch-agent.deb"
	at := slices.Index(calls, "curl "+latest)
	require.Positive(t, at, calls)
	assert.Equal(t, startAgent, calls[at-3:at], "a release does not wait for logs")
	require.Len(t, calls[at:], 5)
	assert.Equal(t, []string{"curl " + latest + ".sig", "curl https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg"}, calls[at+1:at+3])
	assert.Regexp(t, `^apt-get install --yes --no-install-recommends /.*/amazon-cloudwatch-agent\.deb$`, calls[at+3])
	assert.Equal(t, m.configureLogs(), calls[at+4])
	assert.Contains(t, output, "logs go to /example/prod")

	var configuration struct {
		Logs struct {
			Collected map[string]struct {
				List []struct {
					Group  string `json:"log_group_name"`
					Stream string `json:"log_stream_name"`
				} `json:"collect_list"`
			} `json:"logs_collected"`
		} `json:"logs"`
	}
	require.NoError(t, json.Unmarshal([]byte(m.read("etc/bluegreen-logs.json")), &configuration))
	streams := map[string]bool{}
	for _, from := range []string{"journald", "files"} {
		for _, one := range configuration.Logs.Collected[from].List {
			assert.Equal(t, "/example/prod", one.Group)
			assert.True(t, strings.HasPrefix(one.Stream, "{instance_id}/"), "each instance has its own: %s", one.Stream)
			assert.False(t, streams[one.Stream], "twice: %s", one.Stream)
			streams[one.Stream] = true
		}
	}
	assert.Len(t, streams, 5)

	// The second start only configures what is there.
	calls, output, err = m.start(packages)
	require.NoError(t, err, output)
	assert.Equal(t, join(startNginx, startAgent, []string{m.configureLogs()}), calls)
}

func TestNoLogsUnlessConfigured(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.start()
	require.NoError(t, err, output)
	assert.NotContains(t, strings.Join(calls, "\n"), "cloudwatch")
	assert.NoFileExists(t, filepath.Join(m.root, "etc/bluegreen-logs.json"))
}

// Whatever is wrong with logs, the instance takes releases.
func TestAnInstanceDoesWithoutLogs(t *testing.T) {
	change := func(file string) func(machine, string) {
		return func(m machine, folder string) {
			require.NoError(m.t, os.WriteFile(filepath.Join(folder, file), []byte("garbled"), 0o600))
		}
	}
	whole, fingerprint := signed(t)
	for name, spoil := range map[string]func(machine, string){
		"no package":       func(m machine, folder string) { require.NoError(m.t, os.RemoveAll(folder)) },
		"another package":  change("amazon-cloudwatch-agent.deb"),
		"no signature":     change("amazon-cloudwatch-agent.deb.sig"),
		"no key":           change("amazon-cloudwatch-agent.gpg"),
		"another's key":    nil,
		"a refusing agent": nil,
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "packages")
			require.NoError(t, os.CopyFS(folder, os.DirFS(whole)))
			m, packages := accepting(t, folder, fingerprint)
			environment := []string{packages}
			installed := false
			switch name {
			case "another's key":
				m.script = rendered(t, "/example/prod") // which wants that of AWS
			case "a refusing agent":
				environment, installed = append(environment, "REFUSE_LOGS=1"), true
			default:
				spoil(m, folder)
			}
			calls, output, err := m.start(environment...)
			require.NoError(t, err, output)
			assert.Subset(t, calls, startAgent)
			assert.Contains(t, output, "ready for a release")
			assert.Contains(t, output, "no logs go to /example/prod: the CloudWatch agent could not be installed or started, see above")
			assert.Equal(t, installed, strings.Contains(strings.Join(calls, "\n"), ".deb\nlogs agent"), "what AWS has not signed is not installed")
		})
	}
}

func TestLogsBucket(t *testing.T) {
	assert.Equal(t, "https://amazoncloudwatch-agent-eu-west-1.s3.eu-west-1.amazonaws.com", userData{Region: "eu-west-1"}.LogsBucket())
}

func TestTheLogGroupIsInTheUserData(t *testing.T) {
	for group, want := range map[string]bool{"": false, "/example/prod": true} {
		var recorder infratest.Recorder
		declare(t, &recorder, func(a *Args) { a.LogGroup = group })
		template, ok := recorder.Named(templateToken, "example-prod-MainLaunchTemplate")
		require.True(t, ok)
		script, err := base64.StdEncoding.DecodeString(template.Text("userData"))
		require.NoError(t, err)
		assert.Equal(t, want, strings.Contains(string(script), "LOG_GROUP='/example/prod'"), group)
	}
}
