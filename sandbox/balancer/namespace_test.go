package balancer

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveInNamespace makes the test program a web server: what it listens at.
const serveInNamespace = "BALANCER_TEST_SERVE"

func TestTargetInANetworkNamespace(t *testing.T) {
	needsHAProxy(t)
	if os.Geteuid() != 0 {
		lacking(t, errors.New("network namespaces are root's: run the test with sudo"))
	}
	if _, err := exec.LookPath("ip"); err != nil {
		lacking(t, errors.New("ip is missing; install it with: apt-get install iproute2"))
	}
	name := fmt.Sprintf("balancer-test-%d", os.Getpid())
	run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { run(t, "ip", "netns", "delete", name) })
	run(t, "ip", "-n", name, "link", "set", "lo", "up")
	run(t, "ip", "-n", name, "address", "add", "10.77.0.5/32", "dev", "lo")

	program, err := os.Executable()
	require.NoError(t, err)
	server := exec.Command("nsenter", "--net=/run/netns/"+name, program)
	server.Env = append(os.Environ(), serveInNamespace+"=10.77.0.5:80")
	output, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err, line)

	w := newWorld(t, func(o *Options) {
		o.Namespace = name
		o.Address = func(string) (netip.Addr, bool) { return netip.MustParseAddr("10.77.0.5"), true }
	})
	a := w.launch() // only its instance is of use: what answers is in the namespace
	_, err = w.elb.RegisterTargets(w.ctx, &elasticloadbalancingv2.RegisterTargetsInput{
		TargetGroupArn: &w.group, Targets: []elbtypes.TargetDescription{{Id: aws.String(a.instance)}},
	})
	require.NoError(t, err)
	w.await(w.balancer.AwaitHealthy, a)
	status, body := w.get("/")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "from the namespace", body)

	_, err = Start(t.Context(), Options{Folder: t.TempDir(), Region: testRegion, Address: w.address, Namespace: name + "-none"})
	assert.ErrorContains(t, err, name+"-none")
}

func run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", program, strings.Join(arguments, " "), out)
}

// serveHere answers every request until it is killed.
func serveHere(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("from the namespace"))
	}))
}
