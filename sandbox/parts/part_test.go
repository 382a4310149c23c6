package parts

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bluegreen/sandbox/progress"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testBench(t *testing.T) (*bench, *progress.Step) {
	t.Helper()
	b, err := newBench(t.TempDir())
	require.NoError(t, err)
	return b, progress.New(io.Discard, 1).Start("part")
}

// tool is a part whose product is a file with the given text.
func tool(text string, made *atomic.Int32) part {
	return part{name: "tool", pin: "0123", file: "tool", make: func(_ context.Context, folder string, _ *log) error {
		made.Add(1)
		return os.WriteFile(filepath.Join(folder, "tool"), []byte(text), 0o600)
	}}
}

func TestAPartIsMadeOnceAndKept(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("v1", &made)
	require.Empty(t, b.ready(p))
	first, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	second, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	assert.Equal(t, first, b.ready(p))
	assert.EqualValues(t, 1, made.Load())
}

// A build runs in the folder of its module: a path relative to the caller's
// would put the product outside of the checkout.
func TestAPartIsMadeInItsPlaceFromARelativeRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	b, err := newBench("..")
	require.NoError(t, err)
	_, step := testBench(t)
	p := part{name: "tool", pin: "0123", file: "tool", make: func(ctx context.Context, folder string, log *log) error {
		return log.run(ctx, t.TempDir(), nil, "touch", filepath.Join(folder, "tool"))
	}}
	file, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	assert.FileExists(t, file)
}

func TestANewPinMakesThePartAnewAndKeepsTheOld(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("v1", &made)
	old, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	p.pin = "4567"
	require.Empty(t, b.ready(p))
	anew, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	assert.NotEqual(t, old, anew)
	assert.FileExists(t, old, "a running sandbox may still use it")
}

func TestAHalfMadePartIsNeverUsed(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("whole", &made)
	staging := filepath.Join(b.folder, ".tool.making")
	require.NoError(t, os.MkdirAll(staging, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(staging, "tool"), []byte("ha"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(staging, "leftover"), nil, 0o600))
	require.Empty(t, b.ready(p))

	file, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "whole", string(text))
	assert.NoFileExists(t, filepath.Join(filepath.Dir(file), "leftover"))
	assert.NoDirExists(t, staging)
}

func TestAFailedPartLeavesNothingAndShowsTheEndOfItsLog(t *testing.T) {
	b, step := testBench(t)
	p := part{name: "tool", pin: "0123", file: "tool", make: func(ctx context.Context, folder string, log *log) error {
		if err := os.WriteFile(filepath.Join(folder, "tool"), []byte("ha"), 0o600); err != nil {
			return err
		}
		return log.run(ctx, folder, nil, "sh", "-c", "echo first; echo 'undefined: Widget' >&2; exit 3")
	}}
	_, err := b.ensure(t.Context(), p, step)
	require.ErrorContains(t, err, "exit status 3")
	require.ErrorContains(t, err, "undefined: Widget")
	require.ErrorContains(t, err, filepath.Join(b.folder, "tool.log"))
	assert.Empty(t, b.ready(p))
	assert.NoDirExists(t, b.place(p))
}

func TestAProductThatIsGoneIsMadeAgain(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("v1", &made)
	file, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink(filepath.Join(b.root, "removed-python"), file))
	require.Empty(t, b.ready(p))
	_, err = b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	assert.EqualValues(t, 2, made.Load())
}

func TestAProductThatIsCutShortIsMadeAgain(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("whole", &made)
	file, err := b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, 2))
	require.Empty(t, b.ready(p))
	_, err = b.ensure(t.Context(), p, step)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "whole", string(text))
}

func TestPartsOfEarlierPinsGoOnceNobodyUsesThem(t *testing.T) {
	long := time.Now().Add(-keptFor - time.Hour)
	for name, runs := range map[string]bool{"used by commands": false, "may run in the background": true} {
		t.Run(name, func(t *testing.T) {
			b, step := testBench(t)
			makePart := func(name, pin string) (part, string) {
				t.Helper()
				p := tool("v1", new(atomic.Int32))
				p.name, p.pin, p.runs = name, pin, runs
				file, err := b.ensure(t.Context(), p, step)
				require.NoError(t, err)
				return p, file
			}
			_, unused := makePart("tool", "aaaaaaaaaaaa")
			shared, usedToday := makePart("tool", "bbbbbbbbbbbb")
			_, other := makePart("tool-two", "cccccccccccc")
			for _, file := range []string{unused, usedToday, other} {
				require.NoError(t, os.Chtimes(filepath.Dir(file), long, long))
			}
			require.Equal(t, usedToday, b.ready(shared))
			_, anew := makePart("tool", "dddddddddddd")
			assert.FileExists(t, anew)
			assert.FileExists(t, usedToday)
			assert.FileExists(t, other)
			_, err := os.Stat(unused)
			assert.Equal(t, runs, err == nil)
		})
	}
}

func TestTwoAtOnceMakeOnePart(t *testing.T) {
	b, step := testBench(t)
	var made atomic.Int32
	p := tool("v1", &made)
	quick := p.make
	p.make = func(ctx context.Context, folder string, log *log) error {
		time.Sleep(100 * time.Millisecond)
		return quick(ctx, folder, log)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			_, err := b.ensure(t.Context(), p, step)
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	assert.EqualValues(t, 1, made.Load())
}

func TestWaitingForAnotherProcessEndsWithTheContext(t *testing.T) {
	b, step := testBench(t)
	p := tool("v1", new(atomic.Int32))
	unlock, err := b.lock(t.Context(), p, step)
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = b.ensure(ctx, p, step)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestPinCoversTheInputsOnly(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	hash := func(facts ...string) string {
		t.Helper()
		h, err := pin(root, facts, "plugin", "go.mod")
		require.NoError(t, err)
		return h
	}
	write("plugin/main.go", "package main")
	write("go.mod", "module x")
	first := hash("1.0")
	write("other.go", "package other")
	write("plugin/main_test.go", "package main")
	write("plugin/testdata/golden.json", "{}")
	assert.Equal(t, first, hash("1.0"), "nothing that is built has changed")
	assert.NotEqual(t, first, hash("1.1"), "version")
	write("plugin/main.go", "package main // edited")
	assert.NotEqual(t, first, hash("1.0"), "content")
	write("plugin/main.go", "package main")
	write("plugin/more.go", "")
	assert.NotEqual(t, first, hash("1.0"), "a further file")

	_, err := pin(root, nil, "absent")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "complete checkout")
}
