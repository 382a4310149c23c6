package rehearsal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"bluegreen/internal/release"

	"github.com/stretchr/testify/require"
)

// theatre is a Stage without machines, and its own load balancer. The knobs let
// things go wrong.
type theatre struct {
	server *httptest.Server

	mu       sync.Mutex
	serving  string // release
	live     string
	extra    []Group // groups that are left
	members  []string
	releases int
	served   int
	notes    []string
	closed   bool

	failNth     int  // this request fails; 0 for none
	loseNotes   bool // notes are answered to be kept, and are not
	leaveGroup  bool // a failed deployment leaves its group behind
	faultyWorks bool // the faulty version is released
	wrongPage   bool // pages name a release that was never deployed
	changes     int  // that a preview finds
}

const theatreGroup = "CodeDeploy_group_"

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	s := &theatre{live: "bootstrap", members: []string{"i-1", "i-2"}}
	s.server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.server.Close)
	return s
}

func (s *theatre) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	name := s.serving
	if s.wrongPage {
		name = "d-STRANGER"
	}
	switch {
	case r.Host != "example.com":
		http.Error(w, "no such site", http.StatusNotFound)
	case s.served == s.failNth:
		http.Error(w, "no target", http.StatusBadGateway)
	case r.URL.Path == "/static/site.css":
		http.Redirect(w, r, "https://bucket/site.css", http.StatusFound)
	case r.Method == http.MethodPost && r.FormValue("csrfmiddlewaretoken") != "token":
		http.Error(w, "no token", http.StatusForbidden)
	case r.Method == http.MethodPost:
		if !s.loseNotes {
			s.notes = append(s.notes, r.FormValue("text"))
		}
		http.Redirect(w, r, "/", http.StatusFound)
	default:
		http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: "cookie"})
		fmt.Fprintf(w, `<link href="/static/site.css"><input name="csrfmiddlewaretoken" value="token"> 3 notes. Release %s.`, name)
	}
}

func (s *theatre) Up(context.Context) error { return nil }

func (s *theatre) Site() (*url.URL, string) {
	address, _ := url.Parse(s.server.URL) // it is one
	return address, "example.com"
}

func (s *theatre) Release(ctx context.Context, what Revision, tell func(release.Event)) (release.Result, error) {
	s.mu.Lock()
	s.releases++
	d := release.Deployment{ID: fmt.Sprintf("d-%d", s.releases), Outcome: release.Succeeded}
	before := s.members
	s.mu.Unlock()
	green := []string{fmt.Sprintf("i-%d-1", s.releases), fmt.Sprintf("i-%d-2", s.releases)}
	event := func(name, status string, instances ...string) {
		tell(release.Event{Time: time.Now(), Kind: release.KindLifecycle, Deployment: d.ID, Lifecycle: name, Status: status, Instances: instances})
	}
	tell(release.Event{Time: time.Now(), Kind: release.KindDeployment, Deployment: d.ID, Status: "Created"})
	event("AfterInstall", "InProgress", green[0])
	switch {
	case what.Commit == "faulty" && !s.faultyWorks:
		return s.failed(d, "ValidateService"), nil
	case what.Commit == "lost":
		return s.failed(d, "AfterInstall"), nil
	}
	event("AllowTraffic", "Succeeded", green...)
	s.mu.Lock()
	s.serving, s.live, s.members = d.ID, theatreGroup+d.ID, green
	s.mu.Unlock()
	event("AfterBlockTraffic", "Succeeded", before...)
	d.Live = theatreGroup + d.ID
	return release.Result{Deployments: []release.Deployment{d}}, ctx.Err()
}

func (s *theatre) failed(d release.Deployment, event string) release.Result {
	if s.leaveGroup {
		s.mu.Lock()
		s.extra = append(s.extra, Group{Name: theatreGroup + d.ID, Instances: []string{"i-left"}})
		s.mu.Unlock()
	}
	d.Outcome, d.Failure = release.RolledBack, &release.Failure{Code: "HEALTH_CONSTRAINTS", Event: event}
	return release.Result{Deployments: []release.Deployment{d}}
}

func (s *theatre) Redeploy(ctx context.Context, tell func(release.Event)) (release.Result, error) {
	return s.Release(ctx, Revision{Commit: "again"}, tell)
}

func (s *theatre) State(context.Context) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{Live: s.live, Targets: map[string]string{}, Groups: append([]Group{{Name: s.live, Instances: s.members, Attached: true}}, s.extra...)}
	for _, instance := range s.members {
		state.Machines = append(state.Machines, Machine{Instance: instance, Fleet: s.live, State: Ready})
		state.Targets[instance] = "healthy"
	}
	return state, nil
}

func (s *theatre) Revision(_ context.Context, deployment string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if deployment == "d-launch" {
		deployment = s.serving
	}
	return "revision of " + deployment, nil
}

func (s *theatre) Look(_ context.Context, instance string) (Look, error) {
	current := s.serving
	if instance == "i-new" {
		current = "d-launch"
	}
	return Look{Release: current, Services: map[string]string{"example-web.service": "active"}}, nil
}

func (s *theatre) Data(context.Context, string) (Data, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Data{Migrations: []string{"0001"}, Notes: append([]string(nil), s.notes...)}, nil
}

func (s *theatre) Kill(context.Context, string) error { return nil }

func (s *theatre) Interrupt(_ context.Context, instance string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.members {
		if s.members[i] == instance {
			s.members[i] = "i-new"
		}
	}
	return nil
}

func (s *theatre) Preview(context.Context) (int, error) { return s.changes, nil }
func (s *theatre) Destroy(context.Context) error        { return nil }
func (s *theatre) Close(context.Context) error          { s.closed = true; return nil }
func reference() Versions {
	return Versions{
		First:  Version{Commit: "first", Title: "version 1", Migrations: []string{"0001"}},
		Next:   []Version{{Commit: "next", Title: "version 2"}, {Commit: "next", Title: "version 3"}},
		Faulty: Version{Commit: "faulty", Title: "a fault"}, Lost: Version{Commit: "lost", Title: "version 4"}, Last: Version{Commit: "last", Title: "version 4"}, Describe: true,
	}
}

// performed performs a rehearsal in a theatre.
func performed(t *testing.T, s *theatre) (Report, error) {
	t.Helper()
	report, err := Perform(t.Context(), Options{
		Stage: s, Folder: t.TempDir(), Rate: 200, Versions: reference(), Patience: 10 * time.Millisecond, Calm: 300 * time.Millisecond,
	})
	require.True(t, s.closed, "whatever happens, the stage is closed")
	return report, err
}
