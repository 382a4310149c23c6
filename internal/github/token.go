package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
)

var errNoToken = errors.New("no token for GitHub; set GH_TOKEN, or sign in with gh auth login")

// publicHost is GitHub itself; a customer of GitHub Enterprise Cloud may have a
// host under sharedDomain, and GitHub Enterprise Server is any other.
const (
	publicHost   = "github.com"
	sharedDomain = ".ghe.com"
)

// FindAPI is the address of GitHub's REST API: of host, else GITHUB_API_URL,
// which Actions sets, else of GH_HOST, else github.com's. Errors: an address
// that is none, or without encryption.
func FindAPI(host string, environment func(string) string) (*url.URL, error) {
	text := environment("GITHUB_API_URL")
	switch {
	case host != "":
		text = addressOf(host)
	case text == "" && environment("GH_HOST") != "":
		text = addressOf(environment("GH_HOST"))
	case text == "":
		text = addressOf(publicHost)
	}
	address, err := url.Parse(strings.TrimSuffix(text, "/") + "/")
	if err != nil {
		return nil, fmt.Errorf("address of GitHub's API: %w", err)
	}
	return address, checkAPI(address)
}

// addressOf is where a host's API is (GitHub Docs, "Getting started with the
// REST API"; for Enterprise Server its own edition of that page).
func addressOf(host string) string {
	if host == publicHost || strings.HasSuffix(host, sharedDomain) {
		return "https://api." + host
	}
	return "https://" + host + "/api/v3"
}

// checkAPI refuses an address that a token must not be sent to.
func checkAPI(address *url.URL) error {
	switch {
	case address == nil || address.Hostname() == "":
		return fmt.Errorf("address of GitHub's API: want one as in https://api.github.com, got %q", fmt.Sprint(address))
	case address.Scheme == "https":
		return nil
	case address.Scheme == "http" && net.ParseIP(address.Hostname()).IsLoopback():
		return nil
	}
	return fmt.Errorf("address of GitHub's API: %s is not encrypted, and a token would be readable on its way; want https", address)
}

// host is the name that people and gh know an API's host by.
func host(address *url.URL) string {
	name := address.Host
	if short := strings.TrimPrefix(name, "api."); short == publicHost || strings.HasSuffix(short, sharedDomain) {
		return short
	}
	return name
}

// FindToken is the token for an API: from the variables that gh reads for its
// host, else what gh auth token says. In Actions GITHUB_TOKEN is for the server
// of GITHUB_API_URL, whichever that is. Errors: there is none.
func FindToken(ctx context.Context, address *url.URL, environment func(string) string) (string, error) {
	name := host(address)
	variables := []string{"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}
	own := strings.TrimSuffix(environment("GITHUB_API_URL"), "/") == strings.TrimSuffix(address.String(), "/")
	switch {
	case name == publicHost || strings.HasSuffix(name, sharedDomain):
		variables = []string{"GH_TOKEN", "GITHUB_TOKEN"}
	case own:
		variables = append([]string{"GH_TOKEN", "GITHUB_TOKEN"}, variables...)
	}
	for _, variable := range variables {
		if token := strings.TrimSpace(environment(variable)); token != "" {
			return token, nil
		}
	}
	command := exec.CommandContext(ctx, "gh", "auth", "token", "--hostname", name) // #nosec G204 -- the operator's own host
	var out bytes.Buffer
	command.Stdout = &out
	if err := command.Run(); err != nil || strings.TrimSpace(out.String()) == "" {
		return "", fmt.Errorf("no token for %s; set %s, or sign in with gh auth login --hostname %s", name, variables[0], name)
	}
	return strings.TrimSpace(out.String()), nil
}

// FindRepository is owner/name of the repository that a checkout was cloned from,
// by its remote origin, or "" when that is not on this API's host.
func FindRepository(ctx context.Context, address *url.URL, folder string) string {
	command := exec.CommandContext(ctx, "git", "-C", folder, "remote", "get-url", "origin") // #nosec G204 -- the checkout
	out, err := command.Output()
	if err != nil {
		return ""
	}
	remote := strings.TrimSuffix(strings.TrimSpace(string(out)), ".git")
	if at, path, found := strings.Cut(remote, ":"); found && !strings.Contains(remote, "://") { // git@github.com:owner/name
		remote = "ssh://" + at + "/" + path
	}
	parsed, err := url.Parse(remote)
	if err != nil || parsed.Hostname() != strings.Split(host(address), ":")[0] {
		return ""
	}
	if path := strings.Trim(parsed.Path, "/"); repositoryName.MatchString(path) {
		return path
	}
	return ""
}
