package cache

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestConnectionURL(t *testing.T) {
	assert.Equal(t, "rediss://:t0ken@master.example.cache.amazonaws.com:6379/0?ssl_cert_reqs=required",
		connectionURL("t0ken", "master.example.cache.amazonaws.com"))
}

// Whoever reads the URL gets back what went in, whatever the characters.
func TestConnectionURLRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.String().Draw(t, "token")
		got, err := url.Parse(connectionURL(token, "host"))
		require.NoError(t, err)
		read, _ := got.User.Password()
		assert.Empty(t, got.User.Username())
		assert.Equal(t, token, read)
		assert.Equal(t, "host:6379", got.Host)
		assert.Equal(t, "/0", got.Path)
		assert.Equal(t, "required", got.Query().Get("ssl_cert_reqs"))
	})
}
