package machines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// The addresses of what is no instance. They are in the network's last block, so
// that VPCs do not have them, and private, so that nginx takes the gateway for
// the load balancer.
var (
	gateway         = netip.MustParseAddr("192.168.255.1") // and of the emulated AWS, and of whoever connects from the host
	dataAddress     = netip.MustParseAddr("192.168.255.2")
	spare           = netip.MustParsePrefix("192.168.254.0/24") // for instances without a usable address
	metadataAddress = netip.MustParseAddr("169.254.169.254")    // Amazon EC2 User Guide, "Access instance metadata for an EC2 instance"
)

// endpointPort is where the emulated AWS answers, at the gateway.
const endpointPort = 4566

// endpointURL is AWS_ENDPOINT_URL in the machines. An address and no name: SDKs
// then put a bucket into the path.
func endpointURL() string { return "http://" + netip.AddrPortFrom(gateway, endpointPort).String() }

// bridge joins the machines of a namespace. Its hardware address is given: by
// itself a bridge takes one of those of its ports, and another when that port
// goes, and then machines speak for half a minute to an address that nobody has.
const (
	bridge        = "machines"
	bridgeAddress = "02:00:00:00:00:01"
)

// network is what ip does in a new namespace. A machine sends everything to the
// gateway, which knows private addresses only: others are unreachable at once.
var network = fmt.Sprintf(`link set lo up
link add %[1]s address %[4]s type bridge
address add %[2]s/32 dev %[1]s
address add %[3]s/32 dev %[1]s
link set %[1]s up
route add 10.0.0.0/8 dev %[1]s src %[2]s
route add 172.16.0.0/12 dev %[1]s src %[2]s
route add 192.168.0.0/16 dev %[1]s src %[2]s
`, bridge, gateway, metadataAddress, bridgeAddress)

// namespace is a network namespace with a name.
type namespace struct{ name string }

func (n namespace) path() string { return "/run/netns/" + n.name }

func newNamespace(ctx context.Context, name string) (namespace, error) {
	n := namespace{name}
	if err := run(ctx, "", "ip", "netns", "add", name); err != nil {
		return n, err
	}
	if err := run(ctx, network, "ip", "-netns", name, "-batch", "-"); err != nil {
		return n, err
	}
	return n, n.do(func() error {
		settings := map[string]string{"ip_forward": "1", "conf/all/send_redirects": "0", "conf/" + bridge + "/send_redirects": "0"}
		for name, value := range settings {
			if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0o600); err != nil {
				return err
			}
		}
		return nil
	})
}

// do calls a function inside the namespace; it must not start goroutines.
func (n namespace) do(f func() error) (err error) {
	done := make(chan struct{})
	go func() { // a thread that could not return ends with its goroutine
		defer close(done)
		runtime.LockOSThread()
		var home, there *os.File
		if home, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return
		}
		defer home.Close()
		if there, err = os.Open(n.path()); err != nil {
			return
		}
		defer there.Close()
		if err = unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter %s: %w", n.path(), err)
			return
		}
		err = f()
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back == nil {
			runtime.UnlockOSThread()
		}
	}()
	<-done
	return err
}

func (n namespace) listen(at netip.AddrPort) (listener net.Listener, err error) {
	err = n.do(func() error {
		listener, err = net.Listen("tcp4", at.String())
		return err
	})
	return listener, err
}

// DialContext connects to an address in the machines' network.
func (h *Host) DialContext(ctx context.Context, network, address string) (connection net.Conn, err error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("want an address and a port, no name: %w", err)
	}
	err = h.namespace.do(func() error {
		connection, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

// relay passes connections on to the emulated AWS.
type relay struct {
	mu     sync.Mutex
	target string // address and port
}

func (r *relay) to(endpoint string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if parsed, err := url.Parse(endpoint); err == nil {
		r.target = parsed.Host
	}
}

func (r *relay) serve(listener net.Listener) (stop func() error) {
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go r.pass(from)
		}
	}()
	return listener.Close
}

func (r *relay) pass(from net.Conn) {
	defer from.Close()
	r.mu.Lock()
	target := r.target
	r.mu.Unlock()
	to, err := net.Dial("tcp", target)
	if err != nil {
		return // as if nobody listened
	}
	defer to.Close()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(to, from) // ends with either side
		_ = to.(*net.TCPConn).CloseWrite()
		close(done)
	}()
	_, _ = io.Copy(from, to)
	_ = from.(*net.TCPConn).CloseWrite()
	<-done
}

// run runs a command; its output is in the error.
func run(ctx context.Context, input, name string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, name, arguments...) // #nosec G204 -- commands of this package
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", strings.Join(append([]string{name}, arguments...), " "), err)
	if text := strings.TrimSpace(string(out)); text != "" {
		err = errors.Join(err, errors.New(text))
	}
	return err
}

// compare orders texts.
func compare(a, b string) int { return strings.Compare(a, b) }
