package sandbox

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bluegreen/sandbox/machines"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMachinesOfASandboxWithoutAny(t *testing.T) {
	s := inFolder(t)
	_, err := s.Shell(t.Context(), "i-1")
	require.ErrorIs(t, err, ErrNotRunning)
	serveFake(t, s)
	_, err = s.Shell(t.Context(), "i-1")
	require.ErrorIs(t, err, ErrNoMachines)
	_, err = s.MachineList(t.Context())
	require.ErrorIs(t, err, ErrNoMachines)
	require.ErrorIs(t, s.End(t.Context(), "kill", "i-1"), ErrNoMachines)
}

func TestCommandsInMachines(t *testing.T) {
	s := inFolder(t)
	var orders []string
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, machines.ControlPath, r.URL.Path)
		body, _ := io.ReadAll(r.Body)
		if orders = append(orders, r.Method+" "+string(body)); strings.Contains(string(body), "i-unknown") {
			http.Error(w, "machine i-unknown: no such machine", http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode([]machines.Machine{{Instance: "i-2", Leader: 42}, {Instance: "i-1"}})
	}))
	defer endpoint.Close()
	serveFake(t, s)
	record, _, err := s.lookup()
	require.NoError(t, err)
	record.Endpoint, record.Site = endpoint.URL, "http://127.0.0.1:2"
	require.NoError(t, writeJSON(s.path(serverFile), record))

	command, err := s.Shell(t.Context(), "i-2", "journalctl", "--unit", "nginx")
	require.NoError(t, err)
	assert.Equal(t, machines.Enter(42, "journalctl", "--unit", "nginx"), command.Args)
	_, err = s.Shell(t.Context(), "i-1")
	require.EqualError(t, err, "machine i-1: it does not run; want one of i-1, i-2")
	require.NoError(t, s.End(t.Context(), "interrupt", "i-2"))
	assert.JSONEq(t, `{"instance": "i-2", "action": "interrupt"}`, strings.TrimPrefix(orders[len(orders)-1], "POST "))
	require.ErrorContains(t, s.End(t.Context(), "kill", "i-unknown"), "no such machine")
}

func TestSummaryAndStatusSayWhereTheSiteIs(t *testing.T) {
	var text strings.Builder
	outputs := map[string]any{"siteUrl": "https://example.com"}
	Summary{Site: "http://127.0.0.1:5", Outputs: outputs}.Report(&text)
	assert.Contains(t, text.String(), "curl --header 'Host: example.com' http://127.0.0.1:5")
	text.Reset()
	Status{Running: true, Endpoint: "http://127.0.0.1:4", Site: "http://127.0.0.1:5", Outputs: outputs}.Report(&text)
	assert.Contains(t, text.String(), "Load balancer: http://127.0.0.1:5")
}

func TestPaceIsChecked(t *testing.T) {
	for _, pace := range []float64{-1, 1.5, math.NaN()} {
		_, err := New(Options{Root: ".", Program: idle(), Pace: pace})
		require.ErrorContains(t, err, "want more than 0 and at most 1")
	}
}
