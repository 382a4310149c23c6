package release

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/internal/once"
	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const onceToken = "a-token-of-the-tests"

// visited is a site that a release asks over HTTP.
type visited struct {
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  []string
}

func (v *visited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, r.URL.Path)
	v.answer(w, r)
}

// becomes changes how the site answers, and returns what it was asked until then.
func (v *visited) becomes(status int, format string, arguments ...any) (asked []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	asked, v.asked = v.asked, nil
	v.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format, arguments...)
	}
	return asked
}

// visit makes a site, and options that have it asked.
func visit(t *testing.T) (site *visited, over func(*Options)) {
	t.Helper()
	site = &visited{}
	site.becomes(http.StatusOK, `{"state": "done", "pending": []}`)
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	return site, func(o *Options) {
		o.OverHTTP = &once.Client{Site: server.URL, Token: onceToken, Wait: time.Millisecond, Timeout: testTime}
		o.WaitForTermination = false
	}
}

var bothSteps = []string{"/migrate/", "/collectstatic/"}

func TestTheSiteIsAskedWhenTheNewReleaseHasTheTraffic(t *testing.T) {
	w := newWorld(t, standin.Settings{Waits: 1}) // the old fleet stays for ten minutes
	w.make()
	site, over := visit(t)
	answer := site.answer
	site.answer = func(out http.ResponseWriter, r *http.Request) {
		answer(out, r)
		for _, id := range instancesOf(w.asg(w.fleet)) {
			assert.NotContains(t, w.routed(), id, "an old instance would answer with old migrations")
		}
		assert.Len(t, w.groups(), 2, "the way back is still there")
	}
	d := w.run(Succeeded, checkout(t), over).Deployments[0]
	assert.Equal(t, bothSteps, site.asked)
	require.Len(t, d.OverHTTP, 2)
	assert.Equal(t, once.Done, d.OverHTTP[1].State)
	assert.Contains(t, w.out.String(), "over HTTP: asking http://127.0.0.1")
	assert.NotContains(t, w.out.String(), onceToken)
	var report strings.Builder
	Result{Deployments: []Deployment{d}}.Report(&report)
	assert.Contains(t, report.String(), "  over HTTP: migrate: done, ")
}

func TestAFailureOverHTTPNeedsAttentionAndIsTakenUpAgain(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	workers := w.group + "-workers"
	w.launch(workers, 1, "")
	w.make(inPlace, func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentGroupName, in.AutoScalingGroups = &workers, []string{workers}
	})
	site, over := visit(t)
	site.becomes(http.StatusInternalServerError, `{"state": "failed", "trace": %q}`, onceToken)

	result := w.run(Attention, checkout(t), over, func(o *Options) { o.JSON = true; o.Groups = append(o.Groups, workers) })
	assert.Equal(t, 3, result.Outcome.ExitCode())
	assert.Equal(t, []string{workers}, result.NotStarted, "nor do workers get code whose tables are not there")
	d := result.Deployments[0]
	assert.Equal(t, once.Failed, d.OverHTTP[0].State)
	assert.Equal(t, once.NotBegun, d.OverHTTP[1].State)
	require.Len(t, d.Problems, 1)
	assert.Regexp(t, `^migrate over HTTP: failed: status 500: .*; visitors are on the new release without it; .* bluegreen release --resume `+d.ID+` --once-over-http$`, d.Problems[0])
	assert.Contains(t, w.out.String(), `"overHttp":[{"step":"migrate","state":"failed"`)
	assert.NotContains(t, w.out.String(), onceToken)
	w.serves(greenName(w.group, d.ID))

	site.becomes(http.StatusOK, `{"release": %q, "state": "done"}`, d.ID)
	o := w.options("")
	over(&o)
	again, err := Resume(w.ctx, o, d.ID)
	w.as(Succeeded, again, err)
	assert.Equal(t, bothSteps, site.becomes(http.StatusOK, ""))

	// Workers have no address, and nothing is asked for them.
	o.Groups = []string{workers}
	o.Source.Folder = checkout(t)
	result, err = Run(w.ctx, o)
	w.as(Succeeded, result, err)
	assert.Empty(t, result.Deployments[0].OverHTTP)
	assert.Empty(t, site.becomes(http.StatusOK, ""))
}

func TestAReleaseThatFailsAsksNothing(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	site, over := visit(t)
	w.fail("ValidateService")
	d := w.run(RolledBack, checkout(t), over).Deployments[0]
	assert.Empty(t, d.OverHTTP)
	assert.Empty(t, site.asked)
}

