package parts

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSourceFromEnvironment(t *testing.T) {
	source, err := SourceFromEnvironment()
	require.NoError(t, err)
	assert.Equal(t, debian, source)

	t.Setenv("BLUEGREEN_SANDBOX_MIRROR", "http://archive.ubuntu.com/ubuntu")
	t.Setenv("BLUEGREEN_SANDBOX_SUITE", "noble")
	source, err = SourceFromEnvironment()
	require.NoError(t, err)
	assert.Equal(t, Source{Mirror: "http://archive.ubuntu.com/ubuntu", Suite: "noble"}, source)

	t.Setenv("BLUEGREEN_SANDBOX_MIRROR", "archive.ubuntu.com")
	t.Setenv("BLUEGREEN_SANDBOX_SUITE", "--foreign")
	_, err = SourceFromEnvironment()
	assert.EqualError(t, err, `BLUEGREEN_SANDBOX_MIRROR: want the address of an archive like http://deb.debian.org/debian, got "archive.ubuntu.com"
BLUEGREEN_SANDBOX_SUITE: want a release like trixie, got "--foreign"`)
}

func TestTreeIsMadeAnewWhenWhatItIsMadeFromChanges(t *testing.T) {
	b, err := newBench(t.TempDir())
	require.NoError(t, err)
	options := TreeOptions{Source: debian, UserData: "#!/bin/bash\n"}
	place := func() string {
		p, err := b.treePart(options)
		require.NoError(t, err)
		return b.place(p)
	}
	first := place()
	assert.Equal(t, first, place())
	options.UserData += "true\n"
	second := place()
	assert.NotEqual(t, first, second)
	options.Source.Suite = "bookworm"
	assert.NotEqual(t, second, place())
}

func TestATreeThatIsThereIsTaken(t *testing.T) {
	root := t.TempDir()
	options := TreeOptions{Root: root, Source: debian, UserData: "#!/bin/bash\n", Output: io.Discard}
	b, err := newBench(root)
	require.NoError(t, err)
	p, err := b.treePart(options)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(b.place(p), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(b.place(p), p.file), nil, 0o600))
	tree, err := Tree(context.Background(), options)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(b.place(p), "tree"), tree)
}
