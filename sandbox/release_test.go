package sandbox

import (
	"testing"

	"bluegreen/internal/once"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASiteInTheSandboxHasToBeNamed(t *testing.T) {
	r := &Release{}
	require.NoError(t, r.reach("https://example.com"))
	r.OverHTTP = &once.Client{}
	require.ErrorContains(t, r.reach("https://example.com"), "no site answers in the sandbox; name the address of one that does with --site-url")
	r.OverHTTP.Site = "http://127.0.0.1:8000"
	require.NoError(t, r.reach("https://example.com"))
	assert.Equal(t, "example.com", r.OverHTTP.Host)
}
