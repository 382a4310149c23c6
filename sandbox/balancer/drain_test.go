package balancer

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDrainWaitsForRequestsInFlight(t *testing.T) {
	w := newWorld(t)
	w.delay(3500) // 70 s here: longer than the test
	leaving, staying := w.launch(), w.launch()
	w.live(leaving)
	answer := w.held(leaving)
	w.live(staying)

	w.deregister(leaving)
	w.until(leaving, "draining Target.DeregistrationInProgress")
	drained := make(chan error, 1)
	go func() { drained <- w.balancer.AwaitDrained(w.ctx, []string{testGroup}, leaving.instance) }()
	w.looks(5)
	before := leaving.served.Load()
	for range 20 {
		_, body := w.get("/")
		require.Equal(t, staying.instance, body)
	}
	assert.Equal(t, before, leaving.served.Load())
	assert.Empty(t, drained, "a request is in flight")

	leaving.release()
	assert.Equal(t, "200 "+leaving.instance, <-answer)
	require.NoError(t, <-drained)
	assert.Equal(t, "draining Target.DeregistrationInProgress", w.health(leaving), "until the delay is over")
}

func TestDrainEndsWithTheDelay(t *testing.T) {
	w := newWorld(t)
	w.delay(50) // 1 s here
	leaving, staying := w.launch(), w.launch()
	w.live(leaving)
	answer := w.held(leaving)
	w.live(staying)
	w.deregister(leaving)
	w.await(w.balancer.AwaitDrained, leaving)
	assert.NotEqual(t, "200 "+leaving.instance, <-answer, "the request outlived the delay")
	w.until(leaving, "")
	w.register(leaving)
	leaving.release()
	w.await(w.balancer.AwaitHealthy, leaving)
}

func TestTargetThatComesBackWhileItDrains(t *testing.T) {
	w := newWorld(t)
	w.delay(3500)
	a := w.launch()
	w.live(a)
	answer := w.held(a)
	w.deregister(a)
	w.until(a, "draining Target.DeregistrationInProgress")
	w.looks(2)
	status, _ := w.get("/")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	w.live(a)
	status, _ = w.get("/")
	assert.Equal(t, http.StatusOK, status)
	a.release()
	assert.Equal(t, "200 "+a.instance, <-answer)
}

func TestNoRequestFailsWhileTargetsAreExchanged(t *testing.T) {
	w := newWorld(t)
	blue := []*app{w.launch(), w.launch()}
	w.live(blue...)
	stop := w.load()
	for range 3 {
		green := []*app{w.launch(), w.launch()}
		w.live(green...)
		w.deregister(blue...)
		for _, a := range blue {
			w.await(w.balancer.AwaitDrained, a)
			a.server.CloseClientConnections() // the instance is terminated
			a.server.Close()
		}
		blue = green
	}
	made, failures := stop()
	assert.Empty(t, failures)
	assert.Greater(t, made, 100)
	t.Logf("%d requests", made)
}

func TestSettingsChangeUnderLoad(t *testing.T) {
	w := newWorld(t)
	w.delay(3500)
	one, two := w.launch(), w.launch()
	w.live(one)
	answer := w.held(one)
	w.live(two)
	stop := w.load()
	w.set("slow_start.duration_seconds", "30")
	w.set("load_balancing.algorithm.type", "least_outstanding_requests")
	_, err := w.elb.ModifyTargetGroup(w.ctx, checkPath(w.group, "/ready"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		seen := two.checked.Load()
		return seen != nil && seen.URL.Path == "/ready"
	}, longest, lookInterval)
	w.deregister(one)
	w.looks(5)
	drained := make(chan error, 1)
	go func() { drained <- w.balancer.AwaitDrained(w.ctx, []string{testGroup}, one.instance) }()
	w.looks(5)
	assert.Empty(t, drained, "the process before still has a request")
	one.release()
	assert.Equal(t, "200 "+one.instance, <-answer)
	require.NoError(t, <-drained)
	three := w.launch()
	w.live(three)
	require.Eventually(t, func() bool { return three.served.Load() > 0 }, longest, lookInterval)
	made, failures := stop()
	assert.Empty(t, failures)
	assert.Greater(t, made, 10)
	for _, part := range []string{"balance leastconn", "slowstart 600ms", "check inter 100ms rise 2 fall 2"} {
		assert.Contains(t, w.log(configName), part)
	}
}

// held makes a request that a target keeps until it is released. It has to be the
// only target that is open.
func (w *world) held(a *app) <-chan string {
	w.Helper()
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get(w.balancer.URL() + "/hold")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body := make([]byte, 100)
		n, _ := response.Body.Read(body)
		answer <- fmt.Sprint(response.StatusCode, " ", string(body[:n]))
	}()
	<-a.holding
	return answer
}

// looks waits until the load balancer has looked so many times.
func (w *world) looks(more int) {
	w.Helper()
	for range more {
		w.balancer.mu.Lock()
		changed := w.balancer.changed
		w.balancer.mu.Unlock()
		<-changed
	}
}

// load makes requests from sixteen clients, each fourth of them slow, until it is
// stopped; that returns how many there were and what went wrong.
func (w *world) load() (stop func() (made int, failures []string)) {
	ctx, cancel := context.WithCancel(w.ctx)
	w.Cleanup(cancel)
	var clients sync.WaitGroup
	var made atomic.Int32
	var mu sync.Mutex
	var failures []string
	for n := range 16 {
		path := "/"
		if n%4 == 0 {
			path = "/slow"
		}
		// A connection of its own, and a method that no client repeats by itself.
		client := &http.Client{Transport: &http.Transport{}}
		clients.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				response, err := client.Post(w.balancer.URL()+path, "", nil)
				made.Add(1)
				if err == nil && response.StatusCode != http.StatusOK {
					err = fmt.Errorf("%s", response.Status)
				}
				if err == nil {
					err = response.Body.Close()
				}
				if err != nil {
					mu.Lock()
					failures = append(failures, path+": "+err.Error())
					mu.Unlock()
				}
			}
		})
	}
	return func() (int, []string) {
		cancel()
		clients.Wait()
		return int(made.Load()), failures
	}
}
