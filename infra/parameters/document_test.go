package parameters

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocumentIsFresh(t *testing.T) {
	const path = "../../docs/environment.md"
	got := Document(ours(t))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run: make golden")
	assert.Equal(t, string(want), got, "%s is stale; run: make golden, and read the difference", path)
}

func TestDocumentHasEveryVariableOnce(t *testing.T) {
	registry := ours(t)
	page := Document(registry)
	for _, v := range registry {
		assert.Equal(t, 1, strings.Count(page, "\n| `"+v.Name+"` |"), v.Name)
	}
}

func TestTablesHoldWhateverTextSays(t *testing.T) {
	page := Document(Registry{
		{Name: "A", Description: "one | two\nthree", Readers: []Reader{Beat, Web}, Config: true, Default: "a|b"},
		{Name: "B", Description: "four", Readers: []Reader{Local}, Elsewhere: "me | you"},
	})
	assert.Contains(t, page, "| `A` | one \\| two three | web, beat | no | no | `a\\|b` |\n")
	assert.Contains(t, page, "| `B` | four | local | no | no |  | me \\| you |\n")
	assert.Contains(t, page, "- **pipeline** (tests and releases): none\n")
}
