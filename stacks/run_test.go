package stacks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheRegistrySaysWhereItIsWrong(t *testing.T) {
	root := t.TempDir()
	_, _, err := Load(root, small(), "prod")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "environment.yaml: no such file or directory; it belongs beside Pulumi.yaml: bring it back with git checkout environment.yaml")

	require.NoError(t, os.WriteFile(filepath.Join(root, "environment.yaml"), []byte("variables:\n  A: {description: [\n"), 0o600))
	_, _, err = Load(root, small(), "prod")
	assert.Regexp(t, `^environment.yaml: yaml: line \d+: .*; correct the file there$`, err)
}
