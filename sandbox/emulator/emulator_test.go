package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parentEnvironment names the folder for a test binary that is to start an
// emulator and wait to be killed.
const parentEnvironment = "EMULATOR_TEST_PARENT"

// TestMain lets the test binary play the interpreter: started as startMoto
// starts Python, it stands in for moto, so that the tests of the process need no
// Python.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-I" {
		playMoto()
		return
	}
	if dir := os.Getenv(parentEnvironment); dir != "" {
		playParent(dir)
		return
	}
	m.Run()
}

// playMoto answers every request on the inherited socket until standard input ends.
func playMoto() {
	listener, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the last line of moto")
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"account":"`+os.Getenv("MOTO_ACCOUNT_ID")+`"}`)
		}))
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func playParent(dir string) {
	e, err := Start(context.Background(), fakeConfig(dir))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.health.Process)
	select {}
}

// fakeConfig starts an emulator whose moto is this test binary.
func fakeConfig(dir string) Config {
	return Config{Python: os.Args[0], Address: "127.0.0.1:0", Account: "123456789012", Region: "eu-west-1", Dir: dir}
}

func start(t *testing.T, config Config) *Emulator {
	t.Helper()
	e, err := Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

func health(t *testing.T, e *Emulator) Health {
	t.Helper()
	response, err := http.Get(e.Endpoint() + HealthPath)
	require.NoError(t, err)
	var answer Health
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.NoError(t, response.Body.Close())
	return answer
}

func TestHealthTellsAboutTheEmulator(t *testing.T) {
	e := start(t, fakeConfig(t.TempDir()))
	answer := health(t, e)
	assert.True(t, answer.Moto)
	assert.Equal(t, e.Endpoint(), answer.Endpoint)
	assert.Equal(t, "eu-west-1", answer.Region)
	assert.Equal(t, "123456789012", answer.Account)
	assert.WithinDuration(t, time.Now(), answer.Started, time.Minute)
	assert.NoError(t, syscall.Kill(answer.Process, 0), "the process of moto")
}

func TestCloseStopsMotoAndTheEndpoint(t *testing.T) {
	e, err := Start(t.Context(), fakeConfig(t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, e.Close())
	assert.NoError(t, e.Wait(), "an end that was asked for is no error")
	_, err = http.Get(e.Endpoint() + HealthPath)
	assert.ErrorContains(t, err, "connection refused")
	assert.ErrorIs(t, syscall.Kill(e.health.Process, 0), syscall.ESRCH)
}

func TestAKilledMotoIsNoticed(t *testing.T) {
	e := start(t, fakeConfig(t.TempDir()))
	require.NoError(t, syscall.Kill(e.health.Process, syscall.SIGKILL))
	err := e.Wait()
	assert.ErrorContains(t, err, fmt.Sprintf("moto (process %d) ended: signal: killed", e.health.Process))
	assert.ErrorContains(t, err, "the last line of moto")
	assert.False(t, health(t, e).Moto)
}

func TestMotoEndsWithAParentThatIsKilled(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnvironment+"="+t.TempDir())
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	var process int
	_, err = fmt.Sscan(line, &process)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(process, 0), "moto runs")

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // killed
	assert.Eventually(t, func() bool { return !running(process) }, 5*time.Second, 20*time.Millisecond)
}

// running tells whether a process runs; one that has ended and was not waited
// for, because init is slow or missing, does not.
func running(process int) bool {
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process)); err == nil {
		_, rest, _ := strings.Cut(string(status), ") ")
		return !strings.HasPrefix(rest, "Z")
	}
	return syscall.Kill(process, 0) == nil
}

func TestTwoEmulatorsAtOnce(t *testing.T) {
	first, second := start(t, fakeConfig(t.TempDir())), start(t, fakeConfig(t.TempDir()))
	assert.NotEqual(t, first.Endpoint(), second.Endpoint())
	assert.NotEqual(t, health(t, first).Process, health(t, second).Process)
}

func TestAnOccupiedPortIsOneClearError(t *testing.T) {
	first := start(t, fakeConfig(t.TempDir()))
	config := fakeConfig(t.TempDir())
	config.Address = strings.TrimPrefix(first.Endpoint(), "http://")
	_, err := Start(t.Context(), config)
	assert.EqualError(t, err, "emulator: address: "+config.Address+" is in use by another program; stop that program or choose another port (0 takes any free one)")
}

func TestAllErrorsOfAConfigurationAtOnce(t *testing.T) {
	_, err := Start(t.Context(), Config{Account: "1234", Address: "0.0.0.0:4566"})
	for _, want := range []string{
		"python: no interpreter given",
		`account: want 12 digits, got "1234"`,
		"region: none given",
		"dir: none given",
		`address: want a loopback address and a port such as 127.0.0.1:4566, got "0.0.0.0:4566"`,
	} {
		assert.ErrorContains(t, err, want)
	}
}

func TestAnInterpreterThatCannotStartMotoIsExplained(t *testing.T) {
	dir := t.TempDir()
	python := filepath.Join(dir, "python")
	require.NoError(t, os.WriteFile(python, []byte("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'moto'\" >&2\nexit 1\n"), 0o700))
	config := fakeConfig(filepath.Join(dir, "run"))
	config.Python = python
	_, err := Start(t.Context(), config)
	assert.ErrorContains(t, err, "moto did not start: exit status 1")
	assert.ErrorContains(t, err, "No module named 'moto'")
	assert.ErrorContains(t, err, "install requirements.txt in the virtual environment of "+python)

	config.Python = filepath.Join(dir, "missing")
	_, err = Start(t.Context(), config)
	assert.ErrorContains(t, err, "no such file or directory; want the interpreter of a virtual environment")
}

func TestFilesAreForTheirOwnerAndTheLastRunsLogsStay(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := Start(t.Context(), fakeConfig(dir))
		require.NoError(t, err)
		require.NoError(t, e.Close())
	}
	for _, name := range []string{"moto.log", "requests.log", "moto.log.previous", "requests.log.previous", "motoserver/server.py"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestMotosEnvironmentHasNoCredentialsAndNoForeignSettings(t *testing.T) {
	got := motoEnvironment([]string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "AWS_ENDPOINT_URL=y", "MOTO_EC2_LOAD_DEFAULT_AMIS=z"}, "123456789012", "/run/images.json")
	assert.Equal(t, []string{
		"PATH=/bin", "MOTO_ACCOUNT_ID=123456789012", "MOTO_AMIS_PATH=/run/images.json",
		"MOTO_IAM_LOAD_MANAGED_POLICIES=true", "MOTO_ACM_VALIDATION_WAIT=1",
	}, got)
}

func TestUbuntuImagesComeInEveryReleaseAndArchitectureTwice(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	latest := map[string]int{}
	for _, image := range UbuntuImages() {
		assert.Regexp(t, `^ami-0[0-9a-f]{16}$`, image.ID)
		assert.Equal(t, "099720109477", image.Owner)
		ids[image.ID], names[image.Name] = true, true
		prefix, date, _ := strings.Cut(image.Name, "-server-")
		assert.Equal(t, image.Created.Format("20060102"), date)
		latest[prefix]++
	}
	assert.Len(t, ids, 12)
	assert.Len(t, names, 12)
	assert.Equal(t, map[string]int{
		"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64":        2,
		"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64":        2,
		"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64":    2,
		"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64":    2,
		"ubuntu/images/hvm-ssd-gp3/ubuntu-resolute-26.04-amd64": 2,
		"ubuntu/images/hvm-ssd-gp3/ubuntu-resolute-26.04-arm64": 2,
	}, latest)
}
