package rehearsal

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	requestTimeout = 20 * time.Second // after which a visitor has gone
	maxBody        = 1 << 20          // of an answer that is read
	connections    = 64               // kept open, as browsers do
)

// load is visitors: requests at a constant rate, whatever becomes of those
// before, until it is stopped.
type load struct {
	site     *url.URL // where the load balancer listens
	host     string   // the site's own name
	requests []Request
	order    []int // indexes of requests, as often as their weights say
	run      string
	sent     atomic.Uint64
	attacker *vegeta.Attacker
	answers  sync.WaitGroup
}

// startLoad starts visitors, so many requests a second. Every answer goes to
// tell, one at a time.
func startLoad(site *url.URL, host string, requests []Request, rate int, run string, tell func(time.Time, Answer)) *load {
	l := &load{site: site, host: host, requests: requests, run: run}
	for i, request := range requests {
		for range max(request.Weight, 1) {
			l.order = append(l.order, i)
		}
	}
	l.attacker = vegeta.NewAttacker(
		vegeta.Redirects(vegeta.NoFollow), vegeta.KeepAlive(true), vegeta.HTTP2(false), vegeta.Connections(connections),
		vegeta.Timeout(requestTimeout), vegeta.MaxBody(maxBody),
	)
	results := l.attacker.Attack(l.next, vegeta.Rate{Freq: rate, Per: time.Second}, 0, run)
	l.answers.Go(func() {
		for result := range results {
			tell(result.Timestamp, l.answer(result))
		}
	})
	return l
}

// stop lets no further request out and waits for the answers of those that are
// on their way.
func (l *load) stop() {
	l.attacker.Stop()
	l.answers.Wait()
}

// next is the next request, for vegeta.
func (l *load) next(target *vegeta.Target) error {
	number := l.sent.Add(1)
	request := l.requests[l.order[number%uint64(len(l.order))]]
	note := fmt.Sprintf("%s-%d", l.run, number)
	target.Method, target.URL = request.Method, l.site.String()+request.noted(note)
	target.Body = request.body(note)
	target.Header = request.Header.Clone()
	if target.Header == nil {
		target.Header = http.Header{}
	}
	target.Header.Set("Host", l.host)
	if len(target.Body) > 0 {
		target.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return nil
}

// answer judges a result.
func (l *load) answer(result *vegeta.Result) Answer {
	a := Answer{Request: result.Method + " ?", Status: int(result.Code), Seconds: result.Latency.Seconds()}
	at, err := url.Parse(result.URL)
	if err != nil {
		a.Failure = err.Error()
		return a
	}
	note := at.Query().Get("note")
	for _, request := range l.requests {
		if request.Method != result.Method || request.noted(note) != at.RequestURI() {
			continue
		}
		a.Request = request.Name()
		problem := result.Error
		if result.Code >= http.StatusBadRequest { // what vegeta calls an error may be what is wanted
			problem = ""
		}
		a.Release, a.Failure = request.judge(int(result.Code), result.Body, problem)
		if request.Note != "" && a.Failure == "" {
			a.Note = note
		}
	}
	a.Target = result.Headers.Get(targetHeader)
	return a
}

// targetHeader is where the load balancer says which target has answered.
const targetHeader = "X-Bluegreen-Target"
