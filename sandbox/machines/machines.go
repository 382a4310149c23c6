// Package machines gives the instances of an emulated AWS real machines: a
// systemd-nspawn container is booted for every instance that EC2 has, runs its
// user data, and is powered off when the instance ends. What runs there is what
// would run on an instance: systemd, the CodeDeploy agent's stand-in, the hooks,
// nginx, the application.
//
// All machines of a Host are in one network namespace, with the private
// addresses of their instances. They reach each other, the instance metadata
// service (version 2 only), the emulated AWS and one more machine, which is the
// database and the cache of the stack; nothing else, and no other Host.
//
// A machine is a copy-on-write layer over one tree. Its mounts are in a mount
// namespace of its own and its processes end with this one, so that a killed
// sandbox leaves only files, a network namespace and empty control groups; the
// next Start on the folder removes them.
package machines

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"bluegreen/sandbox/codedeploy"

	"github.com/gofrs/flock"
)

// Options says what a Host works with.
type Options struct {
	Folder string // what the machines write, for root only; made when missing, one Host at a time
	Tree   string // the files that machines start from; see Tree
	Region string
	// Agent is the program that a machine runs as its CodeDeploy agent, a static
	// binary; "" is none: Run then fails.
	Agent string
	// Client talks to the agent that listens on a unix socket.
	Client func(socket string) Agent
	// Log gets a line for each thing that happens to a machine; nil is silent.
	Log *slog.Logger
}

// Agent performs lifecycle events in one machine.
type Agent interface {
	Run(ctx context.Context, command codedeploy.Command) (log string, err error)
}

// Host keeps a machine for each instance. Its methods may be called at the same
// time.
type Host struct {
	Options
	name      string // of the network namespace, the control groups and everything else
	lock      *flock.Flock
	namespace namespace
	authority *authority
	endpoint  *relay
	metadata  *metadata
	life      context.Context // ends with Close
	end       context.CancelFunc
	running   sync.WaitGroup
	servers   []func() error // close what listens
	asked     time.Time      // when databases and caches were asked for; only follow has it

	mu       sync.Mutex // guards what follows
	cloud    *cloud     // nil until Connect
	machines map[string]*machine
	data     *data
}

// Start prepares the network that machines will be in, after it has removed what
// a killed Host left in the folder. It takes what Check checks.
//
// Errors: another process has the folder; something that Check would have found.
func Start(ctx context.Context, options Options) (h *Host, err error) {
	defer func() {
		if err != nil {
			h, err = nil, fmt.Errorf("machines: %w", err)
		}
	}()
	if err := options.complete(); err != nil {
		return nil, err
	}
	h = &Host{Options: options, name: "bluegreen-" + rand.Text()[:8], machines: map[string]*machine{}}
	h.life, h.end = context.WithCancel(context.Background())
	if h.lock, err = claim(ctx, options.Folder, h.name); err != nil {
		return nil, err
	}
	if h.authority, err = newAuthority(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if h.namespace, err = newNamespace(ctx, h.name); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.metadata = newMetadata(h)
	h.endpoint = &relay{}
	if err := h.listen(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (o *Options) complete() error {
	var problems []error
	for name, value := range map[string]string{"folder": o.Folder, "tree": o.Tree, "region": o.Region} {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s: none given", name))
		}
	}
	if (o.Agent == "") != (o.Client == nil) {
		problems = append(problems, errors.New("agent: want a program and a client for it, or neither"))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	slices.SortFunc(problems, func(a, b error) int { return compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// listen serves the metadata and passes on connections to the emulated AWS.
func (h *Host) listen() error {
	imds, err := h.namespace.listen(netip.AddrPortFrom(metadataAddress, 80))
	if err != nil {
		return err
	}
	h.servers = append(h.servers, h.metadata.serve(imds))
	aws, err := h.namespace.listen(netip.AddrPortFrom(gateway, endpointPort))
	if err != nil {
		return err
	}
	h.servers = append(h.servers, h.endpoint.serve(aws))
	return nil
}

// Connect says where the emulated AWS answers, http://ADDRESS:PORT, and begins
// to follow it.
func (h *Host) Connect(endpoint string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := h.cloud == nil
	h.cloud = newCloud(endpoint, h.Region)
	h.endpoint.to(endpoint)
	if first && h.life.Err() == nil {
		h.running.Go(h.follow)
	}
}

// Namespace is the name of the network namespace, for ip netns; its file is in
// /run/netns.
func (h *Host) Namespace() string { return h.name }

// Close powers every machine off at once and removes all that is left of them.
func (h *Host) Close() error {
	h.end()
	h.running.Wait()
	var problems []error
	for _, stop := range h.servers {
		problems = append(problems, stop())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	problems = append(problems, sweep(ctx, h.Folder, h.name), h.lock.Unlock())
	return errors.Join(problems...)
}

// all lists every machine. The lock is held.
func (h *Host) all() []*machine {
	all := make([]*machine, 0, len(h.machines)+1)
	for _, m := range h.machines {
		all = append(all, m)
	}
	if h.data != nil {
		all = append(all, h.data.machine)
	}
	slices.SortFunc(all, func(a, b *machine) int { return compare(a.id, b.id) })
	return all
}
