package doctor

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	account12 = "111122223333" // of Pulumi.prod.yaml
	root      = "../.."
)

// checkout is a copy of what the checks read of this repository.
func checkout(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{
		"Pulumi.yaml", "Pulumi.prod.yaml", "environment.yaml", "appspec.yml", "go.mod", "tools/go.mod", "app", "scripts",
		"cmd/pulumi-resource-bluegreen/plugin",
	} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, name), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			require.NoError(t, err)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			to, err := filepath.Rel(root, file)
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, to)), 0o755))
			return os.WriteFile(filepath.Join(folder, to), text, info.Mode().Perm())
		}))
	}
	return folder
}

// change edits a file of a checkout.
func change(t *testing.T, folder, file, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, file))
	require.NoError(t, err)
	require.Contains(t, string(text), old, file)
	info, err := os.Stat(filepath.Join(folder, file))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(strings.Replace(string(text), old, replacement, 1)), info.Mode().Perm()))
}

// examine returns the findings by name.
func examine(t *testing.T, o Options) map[string]Finding {
	t.Helper()
	if o.Stack == "" {
		o.Stack = "prod"
	}
	diagnosis, err := Examine(t.Context(), o)
	require.NoError(t, err)
	found := map[string]Finding{}
	for _, one := range diagnosis.Findings {
		require.NotContains(t, found, one.Check)
		found[one.Check] = one
	}
	return found
}

// examineOne makes one check only.
func examineOne(t *testing.T, o Options, name string) map[string]Finding {
	t.Helper()
	o.Stack = "prod"
	o.patience = patience
	p := newPatient(t.Context(), o)
	for _, check := range all() {
		if check.name == name {
			return map[string]Finding{name: check.perform(t.Context(), p)}
		}
	}
	t.Fatalf("no check %s", name)
	return nil
}

// expect compares one finding.
func expect(t *testing.T, found map[string]Finding, check string, status Status, said string) {
	t.Helper()
	require.Contains(t, found, check)
	assert.Equal(t, status, found[check].Status, "%s: %s", check, found[check].text())
	assert.Contains(t, found[check].text(), said, check)
}

// amazon answers calls of AWS by their names; those of Route 53 by path. What it
// is not told of it refuses as AWS does what these credentials may not.
type amazon map[string]string

func (a amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name := r.URL.Path
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		name = target[strings.LastIndex(target, ".")+1:]
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if code := between(string(body), `"QuotaCode":"`, `"`); code != "" {
			name += " " + code
		}
	} else if action := between(string(body), "Action=", "&"); action != "" {
		name = action
		w.Header().Set("Content-Type", "text/xml")
	}
	answer, known := a[name]
	if !known {
		w.WriteHeader(http.StatusForbidden)
		answer = `{"__type": "AccessDenied", "message": "no"}`
		if !strings.Contains(w.Header().Get("Content-Type"), "json") {
			answer = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
		}
	}
	_, _ = io.WriteString(w, answer)
}

func between(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	if !found {
		return ""
	}
	inner, _, _ := strings.Cut(rest, after)
	return inner
}

// identity is STS's answer.
func identity(account string) string {
	return "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>" + account + "</Account><Arn>arn:aws:iam::" + account +
		":user/one</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
}

// at is an account that answers like that.
func at(t *testing.T, answers amazon) *aws.Config {
	t.Helper()
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", "")
	return &aws.Config{
		Region: "us-east-2", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		RetryMaxAttempts: 1,
	}
}

// internet is DNS.
type internet struct {
	servers map[string][]string
	hosts   map[string][]string
}

func (i internet) LookupNS(_ context.Context, name string) (all []*net.NS, err error) {
	for _, server := range i.servers[name] {
		all = append(all, &net.NS{Host: server + "."})
	}
	if len(all) == 0 {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return all, err
}

func (i internet) LookupHost(_ context.Context, host string) ([]string, error) {
	if found := i.hosts[host]; len(found) > 0 {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// programs makes a folder the whole of PATH, with programs that say something.
func programs(t *testing.T, said map[string]string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"bash", "sh", "tr", "env", "cat"} {
		real, err := filepath.EvalSymlinks(look(t, name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(real, filepath.Join(folder, name)))
	}
	for name, script := range said {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	t.Setenv("PATH", folder)
}

func look(t *testing.T, name string) string {
	t.Helper()
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return filepath.Join(folder, name)
		}
	}
	t.Skip("needs " + name)
	return ""
}
