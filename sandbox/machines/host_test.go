package machines

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"bluegreen/sandbox/codedeploy"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One world for what a machine is, since a boot takes seconds.
func TestMachines(t *testing.T) {
	w := newWorld(t, 2)
	databaseURL, redisURL := w.addStores()
	running := w.await(2)
	one, two := running[0], running[1]
	w.awaitData()
	// The parameters that name the logins are read one after the other.
	require.Eventually(t, func() bool { return !w.host.dataBehind() }, patience, 50*time.Millisecond, "the data machine has yet to be told something")
	for _, m := range w.host.Machines() {
		t.Logf("%s booted in %s", m.Instance, m.Boot)
	}

	t.Run("systemd", func(t *testing.T) {
		w := w.in(t)
		assert.Equal(t, "running", w.run(one.Instance, "systemctl", "is-system-running", "--wait"), w.try(one.Instance, "systemctl", "--failed"))
		assert.Equal(t, one.Hostname, w.run(one.Instance, "hostname"))
		assert.Contains(t, w.run(one.Instance, "journalctl", "--no-pager", "--unit", "nginx"), "Started nginx.service")
		assert.NotEqual(t, w.run(one.Instance, "cat", "/etc/machine-id"), w.run(two.Instance, "cat", "/etc/machine-id"))
	})
	t.Run("whoever enters has no other rights than the machine", func(t *testing.T) {
		w := w.in(t)
		assert.Equal(t, w.run(one.Instance, "grep", "Cap[PEB]", "/proc/1/status"), w.run(one.Instance, "grep", "Cap[PEB]", "/proc/self/status"))
		assert.Equal(t, "/", w.run(one.Instance, "pwd"))
	})
	t.Run("user data", func(t *testing.T) {
		w := w.in(t)
		assert.Contains(t, w.run(one.Instance, "cat", "/var/log/cloud-init-output.log"), "userdata: ready for a release")
		assert.Equal(t, "AWS_DEFAULT_REGION=us-east-2\nPARAMETER_PATH=/example/prod/\nSERVICES=\"web worker beat\"\nAWS_ENDPOINT_URL=http://192.168.255.1:4566",
			w.run(one.Instance, "cat", "/etc/bluegreen.env"))
		status, body := w.get("http://" + one.Address.String() + "/")
		assert.Equal(t, 503, status)
		assert.Equal(t, "No release yet.\n", body)
	})
	t.Run("network", func(t *testing.T) {
		w := w.in(t)
		for _, m := range running {
			assert.True(t, netip.MustParsePrefix("10.0.0.0/16").Contains(m.Address), m.Address)
			address, known := w.host.Address(m.Instance)
			assert.True(t, known)
			assert.Equal(t, m.Address, address)
		}
		assert.Equal(t, "No release yet.", w.run(one.Instance, "curl", "--silent", "http://"+two.Address.String()))
		assert.Contains(t, w.run(one.Instance, "curl", "--silent", endpointURL()+"/_bluegreen/health"), `"moto":true`)
		assert.Contains(t, w.try(one.Instance, "curl", "--silent", "--show-error", "--max-time", "60", "http://1.1.1.1"), "Could not connect")
		assert.Contains(t, w.try(one.Instance, "curl", "--silent", "--show-error", "--max-time", "60", "http://example.com"), "Could not resolve")
	})
	t.Run("agent", func(t *testing.T) {
		w := w.in(t)
		log, err := w.host.Run(t.Context(), two.Instance, codedeploy.Command{Event: "ApplicationStart"})
		require.NoError(t, err)
		assert.Equal(t, "ApplicationStart on "+two.Hostname+" as 0 with "+endpointURL()+"\n", log)
		_, err = w.host.Run(t.Context(), "i-none", codedeploy.Command{})
		assert.EqualError(t, err, "machine i-none: no such machine")
	})
	t.Run("metadata", func(t *testing.T) { w.in(t).testMetadata(one, two) })
	t.Run("data", func(t *testing.T) { w.in(t).testData(one, databaseURL, redisURL) })
}

// in is the world for a part of a test.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.T = t
	return &part
}

