package rehearsal

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Timeline is a recording in the shape of a picture. Times are seconds from its
// beginning.
type Timeline struct {
	Began    time.Time
	Length   float64
	Steps    []StepSpan
	Fleets   []Fleet
	Seconds  []Second
	Releases []string          // in the order in which they were deployed or first answered
	Titles   map[string]string // of releases
}

// StepSpan is a step of the scenario.
type StepSpan struct {
	Step
	From, To float64
	Requests int // that were sent in it
	Failed   int // of them
}

// Fleet is an Auto Scaling group and its machines.
type Fleet struct {
	Name    string
	Release string // that was deployed to it; empty for the first group
	Lanes   []Lane
}

// Lane is the life of a machine.
type Lane struct {
	Instance string
	Spans    []Span
	Marks    []Mark
	target   string // health as a target, while the spans are collected
	state    string
}

// Span is how a machine was for a while: Booting, Ready or, as a target that
// gets requests, serving or draining.
type Span struct {
	State    string
	From, To float64
}

// States of a Span beside those of a Machine.
const (
	serving  = "healthy"
	draining = "draining"
)

// Mark is something that happened to a machine.
type Mark struct {
	At     float64
	Text   string // "ValidateService", "killed"
	Failed bool
}

// NewTimeline makes a timeline of a recording.
func NewTimeline(entries []Entry) Timeline {
	if len(entries) == 0 {
		return Timeline{}
	}
	t := Timeline{Began: entries[0].Time, Titles: map[string]string{}}
	for _, e := range entries {
		t.Began = earlier(t.Began, e.Time)
	}
	for _, e := range entries {
		at := e.Time.Sub(t.Began).Seconds()
		if e.Answer != nil {
			t.Length = max(t.Length, at+e.Answer.Seconds)
		}
		t.Length = max(t.Length, at)
	}
	drawn := drawing{Timeline: &t, lanes: map[string]*Lane{}, of: map[string]string{}, fleets: map[string]*Fleet{}, as: map[string]string{}}
	for _, e := range entries {
		if e.Named != nil && e.Named.As != "" {
			drawn.as[e.Named.Release] = e.Named.As
		}
	}
	t.Seconds = make([]Second, int(t.Length)+1)
	for _, e := range slices.SortedStableFunc(slices.Values(entries), func(a, b Entry) int { return a.Time.Compare(b.Time) }) {
		drawn.add(e, e.Time.Sub(t.Began).Seconds())
	}
	drawn.finish()
	return t
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// drawing is a timeline in the making.
type drawing struct {
	*Timeline
	fleets map[string]*Fleet
	order  []string          // of fleets
	lanes  map[string]*Lane  // by instance
	of     map[string]string // fleets, by instance
	as     map[string]string // releases by others of the same revision
}

func (d *drawing) add(e Entry, at float64) {
	switch {
	case e.Step != nil:
		d.step(*e.Step, at)
	case e.Named != nil && e.Named.As == "":
		d.Titles[e.Named.Release] = e.Named.Title
		d.released(e.Named.Release)
	case e.Machine != nil:
		d.machine(*e.Machine, at)
	case e.Target != nil:
		d.lane(e.Target.Instance, "").targetIs(e.Target.Health, at)
	case e.Release != nil:
		d.lifecycle(e, at)
	case e.Answer != nil:
		d.answer(*e.Answer, at)
	}
}

func (d *drawing) step(s Step, at float64) {
	if !s.Ended {
		d.Steps = append(d.Steps, StepSpan{Step: s, From: at, To: d.Length})
		return
	}
	for i := range d.Steps {
		if d.Steps[i].Number == s.Number {
			d.Steps[i].Step, d.Steps[i].To = s, at
		}
	}
}

// lane is that of an instance, which belongs to a fleet from when it is known.
func (d *drawing) lane(instance, fleet string) *Lane {
	if d.lanes[instance] == nil {
		d.lanes[instance] = &Lane{Instance: instance}
	}
	if fleet != "" && d.of[instance] == "" {
		d.of[instance] = fleet
		if d.fleets[fleet] == nil {
			d.fleets[fleet] = &Fleet{Name: fleet, Release: releaseOf(fleet)}
			d.order = append(d.order, fleet)
		}
	}
	return d.lanes[instance]
}

// releaseOf is the deployment that CodeDeploy has made an Auto Scaling group for.
func releaseOf(group string) string {
	if at := strings.LastIndex(group, "_d-"); strings.HasPrefix(group, "CodeDeploy_") && at >= 0 {
		return group[at+1:]
	}
	return ""
}

func (d *drawing) machine(m Machine, at float64) {
	lane := d.lane(m.Instance, m.Fleet)
	if m.State == Killed || m.State == Interrupted {
		lane.Marks = append(lane.Marks, Mark{At: at, Text: m.State, Failed: true})
	}
	if m.State != Interrupted {
		lane.state = m.State
		lane.look(at)
	}
}

func (l *Lane) targetIs(health string, at float64) {
	l.target = health
	l.look(at)
}

// look begins a span when a machine is otherwise than before.
func (l *Lane) look(at float64) {
	now := l.state
	if (now == Ready || now == Booting) && (l.target == serving || l.target == draining) {
		now = l.target
	}
	if last := len(l.Spans) - 1; last >= 0 && l.Spans[last].To < 0 {
		if l.Spans[last].State == now {
			return
		}
		l.Spans[last].To = at
	}
	if now == Booting || now == Ready || now == serving || now == draining {
		l.Spans = append(l.Spans, Span{State: now, From: at, To: -1})
	}
}

// lifecycle marks what a deployment does on machines.
func (d *drawing) lifecycle(e Entry, at float64) {
	event := e.Release
	if event.Lifecycle == "" || event.Status == string(types.LifecycleEventStatusInProgress) || event.Status == string(types.LifecycleEventStatusSkipped) ||
		event.Status == string(types.LifecycleEventStatusPending) {
		return
	}
	failed := event.Status == string(types.LifecycleEventStatusFailed)
	for _, instance := range event.Instances {
		lane := d.lane(instance, "")
		lane.Marks = append(lane.Marks, Mark{At: at, Text: event.Lifecycle, Failed: failed})
	}
}

func (d *drawing) answer(a Answer, at float64) {
	if other := d.as[a.Release]; other != "" {
		a.Release = other
	}
	second := &d.Seconds[int(at)]
	if second.Requests == nil {
		second.Requests = map[string]int{}
	}
	if a.Failure != "" {
		second.Failures++
	} else {
		second.Requests[a.Release]++
	}
	second.latencies = append(second.latencies, a.Seconds)
	if now := len(d.Steps) - 1; now >= 0 {
		d.Steps[now].Requests++
		d.Steps[now].Failed += min(1, len(a.Failure))
	}
	d.released(a.Release)
}

func (d *drawing) released(release string) {
	if release != "" && !slices.Contains(d.Releases, release) {
		d.Releases = append(d.Releases, release)
	}
}

func (d *drawing) finish() {
	for _, name := range d.order {
		fleet := d.fleets[name]
		for _, instance := range slices.Sorted(maps.Keys(d.lanes)) {
			lane := d.lanes[instance]
			if d.of[instance] != name {
				continue
			}
			if last := len(lane.Spans) - 1; last >= 0 && lane.Spans[last].To < 0 {
				lane.Spans[last].To = d.Length
			}
			fleet.Lanes = append(fleet.Lanes, *lane)
		}
		slices.SortStableFunc(fleet.Lanes, func(a, b Lane) int { return cmp.Compare(a.from(), b.from()) })
		d.Fleets = append(d.Fleets, *fleet)
		d.released(fleet.Release)
	}
	for i := range d.Seconds {
		second := &d.Seconds[i]
		slices.Sort(second.latencies)
		second.P50, second.P99 = percentile(second.latencies, 50), percentile(second.latencies, 99)
	}
}

func (l Lane) from() float64 {
	if len(l.Spans) == 0 {
		return 0
	}
	return l.Spans[0].From
}

// Title is what a release is of, or its id where that is not known.
func (t Timeline) Title(release string) string {
	return cmp.Or(t.Titles[release], release)
}
