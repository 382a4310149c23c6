package machines

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Machines remember the hardware address of the gateway, whichever of them come
// and go.
func TestTheBridgeKeepsItsAddress(t *testing.T) {
	need(t)
	n, err := newNamespace(t.Context(), fmt.Sprintf("bluegreen-test-%d", os.Getpid()))
	t.Cleanup(func() { assert.NoError(t, exec.Command("ip", "netns", "delete", n.name).Run()) }) // #nosec G204 -- our own name
	require.NoError(t, err)
	ip := func(arguments string) string {
		out, err := exec.Command("ip", append([]string{"-netns", n.name}, strings.Fields(arguments)...)...).CombinedOutput() // #nosec G204 -- our own arguments
		require.NoError(t, err, string(out))
		return string(out)
	}
	for _, port := range []string{"00:00:00:00:00:0a", "fe:00:00:00:00:0b"} { // below and above the bridge's
		ip("link add port address " + port + " type veth peer name machine")
		ip("link set port master " + bridge)
		assert.Contains(t, ip("link show "+bridge), bridgeAddress)
		ip("link delete port")
		assert.Contains(t, ip("link show "+bridge), bridgeAddress)
	}
}
