package github

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func set(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestWhichGitHub(t *testing.T) {
	for _, test := range []struct {
		host string
		set  map[string]string
		want string
	}{
		{"", nil, "https://api.github.com/"},
		{"", map[string]string{"GH_HOST": "git.example.com"}, "https://git.example.com/api/v3/"},
		{"", map[string]string{"GH_HOST": "example.ghe.com"}, "https://api.example.ghe.com/"},
		{"", map[string]string{"GH_HOST": "git.example.com", "GITHUB_API_URL": "https://api.github.com"}, "https://api.github.com/"},
		{"git.example.com", map[string]string{"GITHUB_API_URL": "https://api.github.com"}, "https://git.example.com/api/v3/"},
		{"", map[string]string{"GITHUB_API_URL": "http://127.0.0.1:1234/api/v3/"}, "http://127.0.0.1:1234/api/v3/"},
	} {
		address, err := FindAPI(test.host, set(test.set))
		require.NoError(t, err)
		assert.Equal(t, test.want, address.String())
	}
	_, err := FindAPI("", set(map[string]string{"GITHUB_API_URL": "http://git.example.com/api/v3"}))
	require.ErrorContains(t, err, "is not encrypted")
	_, err = FindAPI("", set(map[string]string{"GITHUB_API_URL": "git.example.com"}))
	require.ErrorContains(t, err, "want one as in https://api.github.com")
}

// A token for one server never goes to another.
func TestWhichToken(t *testing.T) {
	folder := t.TempDir()
	script := "#!/bin/sh\n[ \"$*\" = 'auth token --hostname git.example.com' ] && echo of-gh\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "gh"), []byte(script), 0o700)) // #nosec G306 -- it runs
	t.Setenv("PATH", folder)
	all := map[string]string{"GH_TOKEN": "a", "GITHUB_TOKEN": "b", "GH_ENTERPRISE_TOKEN": "c", "GITHUB_ENTERPRISE_TOKEN": "d"}
	public := map[string]string{"GITHUB_TOKEN": "b", "GITHUB_API_URL": "https://api.github.com"}
	actions := map[string]string{"GITHUB_TOKEN": "b", "GITHUB_API_URL": "https://git.example.com/api/v3"}
	for _, test := range []struct {
		api  string
		set  map[string]string
		want string
	}{
		{"https://api.github.com/", all, "a"},
		{"https://api.github.com/", public, "b"},
		{"https://api.example.ghe.com/", all, "a"},
		{"https://git.example.com/api/v3/", all, "c"},
		{"https://git.example.com/api/v3/", actions, "b"},
		{"https://git.example.com/api/v3/", public, "of-gh"},
	} {
		address, err := url.Parse(test.api)
		require.NoError(t, err)
		token, err := FindToken(t.Context(), address, set(test.set))
		require.NoError(t, err, test)
		assert.Equal(t, test.want, token, test)
	}
	address, _ := url.Parse("https://api.github.com/")
	_, err := FindToken(t.Context(), address, set(nil))
	require.ErrorContains(t, err, "no token for github.com; set GH_TOKEN, or sign in with gh auth login --hostname github.com")
}

func TestWhichRepository(t *testing.T) {
	address, _ := url.Parse("https://api.github.com/")
	for remote, want := range map[string]string{
		"https://github.com/example/website.git":       "example/website",
		"https://github.com/example/website":           "example/website",
		"git@github.com:example/website.git":           "example/website",
		"ssh://git@github.com:22/example/web.site.git": "example/web.site",
		"https://gitlab.com/example/website.git":       "",
		"/srv/git/website.git":                         "",
	} {
		folder := t.TempDir()
		for _, arguments := range [][]string{{"init", "-q"}, {"remote", "add", "origin", remote}} {
			out, err := exec.Command("git", append([]string{"-C", folder}, arguments...)...).CombinedOutput()
			require.NoError(t, err, string(out))
		}
		assert.Equal(t, want, FindRepository(t.Context(), address, folder), remote)
	}
	assert.Empty(t, FindRepository(t.Context(), address, t.TempDir()))
}
