package instance

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FastAPI needs its own release.sh and nothing else: asynchronous, with answers
// that pass through nginx as they come, and a WebSocket.
func TestAnApplicationWithFastAPI(t *testing.T) {
	t.Parallel()
	database, _ := postgres(t)
	bundle := newBundle(t, "testdata/fastapi", "testdata/environment.yaml")
	require.NoError(t, os.Remove(filepath.Join(bundle, "wheels")))
	require.NoError(t, os.Symlink(wheelsFor(t, "fastapi"), filepath.Join(bundle, "wheels")))
	b := newBox(t, bundle, hello(database))
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	assert.Contains(t, output, "after-install: made the virtual environment of app/requirements.txt")
	assert.Contains(t, output, "once for d-ONE")
	assert.Contains(t, output, "validate-service: web works")

	status, body := b.get("/", "www.example.com", map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"})
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "hello  * $HOME https 127.0.0.1", body)

	// The first part is here before the second is even made.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/parts", b.port), nil)
	require.NoError(t, err)
	request.Host = "example.com"
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	parts := bufio.NewReader(response.Body)
	first, err := parts.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "first\n", first)
	status, _ = b.get("/taken", "example.com", nil)
	assert.Equal(t, http.StatusOK, status)
	rest, err := io.ReadAll(parts)
	require.NoError(t, err)
	assert.Equal(t, "second\n", string(rest))

	assert.Equal(t, "d-ONE: grüezi", b.echo("grüezi"))
	output, err = b.release("d-TWO")
	require.NoError(t, err, output)
	assert.NotContains(t, output, "made the virtual environment")
	assert.Equal(t, "d-TWO: grüezi", b.echo("grüezi"))
}

// echo sends a short text through a WebSocket and gives the answer (RFC 6455).
func (b *box) echo(text string) string {
	b.t.Helper()
	connection, err := new(net.Dialer).DialContext(b.t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
	require.NoError(b.t, err)
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "GET /echo HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	require.NoError(b.t, err)
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(b.t, err)
	defer response.Body.Close()
	require.Equal(b.t, http.StatusSwitchingProtocols, response.StatusCode)
	const text1, masked = 0x81, 0x80                                                                // one frame, text
	_, err = connection.Write(append([]byte{text1, masked | byte(len(text)), 0, 0, 0, 0}, text...)) // masked with zeros
	require.NoError(b.t, err)
	var head struct{ Kind, Length uint8 }
	require.NoError(b.t, binary.Read(reader, binary.BigEndian, &head))
	require.EqualValues(b.t, text1, head.Kind)
	answer := make([]byte, head.Length)
	_, err = io.ReadFull(reader, answer)
	require.NoError(b.t, err)
	return string(answer)
}

// The wheels of the application exist for the other processor, and for the
// Python of instances, whichever this machine has.
func TestWheelsForOtherInstances(t *testing.T) {
	t.Parallel()
	for _, instance := range []struct{ python, machine string }{{"3.12", "aarch64"}, {"3.13", "x86_64"}} {
		pin := fmt.Sprintln(instance)
		var requirements []string
		for _, file := range []string{"scripts/uv.txt", "scripts/requirements.txt", "app/requirements.txt"} {
			path, err := filepath.Abs(filepath.Join(root, file))
			require.NoError(t, err)
			text, err := os.ReadFile(path) // #nosec G304 -- our own files
			require.NoError(t, err)
			pin += string(text)
			requirements = append(requirements, path)
		}
		folder := kept(t, "wheels-"+instance.machine+"-"+instance.python, []byte(pin), func(folder string) error {
			return download(folder, instance.python, instance.machine, requirements...)
		})
		files, err := filepath.Glob(filepath.Join(folder, "wheels/*.whl"))
		require.NoError(t, err)
		assert.Greater(t, len(files), 30)
		compiled := 0
		for _, file := range files {
			if strings.HasSuffix(file, "-any.whl") {
				continue
			}
			compiled++
			assert.Contains(t, file, "_"+instance.machine, "a wheel for another processor")
			assert.Regexp(t, "cp"+strings.ReplaceAll(instance.python, ".", "")+"|abi3|/uv-.*py3-none", file)
		}
		assert.Positive(t, compiled)
	}
}
