package balancer

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTargetGetsRequestsOnceItIsHealthy(t *testing.T) {
	w := newWorld(t)
	status, _ := w.get("/")
	assert.Equal(t, http.StatusServiceUnavailable, status, "there is no target")

	one, two := w.launch(), w.launch()
	w.live(one)
	two.status.Store(http.StatusInternalServerError)
	w.register(two)
	assert.Contains(t, []string{"initial Elb.RegistrationInProgress", "initial Elb.InitialHealthChecking"}, w.health(two))
	w.until(two, "unhealthy Target.ResponseCodeMismatch")
	for range 20 {
		status, body := w.get("/")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, one.instance, body)
	}
	assert.Zero(t, two.served.Load())

	two.status.Store(http.StatusNoContent) // within the matcher
	w.await(w.balancer.AwaitHealthy, two)
	assert.Equal(t, "healthy", w.health(two))
	for range 20 {
		w.get("/")
	}
	assert.EqualValues(t, 10, two.served.Load(), "requests go around")
}
