package github

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/internal/stack"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvFile(t *testing.T) {
	given := outputs()
	given["AWS_NAME"] = stack.Output{Value: "a $name"}
	text, err := EnvFile(values(t, given, Choice{}))
	require.NoError(t, err)
	assert.Contains(t, text, "AWS_SECRET_ACCESS_KEY="+hidden+"2\n")
	assert.Contains(t, text, "AWS_NAME='a $name'\n")
	assert.Equal(t, 1, strings.Count(text, "PREVIEW_ROLE_ARN"))

	given["AWS_NAME"] = stack.Output{Value: "a\nSECRET=b"}
	_, err = EnvFile(values(t, given, Choice{}))
	require.ErrorContains(t, err, "output AWS_NAME: a quote or more than one line")

	file := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o644)) // #nosec G306 -- to be replaced
	require.NoError(t, WritePrivate(file, text))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, text, string(written))
	rest, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, rest, 1, "nothing lies beside it")
	require.Error(t, WritePrivate(filepath.Join(file, "below"), text))
	link := filepath.Join(t.TempDir(), "stdout") // as /dev/stdout is one
	require.NoError(t, os.Symlink(file, link))
	require.ErrorContains(t, WritePrivate(link, text), link+": want a file, or a name that nothing has; got L")
	there, err := os.Lstat(link)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSymlink, there.Mode().Type())
}
