package machines

import (
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckNamesEverythingAtOnce(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Check(t.Context())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "machines cannot run here:\n")
	assert.Contains(t, err.Error(), "not on PATH: bash, debootstrap, ip, mount, nsenter, systemd-nspawn, unshare; "+
		"Debian, Ubuntu: apt-get install bash debootstrap iproute2 mount systemd-container util-linux")
	assert.Equal(t, os.Geteuid() != 0, strings.Contains(err.Error(), "want root"))
}

func TestStartNamesEveryMissingOption(t *testing.T) {
	_, err := Start(t.Context(), Options{Agent: "/bin/agent"})
	assert.EqualError(t, err, "machines: agent: want a program and a client for it, or neither\nfolder: none given\nregion: none given\ntree: none given")
}

func TestARecordOfSomethingElseIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, recordFile), []byte(`{"name": "../../home"}`), 0o600))
	_, err := claim(t.Context(), folder, "bluegreen-new")
	assert.ErrorContains(t, err, `not the record of machines: name "../../home"`)
}

func TestChosenAddresses(t *testing.T) {
	h := &Host{machines: map[string]*machine{}}
	take := func(id, private string) string {
		address, _ := netip.ParseAddr(private)
		m := h.newMachine(id, h.choose(address), instance{})
		h.machines[id] = m
		return m.address.String()
	}
	assert.Equal(t, "10.0.1.5", take("i-1", "10.0.1.5"))
	assert.Equal(t, "192.168.254.1", take("i-2", "10.0.1.5"), "taken")
	assert.Equal(t, "192.168.254.2", take("i-3", ""), "none")
	assert.Equal(t, "192.168.254.3", take("i-4", "54.1.2.3"), "a public one")
	assert.Equal(t, "192.168.254.4", take("i-5", "192.168.255.1"), "the gateway's")
	h.machines["i-1"].state = Failed
	assert.Equal(t, "10.0.1.5", take("i-6", "10.0.1.5"), "free again")
}

func TestDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "i-1")
	require.NoError(t, makeDisk(folder, []file{
		{path: "etc/hosts", text: hostsFile("ip-10-0-0-4", netip.MustParseAddr("10.0.0.4"), []string{"database.example.com"})},
		{path: "usr/local/sbin/first", text: "#!/bin/sh\n", mode: 0o755},
		{path: "etc/systemd/system/nginx.service", link: "/dev/null"},
	}))
	upper := filepath.Join(folder, "upper")
	for path, mode := range map[string]string{"": "drwxr-xr-x", "usr/local/sbin": "drwxr-xr-x", "usr/local/sbin/first": "-rwxr-xr-x", "etc/hosts": "-rw-r--r--"} {
		info, err := os.Stat(filepath.Join(upper, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().String(), path)
	}
	text, err := os.ReadFile(filepath.Join(upper, "etc/hosts"))
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1 localhost\n::1 localhost\n10.0.0.4 ip-10-0-0-4\n192.168.255.2 database.example.com\n", string(text))
	target, err := os.Readlink(filepath.Join(upper, "etc/systemd/system/nginx.service"))
	require.NoError(t, err)
	assert.Equal(t, "/dev/null", target)
	assert.Error(t, makeDisk(folder, []file{{path: "../outside"}}))
}

func TestEmbeddedFiles(t *testing.T) {
	for _, name := range []string{"boot.sh", "data.sh", "cloud-final", "cloud-final.service"} {
		assert.NotEmpty(t, embedded(name), name)
	}
	assert.Contains(t, embedded("cloud-final"), "endpoint=http://192.168.255.1:4566\n")
}

func TestAuthority(t *testing.T) {
	authority, err := newAuthority()
	require.NoError(t, err)
	signed, key, err := authority.sign([]string{"database.example.com", "cache.example.com"})
	require.NoError(t, err)
	assert.Contains(t, string(key), "PRIVATE KEY")
	parsed, err := x509.ParseCertificate(decode(t, signed))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(authority.pem()))
	for _, name := range []string{"database.example.com", "cache.example.com"} {
		_, err = parsed.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		assert.NoError(t, err)
	}
	other, err := newAuthority()
	require.NoError(t, err)
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(other.pem())
	_, err = parsed.Verify(x509.VerifyOptions{Roots: roots, DNSName: "cache.example.com"})
	assert.Error(t, err)
}

func decode(t *testing.T, text []byte) []byte {
	t.Helper()
	decoded, rest := pem.Decode(text)
	require.NotNil(t, decoded)
	assert.Empty(t, rest)
	return decoded.Bytes
}

func TestLoginsAreThoseOfTheStores(t *testing.T) {
	found := stores{names: []string{"cache.example.com", "database.example.com"}}
	for _, text := range []string{
		"postgresql://owner:p%40ss@database.example.com:5432/shop?sslmode=require",
		"postgresql://owner:p%40ss@database.example.com:5432/shop?sslmode=require", // for another service
		"postgresql://owner:secret@elsewhere.example.com/shop",
		"rediss://:token@cache.example.com:6379/0",
		"https://example.com/", "://", "https://user:password@database.example.com/",
	} {
		found.add(text)
	}
	assert.Equal(t, []login{{user: "owner", password: "p@ss", database: "shop"}}, found.databases)
	assert.Equal(t, []string{"token"}, found.passwords)
}

func TestWhatTheServersAreTold(t *testing.T) {
	sql := roles([]login{{user: `o"wner`, password: `p'w\`, database: "shop"}})
	assert.Equal(t, `SELECT 'CREATE ROLE "o""wner"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'o"wner') \gexec
ALTER ROLE "o""wner" LOGIN CREATEDB CREATEROLE PASSWORD 'p''w\';
SELECT 'CREATE DATABASE "shop" OWNER "o""wner"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop') \gexec
`, sql)
	assert.Equal(t, "user default off\n", users(nil))
	assert.Equal(t, "user default on #3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0 ~* &* +@all\n", users([]string{"token", "token"}))
}

func TestEnter(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("SECRET", "x")
	command := Enter(42, "systemctl", "status")
	assert.Equal(t, []string{"nsenter", "--target=42", "--all", "--",
		"setpriv", "--bounding-set=" + capabilities, "--", "env", "--chdir=/", "-i", "HOME=/root", "LANG=C.UTF-8",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "systemctl", "status"}, command)
	assert.Equal(t, "--login", Enter(42)[len(Enter(42))-1])
}
