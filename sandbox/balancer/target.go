package balancer

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// group is a target group as the load balancer has it.
type group struct {
	settings
	targets map[string]*target // by instance
	told    map[string]health  // what the emulated AWS answers; nil while it does not know
}

// target is an instance of a target group, from its registration until its
// deregistration delay is over.
type target struct {
	instance string
	server   string // ADDRESS:PORT, which is also its name in HAProxy; empty while the address is not known
	health   health
	left     time.Time // when it was found deregistered
	done     bool      // deregistered, and no request is in flight any more

	checked bool // HAProxy has a server that checks it
	serving bool // HAProxy has a server for its requests
	open    bool // which gets new ones
}

// health is what DescribeTargetHealth answers.
type health struct {
	State  elbtypes.TargetHealthStateEnum  `json:"State"`
	Reason elbtypes.TargetHealthReasonEnum `json:"Reason"`
	Why    string                          `json:"Description"`
}

// Healths that are always the same, in AWS's words.
var (
	registering = health{elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthReasonEnumRegistrationInProgress, "Target registration is in progress"}
	checking    = health{elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthReasonEnumInitialHealthChecking, "Initial health checks in progress"}
	healthy     = health{State: elbtypes.TargetHealthStateEnumHealthy}
	draining    = health{elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthReasonEnumDeregistrationInProgress, "Target deregistration is in progress"}
)

// registration is a registered target, and the health that the emulated Elastic
// Load Balancing answers for it.
type registration struct {
	port  uint16
	shown health
}

func (g *group) sorted() []*target {
	return slices.SortedFunc(maps.Values(g.targets), func(a, b *target) int { return strings.Compare(a.instance, b.instance) })
}

// register takes over what is registered now.
func (g *group) register(registered map[string]registration, address func(string) (netip.Addr, bool), now time.Time) {
	for instance, r := range registered {
		t := g.targets[instance]
		if t == nil {
			t = &target{instance: instance, health: registering}
			g.targets[instance] = t
		}
		if t.health == draining { // and registered again
			t.health, t.done = registering, false
		}
		if at, known := address(instance); t.server == "" && known {
			t.server = netip.AddrPortFrom(at, r.port).String()
		}
		if t.server != "" && t.health == registering {
			t.health = checking
		}
	}
	for instance, t := range g.targets {
		if _, there := registered[instance]; !there && t.health != draining {
			t.health, t.left = draining, now
		}
	}
}

// toCheck tells whether a target is to be checked.
func (t *target) toCheck() bool {
	return t.server != "" && t.health != draining && t.health != registering
}

// judge draws the conclusion from the checks so far. HAProxy's servers begin with
// UnhealthyThreshold failures left, so that being down means that many failed.
func (t *target) judge(s seen) {
	passed := s.outcome == "L7OK"
	switch {
	case t.health == draining || t.health == registering || s.outcome == "" || s.outcome == "INI":
	case !s.up:
		if !passed { // when it did, the reason stays that of the last failure
			t.health = failure(s)
		}
	case t.health == checking && !passed: // the first checks failed, but not enough of them
	default:
		t.health = healthy
	}
}

// failure is the health of a target after its last check, by HAProxy's outcomes
// (HAProxy Management Guide, "CSV format", check_status).
func failure(s seen) health {
	unhealthy := elbtypes.TargetHealthStateEnumUnhealthy
	switch s.outcome {
	case "L7STS":
		return health{unhealthy, elbtypes.TargetHealthReasonEnumResponseCodeMismatch, "Health checks failed with these codes: [" + s.code + "]"}
	case "L4TOUT", "L6TOUT", "L7TOUT":
		return health{unhealthy, elbtypes.TargetHealthReasonEnumTimeout, "Request timed out"}
	default:
		return health{unhealthy, elbtypes.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"}
	}
}

// admitted tells which targets get new requests: the healthy ones, or where there
// are none, the unhealthy ones.
func (g *group) admitted() func(*target) bool {
	state := elbtypes.TargetHealthStateEnumUnhealthy
	for _, t := range g.targets {
		if t.health == healthy {
			state = elbtypes.TargetHealthStateEnumHealthy
		}
	}
	return func(t *target) bool { return t.health.State == state }
}