func (w *world) testMetadata(one, two Machine) {
	const metadata = "http://169.254.169.254/latest/"
	ask := func(arguments ...string) string {
		return w.run(one.Instance, append([]string{"curl", "--silent", "--write-out", " %{http_code}"}, arguments...)...)
	}
	assert.Contains(w, ask(metadata+"meta-data/instance-id"), " 401", "no token")
	assert.Contains(w, ask("--header", "X-aws-ec2-metadata-token: guess", metadata+"meta-data/instance-id"), " 401")
	assert.Contains(w, ask(metadata+"api/token"), " 405", "a token takes PUT")
	assert.Contains(w, ask("--request", "PUT", metadata+"api/token"), " 400", "a token has a life")
	assert.Contains(w, ask("--request", "PUT", "--header", "X-aws-ec2-metadata-token-ttl-seconds: 60", "--header", "X-Forwarded-For: 1.1.1.1", metadata+"api/token"), " 403")

	token := w.run(one.Instance, "curl", "--silent", "--request", "PUT", "--header", "X-aws-ec2-metadata-token-ttl-seconds: 60", metadata+"api/token")
	tell := func(path string) string {
		return ask("--header", "X-aws-ec2-metadata-token: "+token, metadata+path)
	}
	assert.Equal(w, one.Instance+" 200", tell("meta-data/instance-id"))
	assert.Equal(w, one.Address.String()+" 200", tell("meta-data/local-ipv4"))
	assert.Equal(w, testRegion+" 200", tell("meta-data/placement/region"))
	assert.Equal(w, "availability-zone\nregion 200", tell("meta-data/placement/"))
	assert.Equal(w, "web 200", tell("meta-data/iam/security-credentials/"))
	assert.Contains(w, tell("meta-data/spot/instance-action"), " 404")
	assert.Contains(w, tell("dynamic/instance-identity/document"), `"accountId": "123456789012"`)
	assert.Contains(w, tell("user-data"), "prepare_image")

	credentials := tell("meta-data/iam/security-credentials/web")
	assert.Contains(w, credentials, `"Code": "Success"`)
	assert.Contains(w, credentials, `"Token"`)
	assert.Equal(w, credentials, tell("meta-data/iam/security-credentials/web"), "the same until they are about to end")

	assert.Contains(w, w.run(two.Instance, "curl", "--silent", "--write-out", " %{http_code}", "--header", "X-aws-ec2-metadata-token: "+token,
		metadata+"meta-data/instance-id"), " 401", "a token is for one instance")
}

func (w *world) testData(one Machine, databaseURL, redisURL string) {
	// As the application connects: to the names that AWS gave, with TLS.
	psql := func(url, sql string) string {
		return w.try(one.Instance, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", url, "--command", sql)
	}
	assert.Equal(w, "owner|shop|t", psql(databaseURL, "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
	assert.Equal(w, "CREATE TABLE", psql(databaseURL, "CREATE TABLE notes (id int)"))
	assert.Equal(w, "UTF8", psql(databaseURL, "SHOW server_encoding"))
	plain := strings.ReplaceAll(databaseURL, "sslmode=require", "sslmode=disable")
	assert.Contains(w, psql(plain, "SELECT 1"), "no encryption")
	checked := strings.ReplaceAll(databaseURL, "sslmode=require", "sslmode=verify-full&sslrootcert=system")
	assert.Equal(w, "1", psql(checked, "SELECT 1"), "the machines trust the sandbox's authority")
	assert.Contains(w, psql(strings.ReplaceAll(databaseURL, "word@", "worm@"), "SELECT 1"), "password authentication failed")

	redis := func(url string) string { return w.try(one.Instance, "python3", "-c", pingRedis, url) }
	assert.Equal(w, "+OK +PONG", redis(redisURL))
	assert.Contains(w, redis(strings.ReplaceAll(redisURL, "abcdef@", "abcdee@")), "WRONGPASS")
	// The operator sees the same database from its own machine.
	assert.Equal(w, "notes", w.run(dataMachine, "runuser", "--user", "postgres", "--",
		"psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", "shop", "--command", "SELECT relname FROM pg_stat_user_tables"))
	assert.Equal(w, "", w.run(dataMachine, "ls", settings), "no password is left lying about")
}

// pingRedis does what redis-py does with the URL: TLS with a certificate that is
// checked, for the host's name too.
const pingRedis = `import socket, ssl, sys, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
with ssl.create_default_context().wrap_socket(socket.create_connection((at.hostname, at.port)), server_hostname=at.hostname) as s:
    s.sendall(f"AUTH {at.password}\r\n".encode())
    answer = s.recv(100)
    s.sendall(b"PING\r\n")
    print((answer + s.recv(100)).decode().replace("\r\n", " "))
`
