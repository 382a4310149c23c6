package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bluegreen/sandbox/emulator"

	awsconfig "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	awssdk "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	pulumissm "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is a program with as many parameters as its configuration says, whose
// names collide with what a killed engine has left.
func small() Program {
	program := idle()
	program.World = func(string, string) (World, error) {
		return World{Stack: "sandbox", Account: "123456789012", Region: "eu-west-1", Seed: emulator.Seed{Images: emulator.UbuntuImages()}}, nil
	}
	program.Run = func(ctx *pulumi.Context) error {
		provider, err := awssdk.NewProvider(ctx, "aws", &awssdk.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		text, _ := ctx.GetConfig("bluegreen:count")
		count, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		for i := range count {
			name := fmt.Sprintf("/recovery/%02d", i)
			_, err := pulumissm.NewParameter(ctx, name, &pulumissm.ParameterArgs{
				Name: pulumi.String(name), Type: pulumi.String("String"), Value: pulumi.String("value"),
			}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
		}
		return nil
	}
	return program
}

// stand makes a sandbox that is destroyed with the test.
func stand(t *testing.T, program Program, config string) *Sandbox {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the engine")
	}
	folder := t.TempDir()
	s, err := open(filepath.Join(folder, "run"), filepath.Join(folder, "Pulumi.sandbox.yaml"), program)
	require.NoError(t, err)
	configure(t, s, config)
	t.Cleanup(func() {
		s.Progress = io.Discard
		if _, err := s.Destroy(context.Background(), true); err != nil {
			t.Error(err)
		}
	})
	return s
}

func configure(t *testing.T, s *Sandbox, config string) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.file, []byte(config), 0o600))
}

func parametersIn(t *testing.T, endpoint string) int {
	t.Helper()
	client := ssm.New(ssm.Options{Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	count := 0
	pages := ssm.NewGetParametersByPathPaginator(client, &ssm.GetParametersByPathInput{Path: awsconfig.String("/recovery/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		count += len(page.Parameters)
	}
	return count
}

func TestAKilledEmulatorIsNoticedAndReplaced(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 3}\n")
	before, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, parametersIn(t, before.Endpoint))

	record, _, err := s.lookup()
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(record.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool { _, now, err := s.lookup(); return err == nil && now == gone }, 10*time.Second, 20*time.Millisecond)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.Contains(t, status.Problem, fmt.Sprintf("process %d is gone", record.PID))
	_, err = s.Preview(t.Context(), false)
	require.ErrorContains(t, err, "bluegreen sandbox up creates everything anew")

	var said strings.Builder
	s.Progress = &said
	after, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Contains(t, said.String(), fmt.Sprintf("The emulator has stopped (process %d is gone)", record.PID))
	assert.Equal(t, map[string]int{"create": 3}, after.Changes)
	assert.Equal(t, 3, parametersIn(t, after.Endpoint))
	changes, err := s.Preview(t.Context(), true)
	require.NoError(t, err)
	assert.False(t, changes.Any())
}

// killed starts an Up in a process of its own, and hands over its process id
// once the emulated AWS holds its first parameters.
func killed(t *testing.T, s *Sandbox, kill func(up int)) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	up := exec.Command(executable, asUp, s.Folder, s.file) // #nosec G204 -- this test
	up.Stderr = os.Stderr
	require.NoError(t, up.Start())
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	t.Cleanup(func() { _ = up.Process.Kill() })
	for {
		record, now, err := s.lookup()
		if err == nil && now == serving && parametersIn(t, record.Endpoint) > 0 {
			break
		}
		select {
		case err := <-ended:
			t.Fatal("ended before it created anything:", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	kill(up.Process.Pid)
	require.Error(t, <-ended, "killed, or failed because its engine was")
}

// engines are the Pulumi engines of a run folder, from their locks.
func engines(t *testing.T, s *Sandbox) (pids []int) {
	t.Helper()
	locks, err := s.locks()
	require.NoError(t, err)
	for _, held := range locks {
		pids = append(pids, held.PID)
	}
	return pids
}

func TestAKilledCommandIsRecoveredFrom(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 60}\n")
	killed(t, s, func(up int) {
		assert.Empty(t, s.orphans(), "their engine lives")
		require.NoError(t, syscall.Kill(up, syscall.SIGKILL))
	})
	summary, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 60, summary.Resources)
	assert.Equal(t, 60, parametersIn(t, summary.Endpoint))
}

func TestAKilledEngineIsRecoveredFrom(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 60}\n")
	killed(t, s, func(int) {
		for _, engine := range engines(t, s) {
			require.NoError(t, syscall.Kill(engine, syscall.SIGKILL))
		}
	})
	if runtime.GOOS == "linux" {
		assert.NotEmpty(t, s.orphans(), "the AWS plugin waits for its engine")
	}
	summary, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 60, summary.Resources)
	assert.Equal(t, 60, parametersIn(t, summary.Endpoint))
	assert.Empty(t, s.orphans())
}

