package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A copy with a launcher of its own would build the plugin for each stack.
func TestACopySharesThePlugin(t *testing.T) {
	here, err := filepath.Abs("../..")
	require.NoError(t, err)
	b := &bench{root: here}
	root, err := b.checkout(t.Context(), size{"small", small, 2})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(root)) })

	want, err := filepath.EvalSymlinks(b.launcher())
	require.NoError(t, err)
	got, err := filepath.EvalSymlinks((&bench{root: root}).launcher())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.FileExists(t, b.launcher(), "the copy is apart from the checkout")

	text, err := os.ReadFile(filepath.Join(root, "Pulumi.sandbox.yaml"))
	require.NoError(t, err)
	assert.Equal(t, small, string(text))
	registry, err := os.ReadFile(filepath.Join(root, "environment.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(registry), "BENCH_1:")
}
