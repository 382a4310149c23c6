package balancer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/require"
)

// app is an instance with an application on it.
type app struct {
	instance string
	server   *httptest.Server
	port     int32
	status   atomic.Int32 // that checks get
	served   atomic.Int32 // requests other than checks
	last     atomic.Pointer[http.Request]
	checked  atomic.Pointer[http.Request]

	mu      sync.Mutex
	hold    chan struct{} // requests to /hold wait until it is closed
	holding chan struct{} // one for each request that does
}

// launch starts an instance whose application is healthy.
func (w *world) launch() *app {
	w.Helper()
	a := &app{hold: make(chan struct{}), holding: make(chan struct{}, 100)}
	a.status.Store(http.StatusOK)
	a.server = httptest.NewServer(a)
	w.Cleanup(a.server.Close)
	w.Cleanup(a.release)
	at, err := netip.ParseAddrPort(strings.TrimPrefix(a.server.URL, "http://"))
	require.NoError(w, err)
	a.port = int32(at.Port())
	images, err := w.machines.DescribeImages(w.ctx, &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	require.NoError(w, err)
	out, err := w.machines.RunInstances(w.ctx, &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: &w.subnet,
	})
	require.NoError(w, err)
	a.instance = *out.Instances[0].InstanceId
	w.mu.Lock()
	w.addresses[a.instance] = at.Addr()
	w.mu.Unlock()
	return a
}

func (a *app) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz", "/ready", "/other":
		a.checked.Store(r)
		answer.WriteHeader(int(a.status.Load()))
		return
	case "/hold":
		a.holding <- struct{}{}
		<-a.hold
	case "/slow":
		time.Sleep(300 * time.Millisecond) // the work that a slow request is
	}
	a.served.Add(1)
	a.last.Store(r)
	_, _ = io.WriteString(answer, a.instance) // whoever asked has gone otherwise
}

// release lets held requests go on.
func (a *app) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.hold:
	default:
		close(a.hold)
	}
}
