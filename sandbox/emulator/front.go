package emulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

const (
	requestLogName = "requests.log"
	motoAnswerTime = 2 * time.Minute // a long poll takes 20 s at most; past this, moto hangs
	maxFaultText   = 4 << 10
)

// front answers AWS requests: a service of ours, or else moto.
type front struct {
	services map[string]http.Handler
	moto     http.Handler
	throttle *throttle
	log      *slog.Logger
}

type callKey struct{}

// callOf returns what front recognised.
func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

func newFront(m *moto, services map[string]http.Handler, log io.Writer) *front {
	return &front{services: services, moto: proxy(m), throttle: &throttle{left: map[string]int{}}, log: newRequestLog(log)}
}

// ServeHTTP recognises the call, picks who answers it and logs the outcome.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c, err := recognise(r)
	seen := &seenStatus{ResponseWriter: w, status: http.StatusOK}
	switch {
	case err != nil:
		fault{code: emulatorFault, message: err.Error()}.write(seen, c)
	case f.throttle.refuses(c):
		rateExceeded(c).write(seen, c)
	default:
		f.handler(c).ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	}
	f.log.Info("", "service", c.service, "operation", c.operation, "status", seen.status,
		"duration", time.Since(began).Round(time.Millisecond))
}

func (f *front) handler(c call) http.Handler {
	if service, ours := f.services[c.service]; ours {
		return service
	}
	if c.protocol == cbor {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fault{code: emulatorFault, message: c.String() + ": moto does not speak CBOR; use a client that calls this service in JSON"}.write(w, c)
		})
	}
	return f.moto
}

// proxy passes requests on to moto, as they are, and turns its failures into
// faults.
func proxy(m *moto) http.Handler {
	target := &url.URL{Scheme: "http", Host: strings.TrimPrefix(m.url, "http://")}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil               // the user's web proxy is not for loopback
	transport.DisableCompression = true // moto is asked for what the client asked for
	transport.MaxIdleConnsPerHost = 64  // an engine at work makes dozens of calls at once
	transport.ResponseHeaderTimeout = motoAnswerTime
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host // moto builds addresses from it
		},
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode < http.StatusInternalServerError {
				return inOnePiece(response)
			}
			text, _ := io.ReadAll(io.LimitReader(response.Body, maxFaultText)) // what there is of it
			return fmt.Errorf("%s", strings.TrimSpace(string(text)))
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			c := callOf(r.Context())
			fault{code: emulatorFault, message: fmt.Sprintf("%s: the emulated AWS cannot answer this: %s; traceback in %s", c, err, m.logPath)}.write(w, c)
		},
	}
}

// newRequestLog writes a line for each request: no bodies, no queries, no
// headers, so nothing secret.
func newRequestLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, attribute slog.Attr) slog.Attr {
			if attribute.Key == slog.LevelKey || attribute.Key == slog.MessageKey {
				return slog.Attr{}
			}
			return attribute
		},
	}))
}

// seenStatus remembers the status of an answer on its way.
type seenStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status and passes it on.
func (s *seenStatus) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush.
func (s *seenStatus) Unwrap() http.ResponseWriter { return s.ResponseWriter }
