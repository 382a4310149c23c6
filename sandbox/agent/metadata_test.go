package agent

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A busy machine answers slower than the SDK waits by itself: half a second.
func TestInstanceMetadataMayBeSlow(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(700 * time.Millisecond)
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			fmt.Fprint(w, "a token")
		case "/latest/dynamic/instance-identity/document":
			fmt.Fprint(w, `{"region": "eu-west-1"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	found, err := instanceConfig(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "eu-west-1", found.Region)
}
