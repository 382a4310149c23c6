package database

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestConnectionURL(t *testing.T) {
	assert.Equal(t, "postgresql://user:p%40ss%2Fword@host.rds.amazonaws.com:5432/shop?sslmode=require",
		connectionURL("user", "p@ss/word", "host.rds.amazonaws.com", 5432, "shop"))
}

// Whoever reads the URL gets back what went in, whatever the characters.
func TestConnectionURLRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		username, password := rapid.String().Draw(t, "username"), rapid.String().Draw(t, "password")
		name := rapid.StringMatching(`[a-z][a-z0-9_]{0,62}`).Draw(t, "name")
		number := rapid.IntRange(1, 65535).Draw(t, "port")

		got, err := url.Parse(connectionURL(username, password, "host", number, name))
		require.NoError(t, err)
		read, _ := got.User.Password()
		assert.Equal(t, username, got.User.Username())
		assert.Equal(t, password, read)
		assert.Equal(t, "host", got.Hostname())
		assert.Equal(t, strconv.Itoa(number), got.Port())
		assert.Equal(t, "/"+name, got.Path)
		assert.Equal(t, "require", got.Query().Get("sslmode"))
	})
}