func TestATargetGroupOutOfOrderAsksNothing(t *testing.T) {
	copied := standin.CopyAll()
	copied.TargetGroups = false
	w := newWorld(t, standin.Settings{Copy: &copied})
	w.make()
	site, over := visit(t)
	d := w.run(Attention, checkout(t), over).Deployments[0]
	assert.Empty(t, site.asked)
	assert.Contains(t, d.Problems[len(d.Problems)-1], "the site was not asked over HTTP")
}

func TestTheOldFleetOfAPairStaysUntilTheSiteIsDone(t *testing.T) {
	w, other := newPair(t, standin.Settings{})
	site, over := visit(t)
	site.becomes(http.StatusUnauthorized, "no")
	d := w.run(Attention, checkout(t), over).Deployments[0]
	assert.Len(t, w.asg(w.fleet).Instances, 2, "the way back")
	assert.Contains(t, d.Problems[0], "the site does not take the token")

	site.becomes(http.StatusOK, `{"state": "done"}`)
	o := w.options("")
	over(&o)
	result, err := Resume(w.ctx, o, d.ID)
	w.as(Succeeded, result, err)
	assert.Equal(t, other, result.Deployments[0].Live)
	w.asleep(w.fleet)
}

// Old instances may answer for a moment, and new ones have deployments of their own.
func TestOnlyTheReleaseItselfCounts(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	site, over := visit(t)
	first := w.run(Succeeded, folder).Deployments[0]
	second := w.run(Succeeded, folder).Deployments[0]
	require.Equal(t, first.Revision, second.Revision)
	other := w.deploy()
	o := w.options("")
	waited, err := Resume(w.ctx, o, other)
	w.as(Succeeded, waited, err)

	s, err := o.open()
	require.NoError(t, err)
	for release, want := range map[string]bool{second.ID: true, first.ID: true, other: false, "d-NOWHERE12": false, "unreleased": false} {
		ours, err := s.isOf(w.ctx, release, second)
		require.NoError(t, err, release)
		assert.Equal(t, want, ours, release)
	}

	answers := 0
	site.answer = func(out http.ResponseWriter, _ *http.Request) {
		if answers++; answers < 3 {
			_, _ = fmt.Fprintf(out, `{"release": %q, "state": "done"}`, other)
			return
		}
		_, _ = io.WriteString(out, `{"state": "done"}`)
	}
	w.run(Succeeded, folder, over)
	assert.Equal(t, []string{"/migrate/", "/migrate/", "/migrate/", "/collectstatic/"}, site.asked)
	assert.Contains(t, w.out.String(), "release "+other+" answers, not the one that was deployed")
}

func TestARollbackMeanwhileEndsTheAsking(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	before := w.run(Succeeded, folder).Deployments[0]
	w.change(func(s *standin.Settings) { s.Waits = 1 }) // the deployment is under way for ten minutes
	site, over := visit(t)
	other := ""
	site.answer = func(out http.ResponseWriter, _ *http.Request) {
		id, err := (&session{Options: w.options(""), clients: w.clients}).running(w.ctx, w.group)
		assert.NoError(t, err)
		if id != "" && other == "" {
			other = id
			_, err = w.deploying.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)})
			assert.NoError(t, err)
		}
		_, _ = io.WriteString(out, `{"release": "of another time", "state": "done"}`)
	}
	d := w.run(Attention, folder, over).Deployments[0]
	assert.Equal(t, d.ID, other)
	assert.Contains(t, d.Problems[0], "deployment "+d.ID+" is Stopped meanwhile, and visitors are on the release before")
	o := w.options("")
	result, err := Resume(w.ctx, o, d.ID)
	w.as(RolledBack, result, err)
	w.serves(before.Live)
}

func TestAnInterruptionOverHTTP(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	site, over := visit(t)
	ctx, cancel := context.WithCancel(w.ctx)
	site.answer = func(out http.ResponseWriter, _ *http.Request) { cancel(); out.WriteHeader(http.StatusAccepted) }
	o := w.options(checkout(t))
	over(&o)
	result, err := Run(ctx, o)
	w.as(Interrupted, result, err)
	assert.Equal(t, once.Unfinished, result.Deployments[0].OverHTTP[0].State)
}

func TestMistakesOverHTTP(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	o := w.options(checkout(t))
	o.OverHTTP = &once.Client{Site: "http://example.com"}
	_, err := Run(w.ctx, o)
	for _, want := range []string{"site URL: want https", once.TokenVariable + ": required", "not after the old instances are gone"} {
		require.ErrorContains(t, err, want, "all at once")
	}
	assert.Len(t, w.groups(), 1, "nothing was begun")
}
