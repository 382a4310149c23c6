package release

import (
	"time"
)

// Event is something that has happened. With Options.JSON, each is a line.
type Event struct {
	Time       time.Time `json:"time"`
	Kind       Kind      `json:"kind"`
	Deployment string    `json:"deployment,omitempty"` // id
	Group      string    `json:"group,omitempty"`      // deployment group
	Status     string    `json:"status,omitempty"`     // as CodeDeploy has it; of KindResult, an Outcome
	Fleet      string    `json:"fleet,omitempty"`      // of KindLifecycle: "Green", "Blue", or neither in place
	Lifecycle  string    `json:"lifecycle,omitempty"`  // "ValidateService"
	Instances  []string  `json:"instances,omitempty"`  // where
	Seconds    float64   `json:"seconds,omitempty"`    // how long it took, where longest
	Message    string    `json:"message,omitempty"`    // for people
	Result     *Result   `json:"result,omitempty"`     // of KindResult
}

// Kind is what an event is about.
type Kind string

// The kinds of events. The last one of all is KindResult.
const (
	KindBundle     Kind = "bundle"     // the bundle is made
	KindUpload     Kind = "upload"     // it is in its bucket
	KindWait       Kind = "wait"       // for another deployment
	KindPair       Kind = "pair"       // one of two permanent fleets is started or ended
	KindDeployment Kind = "deployment" // a deployment has a new status
	KindLifecycle  Kind = "lifecycle"  // a lifecycle event has a new status
	KindRollback   Kind = "rollback"   // a deployment is rolled back by another
	KindOnce       Kind = "once"       // the site is asked over HTTP for what a release needs once
	KindRemoved    Kind = "removed"    // what a failed deployment left behind is gone
	KindProblem    Kind = "problem"    // something needs attention
	KindNotice     Kind = "notice"     // for people
	KindResult     Kind = "result"     // all is over
)

// reporter shows how things go.
type reporter interface {
	say(Event)     // tells of something that has happened
	show(snapshot) // shows how a deployment is now
	close()        // before anybody else writes
}

func (s *session) say(e Event) {
	e.Time = time.Now().UTC()
	s.out.say(e)
	if s.Watch != nil {
		s.Watch(e)
	}
}
