// Package codedeploy is AWS CodeDeploy on a laptop: a handler for its API
// (JSON 1.1, API version 2014-10-06) that performs deployments against an
// emulated AWS. It really copies and deletes Auto Scaling groups there, attaches
// target groups and moves targets; only what happens on an instance is left to
// Machines, which is a simulation unless told otherwise.
//
// States, lifecycle events and errors have the names that AWS gives them. Where
// AWS does not say what it does, Settings chooses, so that a client can be tried
// with each answer.
//
// Not emulated: deployments to Lambda, ECS and on-premises instances, classic load
// balancers, zonal configurations, notifications through triggers, and
// termination hooks.
//
// All state is in memory and ends with the process.
package codedeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// SigningName is the name of the service in a request's signature.
const SigningName = "codedeploy"

// Options says whose CodeDeploy a Service is, and how it behaves at first.
type Options struct {
	Account  string   // of every resource name, 12 digits
	Region   string   // of every resource name, and of the calls to the emulated AWS
	Machines Machines // what instances do; nil is Simulation{}
	Traffic  Traffic  // what the traffic events wait for; nil is nothing: a registered target counts as healthy, and a deregistered one as gone
	Settings Settings // Control changes them later
	// LaunchPoll is between two looks whether Auto Scaling has launched or ended
	// an instance; none is a second. Simulated machines are not looked at.
	LaunchPoll time.Duration
}

// Service is the handler. Its methods may be called at the same time.
type Service struct {
	account  string
	region   string
	machines Machines
	traffic  Traffic         // nil without a load balancer
	life     context.Context // ends with Close, and every deployment with it
	end      context.CancelFunc
	running  sync.WaitGroup

	launchPoll time.Duration // between looks at instances
	eventTime  time.Duration // for a lifecycle event on a machine

	mu           sync.Mutex // guards what follows, and all that hangs on it
	settings     Settings
	cloud        cloud // nil until Connect
	applications map[string]*application
	configs      map[string]*types.DeploymentConfigInfo
	deployments  map[string]*deployment
	history      []*deployment                     // oldest first
	tags         map[string]map[string]string      // by resource name
	installed    map[string]types.RevisionLocation // last successful revision, by instance
	copied       map[string]types.RevisionLocation // whose Install succeeded last, by instance: its hooks are there
	launched     map[string]map[string]bool        // instances that a launch hook has seen, or came too late for, by hook
}

// New returns a service that answers at once. Deployments, and deployment groups
// that name an Auto Scaling group, need Connect first. Errors name the setting
// that is wrong.
func New(options Options) (*Service, error) {
	settings := options.Settings.complete()
	if err := settings.validate(); err != nil {
		return nil, fmt.Errorf("codedeploy: settings: %w", err)
	}
	if options.LaunchPoll < 0 {
		return nil, fmt.Errorf("codedeploy: launch poll: want 0 or more, got %s", options.LaunchPoll)
	}
	s := &Service{
		account:      options.Account,
		region:       options.Region,
		machines:     options.Machines,
		traffic:      options.Traffic,
		settings:     settings,
		applications: map[string]*application{},
		configs:      predefinedConfigs(),
		deployments:  map[string]*deployment{},
		tags:         map[string]map[string]string{},
		installed:    map[string]types.RevisionLocation{},
		copied:       map[string]types.RevisionLocation{},
		launched:     map[string]map[string]bool{},
		launchPoll:   cmp.Or(options.LaunchPoll, defaultLaunchPoll),
		eventTime:    eventTime,
	}
	if s.machines == nil {
		s.machines = Simulation{}
	}
	s.life, s.end = context.WithCancel(context.Background())
	if !s.simulated() {
		s.running.Go(func() { s.watchLaunches(s.launchPoll) })
	}
	return s, nil
}

// Connect says where the emulated AWS answers: http://ADDRESS:PORT.
func (s *Service) Connect(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cloud = newEmulated(endpoint, s.region)
}

// Close ends running deployments where they are, as the end of the process
// would, and returns when nothing runs any more.
func (s *Service) Close() {
	s.end()
	s.running.Wait()
}

// ServeHTTP answers CodeDeploy's API, and Control at ControlPath.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == ControlPath {
		s.serveControl(w, r)
		return
	}
	s.serveOperation(w, r)
}

// aws is the emulated AWS. The lock is held.
func (s *Service) aws() (cloud, error) {
	if s.cloud == nil {
		return nil, errors.New("codedeploy: not connected to an emulated AWS yet; try again when the emulator has started")
	}
	return s.cloud, nil
}