// An engine that is killed at the wrong moment leaves an empty state.
func TestATornStateIsReplaced(t *testing.T) {
	for name, torn := range map[string]string{"empty": "", "half": `{"version": 3, "checkpoint": {`} {
		t.Run(name, func(t *testing.T) {
			s := stand(t, small(), "config: {bluegreen:count: 3}\n")
			_, err := s.Up(t.Context())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(s.checkpoint(), []byte(torn), 0o600))
			require.NoError(t, os.WriteFile(s.checkpoint()+".attrs", []byte(torn), 0o600))

			configure(t, s, "config: {bluegreen:count: 4}\n")
			summary, err := s.Up(t.Context())
			require.NoError(t, err)
			assert.Equal(t, map[string]int{"same": 3, "create": 1}, summary.Changes)
			assert.Equal(t, 4, parametersIn(t, summary.Endpoint))

			require.NoError(t, os.Remove(s.path(completeFile))) // as in a first creation
			require.NoError(t, os.WriteFile(s.checkpoint(), []byte(torn), 0o600))
			summary, err = s.Up(t.Context())
			require.NoError(t, err)
			assert.Equal(t, map[string]int{"create": 4}, summary.Changes)
			assert.Equal(t, 4, parametersIn(t, summary.Endpoint))

			require.NoError(t, os.WriteFile(s.checkpoint(), []byte(torn), 0o600))
			destroyed, err := s.Destroy(t.Context(), false)
			require.NoError(t, err)
			assert.Equal(t, 4, destroyed.Resources)
		})
	}
}

// The store's attributes of the state may be torn while the state is whole.
func TestTornAttributesAreDropped(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 3}\n")
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.checkpoint()+".attrs", nil, 0o600))
	summary, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"same": 3}, summary.Changes)
}

func TestAnInterruptedUpGoesOn(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 60}\n")
	killed(t, s, func(up int) { require.NoError(t, syscall.Kill(up, syscall.SIGINT)) })
	assert.Empty(t, engines(t, s), "the engine has ended by itself")
	state, err := s.deployment(t.Context(), server{})
	require.NoError(t, err)
	assert.Empty(t, state.PendingOperations)
	summary, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 60, parametersIn(t, summary.Endpoint))
}

func TestStatusTellsOfAFailedUp(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 3}\n")
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	configure(t, s, "config: {bluegreen:count: many}\n")
	_, failure := s.Up(t.Context())
	require.Error(t, failure)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.True(t, status.Running, "what was there before is there still")
	assert.Equal(t, 3, status.Resources)
	assert.Regexp(t, `^the last up or destroy failed, at [-0-9]+ [:0-9]+; mend that and run it again\n`, status.Problem)
	assert.True(t, strings.HasSuffix(status.Problem, failure.Error()), status.Problem)

	configure(t, s, "config: {bluegreen:count: 4}\n")
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	status, err = s.Status(t.Context())
	require.NoError(t, err)
	assert.Empty(t, status.Problem)
}

func TestASecondUpAtTheSameTimeIsRefused(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 3}\n")
	release, _, err := s.exclusive("up")
	require.NoError(t, err)
	_, err = s.Up(t.Context())
	release()
	require.ErrorContains(t, err, "another bluegreen sandbox command works on this sandbox: up")
	_, err = s.Up(t.Context())
	require.NoError(t, err, "nothing is lost")
}

func TestAnOlderEmulatorIsRefusedAndCanBeDestroyed(t *testing.T) {
	s := stand(t, small(), "config: {bluegreen:count: 3}\n")
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	record, _, err := s.lookup()
	require.NoError(t, err)
	record.Pin = "0123456789ab"
	require.NoError(t, writeJSON(s.path(serverFile), record))
	_, err = s.Up(t.Context())
	require.ErrorContains(t, err, "was started from an older sandbox/emulator (0123456789ab, now ")
	require.ErrorContains(t, err, "run bluegreen sandbox destroy, then up")
	done, err := s.Destroy(t.Context(), false)
	require.NoError(t, err)
	assert.Equal(t, 3, done.Resources)
	_, err = s.Up(t.Context())
	require.NoError(t, err)
}
