// Package balancer is the Application Load Balancer of the emulated AWS: HAProxy,
// which follows what the emulated Elastic Load Balancing says.
//
// It reads listeners, target groups, their settings and their registrations every
// moment, lets HAProxy check the registered instances, and opens to requests
// those that an Application Load Balancer would: a registered target is initial
// until one check has passed, healthy until UnhealthyThreshold checks in a row
// failed, and healthy again after HealthyThreshold passed; while none is healthy,
// the unhealthy ones get the requests; one that is deregistered gets no new
// request and finishes those it has, within the deregistration delay. What it
// finds is told to the emulated Elastic Load Balancing, which answers
// DescribeTargetHealth with it. (Elastic Load Balancing, Application Load
// Balancers: "Health checks for Application Load Balancer target groups", "Edit
// target group attributes for your Application Load Balancer".)
//
// One address stands for the load balancer: its HTTPS listener, without TLS but
// with the X-Forwarded headers that say https, or else its HTTP listener. Only a
// listener's default action is followed: forward, or a fixed response; target
// groups that rules name are checked, too, as AWS does, but get no requests.
package balancer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options says where a Balancer listens, and what it reaches.
type Options struct {
	Folder string // configuration, control sockets and logs; made with mode 0700 when it is not there
	Listen string // loopback address and port; "127.0.0.1:0", the default, takes any free port
	Region string // of the emulated Elastic Load Balancing

	// Namespace is the network namespace, under /run/netns, that instances are
	// reached in; needs root. The default is this process's own.
	Namespace string
	// Address tells where an instance answers. One that has no address yet stays
	// initial. Required.
	Address func(instance string) (netip.Addr, bool)
	// Pace shortens what an Application Load Balancer waits: health check
	// intervals, deregistration delay and slow start are multiplied by it. Times
	// that an answer may take are not: instances are no faster. The default is 1.
	Pace float64
}

// Balancer is a running load balancer. Its methods may be called at the same time.
type Balancer struct {
	options  Options
	listener *net.TCPListener // never accepts: HAProxy does, through socket
	socket   *os.File
	proxy    *haproxy
	end      context.CancelFunc
	running  sync.WaitGroup
	kick     chan struct{} // asks for a look at once
	patience time.Duration // of those who wait, beyond what settings allow

	// follow alone touches these, and Close after it.
	plan   plan
	read   time.Time         // when plan was
	groups map[string]*group // by resource name

	mu      sync.Mutex
	elb     *elb                           // nil until Connect
	problem error                          // of the last look
	looks   int                            // that succeeded
	known   map[string]map[string]standing // by name of the target group and instance, after the last such look
	changed chan struct{}                  // closed at the end of every look
}

// Start starts HAProxy. Until Connect it answers 503, as a load balancer without
// targets. The context bounds the start; Close ends what was started.
//
// Errors: everything that is wrong with the options; what Check says; HAProxy does
// not start, with its own words.
func Start(ctx context.Context, options Options) (b *Balancer, err error) {
	defer func() {
		if err != nil {
			b, err = nil, fmt.Errorf("load balancer: %w", err)
		}
	}()
	options = options.complete()
	if err := errors.Join(options.validate(), Check(ctx)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(options.Folder, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w; free that address or take another port", err)
	}
	b = &Balancer{
		options: options, listener: listener.(*net.TCPListener),
		kick: make(chan struct{}, 1), patience: settleTime, changed: make(chan struct{}),
	}
	if b.socket, err = b.listener.File(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	b.proxy = &haproxy{folder: options.Folder, namespace: options.Namespace, socket: b.socket, ended: b.look}
	if err := b.proxy.run(ctx, render(plan{}, nil)); err != nil {
		return nil, errors.Join(err, b.proxy.kill(), b.socket.Close(), listener.Close())
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	b.end = end
	b.running.Go(func() { b.follow(life) })
	return b, nil
}

// Connect says where the emulated AWS answers: http://ADDRESS:PORT.
func (b *Balancer) Connect(endpoint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.elb = newELB(endpoint, b.options.Region, b.options.Pace)
}

// URL is where the load balancer answers: http://ADDRESS:PORT. It stays the same
// as long as the Balancer lives, whatever becomes of HAProxy.
func (b *Balancer) URL() string { return "http://" + b.listener.Addr().String() }

// Err is what keeps the load balancer from doing what the emulated AWS says, nil
// when nothing does: HAProxy was killed and does not start again, or the emulated
// AWS does not answer.
func (b *Balancer) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problem
}

// Close ends HAProxy with every connection, and leaves target health to the
// emulated AWS as it was without a load balancer.
func (b *Balancer) Close() error {
	b.end()
	b.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if from := b.connected(); from != nil {
		for arn := range b.groups {
			_ = from.tell(ctx, arn, nil) // one that has ended meanwhile has nothing to forget
		}
	}
	return errors.Join(b.proxy.kill(), b.socket.Close(), b.listener.Close())
}

func (o Options) complete() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Pace == 0 {
		o.Pace = 1
	}
	return o
}

// longestFolder leaves room for a socket's name in the 107 characters that a
// socket's path has, and for what HAProxy appends while it makes it (unix(7)).
const longestFolder = 75

func (o Options) validate() error {
	var problems []error
	folder, err := filepath.Abs(o.Folder)
	switch {
	case o.Folder == "":
		problems = append(problems, errors.New("folder: none given; configuration and logs need one"))
	case err != nil:
		problems = append(problems, fmt.Errorf("folder: %w", err))
	case len(folder) > longestFolder:
		problems = append(problems, fmt.Errorf("folder: want a path of at most %d characters, since sockets lie in it, got %d: %s", longestFolder, len(folder), folder))
	}
	if address, err := netip.ParseAddrPort(o.Listen); err != nil || !address.Addr().IsLoopback() {
		problems = append(problems, fmt.Errorf("listen: want a loopback address and a port such as 127.0.0.1:8080, got %q", o.Listen))
	}
	if o.Region == "" {
		problems = append(problems, errors.New("region: none given; pass the emulated AWS's"))
	}
	if o.Address == nil {
		problems = append(problems, errors.New("address: none given; the load balancer has to know where instances answer"))
	}
	if o.Pace < 0 || o.Pace > 1 {
		problems = append(problems, fmt.Errorf("pace: want more than 0 and at most 1, got %g", o.Pace))
	}
	if o.Namespace != "" && os.Geteuid() != 0 {
		problems = append(problems, fmt.Errorf("namespace: only root reaches network namespace %s; run it with sudo", o.Namespace))
	}
	return errors.Join(problems...)
}
