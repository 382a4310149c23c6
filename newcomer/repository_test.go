package newcomer

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bluegreen/sandbox/parts/partstest"

	"github.com/stretchr/testify/require"
)

// repository is a checkout that somebody has made from this one as a template.
type repository struct {
	*testing.T
	root        string
	environment map[string]string // of the shell
	page        *page
	said        *record // all that anybody has printed, anywhere
}

// newRepository copies what git knows of the checkout, as it is, into a repository
// with one commit. The sandbox's parts are those of the checkout.
func newRepository(t *testing.T) *repository {
	t.Helper()
	partstest.Tools(t)
	source, err := filepath.Abs("..")
	require.NoError(t, err)
	r := &repository{T: t, root: filepath.Join(t.TempDir(), "bakery"), environment: exported(t, ""), page: readPage(t, source), said: &record{}}
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = source
	files, err := list.Output()
	require.NoError(t, err)
	for file := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		copyFile(t, filepath.Join(source, file), filepath.Join(r.root, file))
	}
	require.NoError(t, os.Mkdir(filepath.Join(r.root, ".sandbox"), 0o750))
	for _, shared := range []string{"parts", "tools"} {
		require.NoError(t, os.Symlink(filepath.Join(source, ".sandbox", shared), filepath.Join(r.root, ".sandbox", shared)))
	}
	for name, value := range map[string]string{
		"GIT_AUTHOR_NAME": "Newcomer", "GIT_AUTHOR_EMAIL": "newcomer@bakery.example",
		"GIT_COMMITTER_NAME": "Newcomer", "GIT_COMMITTER_EMAIL": "newcomer@bakery.example",
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
	} {
		r.environment[name] = value
	}
	r.run("git init --quiet --initial-branch main")
	r.commit("Initial commit")
	return r
}

// copyFile keeps links and rights; a file that the working tree lacks is left out.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Lstat(from)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o750))
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, to))
		return
	}
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, text, info.Mode().Perm()))
}

// commit commits everything.
func (r *repository) commit(message string) string {
	r.Helper()
	r.run("git add --all && git commit --quiet --message '" + message + "'")
	return strings.TrimSpace(r.run("git rev-parse HEAD"))
}

// run runs a line in the newcomer's shell, which has to succeed, and holds what it
// prints against the page, if that has the line.
func (r *repository) run(line string) string {
	r.Helper()
	return r.runAs(line, line, "")
}

// runAs is run for a line that stands otherwise on the page, or with something
// typed in.
func (r *repository) runAs(page, line, typed string) string {
	r.Helper()
	began := time.Now()
	out, err := r.shell(r.Context(), line, typed, r.environment)
	require.NoError(r, err, "%s\n%s", line, out)
	r.Logf("%6.1fs  %s", time.Since(began).Seconds(), line)
	r.page.compare(r.T, page, out)
	return out
}

// shell runs a line and answers all that it prints.
func (r *repository) shell(ctx context.Context, line, typed string, environment map[string]string) (string, error) {
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", line)
	command.Dir, command.Env, command.Stdin = r.root, entries(environment), strings.NewReader(typed)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	r.said.add(line, out.String())
	return out.String(), err
}

func entries(of map[string]string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, name+"="+of[name])
	}
	return all
}
