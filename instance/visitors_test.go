package instance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// from sends a request to nginx from an address of this machine. The stand-in
// for nginx takes 127.0.0.2 for the load balancer's.
func (b *box) from(address, path string, header http.Header, body io.Reader) (status int, answer string) {
	b.t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).DialContext,
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d%s", b.port, path), body)
	require.NoError(b.t, err)
	request.Header, request.Host = header, "example.com"
	response, err := transport.RoundTrip(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return response.StatusCode, string(text)
}

// The load balancer adds to X-Forwarded-For and sets X-Forwarded-Proto and
// -Port; whatever else a visitor sent it passes on (Elastic Load Balancing User
// Guide, "HTTP headers and Application Load Balancers").
func TestTheApplicationLearnsWhoTheVisitorIs(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	const balancer, stranger = "127.0.0.2", "127.0.0.3"
	for _, test := range []struct {
		what, from      string
		header          http.Header
		visitor, scheme string
	}{
		{"a visitor", balancer, http.Header{"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Proto": {"https"}}, "203.0.113.7", "https"},
		{"a visitor over IPv6", balancer, http.Header{"X-Forwarded-For": {"2001:db8::7"}, "X-Forwarded-Proto": {"https"}}, "2001:db8::7", "https"},
		{"a visitor who says to be another", balancer, http.Header{"X-Forwarded-For": {"10.0.0.1, 198.51.100.1, 203.0.113.7"}, "X-Forwarded-Proto": {"https"}}, "203.0.113.7", "https"},
		{"a visitor who says much more", balancer, http.Header{
			"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"evil.example"},
			"Forwarded": {"for=198.51.100.1;host=evil.example"}, "X-Real-Ip": {"198.51.100.1"}, "X_forwarded_proto": {"https"},
		}, "203.0.113.7", "http"},
		{"a health check", balancer, http.Header{}, balancer, "http"},
		{"somebody who is not the load balancer", stranger, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, stranger, "http"},
		{"a scheme that is none", balancer, http.Header{"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Proto": {"javascript"}}, "203.0.113.7", "http"},
	} {
		status, answer := b.from(test.from, "/headers", test.header, nil)
		assert.Equal(t, http.StatusOK, status, test.what)
		assert.Equal(t, fmt.Sprintf(`example.com 0 <nil>
X-Forwarded-For: ["%[1]s"]
X-Forwarded-Proto: ["%[2]s"]
X-Forwarded-Host: []
X-Forwarded-Port: []
X-Real-Ip: ["%[1]s"]
Forwarded: []
`, test.visitor, test.scheme), answer, test.what)
	}
}

func TestRequestsMayBeAsLargeAsTheApplicationSays(t *testing.T) {
	t.Parallel()
	b, _ := newHello(t)
	output, err := b.release("d-ONE")
	require.NoError(t, err, output)
	const megabyte = 1 << 20 // body_size=1m
	status, answer := b.from("127.0.0.2", "/headers", http.Header{}, bytes.NewReader(make([]byte, megabyte)))
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, fmt.Sprintf("example.com %d <nil>", megabyte))
	status, _ = b.from("127.0.0.2", "/headers", http.Header{}, bytes.NewReader(make([]byte, megabyte+1)))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
}
