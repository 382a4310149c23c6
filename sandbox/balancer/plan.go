package balancer

import (
	"slices"
	"time"
)

// plan is what HAProxy's configuration is made from. A change of it starts a new
// process.
type plan struct {
	front  front
	groups []settings // by resource name
}

// front is what the listener does.
type front struct {
	protocol string // that clients are said to have used: http or https
	port     int    // and at which port of the load balancer
	idle     time.Duration
	forward  string // resource name of the target group that gets the requests; empty for none
	fixed    fixed  // instead
}

// fixed is a response that the load balancer gives by itself.
type fixed struct {
	status    string // empty when there is none
	mediaType string
	body      string
}

// settings are a target group's, with times as the load balancer's pace makes
// them.
type settings struct {
	arn       string
	name      string
	path      string
	matcher   string // status codes of a check that passed: 200,202-299
	checkPort string // empty for the one that gets requests
	interval  time.Duration
	timeout   time.Duration
	passes    int // checks in a row that make an unhealthy target healthy
	failures  int // checks in a row that make a target unhealthy
	delay     time.Duration
	slowStart time.Duration
	leastBusy bool // requests go where the fewest are, and not around
}

func (p plan) equal(other plan) bool {
	return p.front == other.front && slices.Equal(p.groups, other.groups)
}

// Backends of a target group: one takes requests, the other only checks.
func (s settings) requests() string { return "requests-" + s.name }

func (s settings) checks() string { return "checks-" + s.name }
