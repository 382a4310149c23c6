package rehearsal

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bluegreen/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asServer makes the test binary the process that serves a sandbox.
const asServer = "serve-for-a-test"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asServer {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := sandbox.Serve(ctx, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	m.Run()
}

// onMachines is a site whose rehearsal runs on real machines. Where they cannot
// run the test is skipped, or fails where they have to.
func onMachines(t *testing.T) Site {
	t.Helper()
	if testing.Short() {
		t.Skip("boots machines, which takes minutes")
	}
	if err := sandbox.CheckMachines(t.Context()); err != nil {
		if os.Getenv("BLUEGREEN_REQUIRE_MACHINES") == "1" {
			require.NoError(t, err, "BLUEGREEN_REQUIRE_MACHINES=1")
		}
		t.Skip(err)
	}
	root, err := sandbox.FindRoot(".")
	require.NoError(t, err)
	t.Chdir(root) // the program reads environment.yaml there
	executable, err := os.Executable()
	require.NoError(t, err)
	folder, err := os.MkdirTemp("", "rehearsal") // short: sockets lie in it
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return Site{
		Folder: folder,
		Sandbox: sandbox.Options{
			Root: root, Stack: "rehearsal", Program: sandbox.Platform(), Progress: os.Stderr, Serve: []string{executable, asServer},
		},
	}
}

// rehearsed performs a rehearsal on machines.
func rehearsed(t *testing.T, site Site) Report {
	t.Helper()
	stage, versions, err := Open(t.Context(), site)
	require.NoError(t, err)
	report, err := Perform(t.Context(), Options{Stage: stage, Folder: site.Folder, Versions: versions, Progress: os.Stderr, Rate: 20})
	if err != nil {
		t.Log(err)
	}
	report.Report(os.Stderr)
	return report
}

func TestRehearsalOnMachines(t *testing.T) {
	report := rehearsed(t, onMachines(t))
	assert.True(t, report.Passed)
	assert.Len(t, report.Steps, 13)
}

// A release script that fails must not pass for a rehearsal.
func TestBrokenReleaseScriptFailsTheRehearsal(t *testing.T) {
	site := onMachines(t)
	site.App = t.TempDir()
	require.NoError(t, os.CopyFS(site.App, os.DirFS("app")))
	script := filepath.Join(site.App, "release.sh")
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	broken := strings.Replace(string(text), "once() {", "once() {\n\techo 'broken on purpose' >&2\n\tfalse", 1)
	require.NotEqual(t, string(text), broken)
	require.NoError(t, os.WriteFile(script, []byte(broken), 0o600))
	report := rehearsed(t, site)
	assert.False(t, report.Passed)
	require.Len(t, report.Steps, 2, "nothing can be released, so it ends there")
	assert.Contains(t, strings.Join(report.Steps[1].Problems, "\n"), "broken on purpose")
}
