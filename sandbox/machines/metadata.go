package machines

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// metadata is the instance metadata service, version 2 only: without a token
// nothing is told, whatever the instance's template says (Amazon EC2 User Guide,
// "Use the Instance Metadata Service to access instance metadata").
type metadata struct {
	host *Host

	mu     sync.Mutex // guards tokens
	tokens map[string]token
}

// token is for one instance and a while.
type token struct {
	instance string
	until    time.Time
}

// longestToken is the limit of a token's life in seconds.
const longestToken = 21600

func newMetadata(h *Host) *metadata { return &metadata{host: h, tokens: map[string]token{}} }

func (s *metadata) serve(listener net.Listener) (stop func() error) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // returns at Close
	return server.Close
}

// ServeHTTP answers the machine that has the source address.
func (s *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	m := s.host.at(from.Addr())
	switch {
	case err != nil || m == nil:
		http.Error(w, "no instance has this address", http.StatusForbidden)
	case r.Header.Get("X-Forwarded-For") != "": // a proxy that lets strangers through
		http.Error(w, "forwarded requests are refused", http.StatusForbidden)
	case r.URL.Path == "/latest/api/token":
		s.serveToken(w, r, m)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "want GET", http.StatusMethodNotAllowed)
	case !s.knows(r.Header.Get("X-aws-ec2-metadata-token"), m):
		http.Error(w, "want a token, which PUT /latest/api/token gives", http.StatusUnauthorized)
	default:
		s.serveValue(w, r, m)
	}
}

func (s *metadata) serveToken(w http.ResponseWriter, r *http.Request, m *machine) {
	const life = "X-aws-ec2-metadata-token-ttl-seconds"
	seconds, err := strconv.Atoi(r.Header.Get(life))
	switch {
	case r.Method != http.MethodPut:
		w.Header().Set("Allow", http.MethodPut)
		http.Error(w, "want PUT", http.StatusMethodNotAllowed)
		return
	case err != nil || seconds < 1 || seconds > longestToken:
		http.Error(w, fmt.Sprintf("%s: want 1 to %d", life, longestToken), http.StatusBadRequest)
		return
	}
	text := rand.Text()
	s.mu.Lock()
	for old, issued := range s.tokens {
		if time.Now().After(issued.until) {
			delete(s.tokens, old)
		}
	}
	s.tokens[text] = token{m.id, time.Now().Add(time.Duration(seconds) * time.Second)}
	s.mu.Unlock()
	w.Header().Set(life, strconv.Itoa(seconds))
	_, _ = fmt.Fprint(w, text) // the client has gone: nobody to tell
}

func (s *metadata) knows(text string, m *machine) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	issued, known := s.tokens[text]
	return known && issued.instance == m.id && time.Now().Before(issued.until)
}

// serveValue answers a path with its value, or, for one above values, with the
// names below it.
func (s *metadata) serveValue(w http.ResponseWriter, r *http.Request, m *machine) {
	cloud, values, err := s.host.describe(r.Context(), m)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	if value, known := values[path]; known {
		text, err := value(r.Context(), cloud)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case text == "":
			http.NotFound(w, r)
		default:
			_, _ = fmt.Fprint(w, text)
		}
		return
	}
	var names []string
	for known := range values {
		if below, ok := strings.CutPrefix(known, path+"/"); ok {
			name, rest, _ := strings.Cut(below, "/")
			if rest != "" {
				name += "/"
			}
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		http.NotFound(w, r)
		return
	}
	slices.Sort(names)
	_, _ = fmt.Fprint(w, strings.Join(slices.Compact(names), "\n"))
}

// value computes what a path answers; "" is not found.
type value func(context.Context, *cloud) (string, error)

func fixed(text string) value {
	return func(context.Context, *cloud) (string, error) { return text, nil }
}

// describe lists what a machine is told about itself.
func (h *Host) describe(ctx context.Context, m *machine) (*cloud, map[string]value, error) {
	h.mu.Lock()
	from, i, address, notice := h.cloud, m.instance, m.address, m.notice
	h.mu.Unlock()
	values := map[string]value{
		"/latest/meta-data/instance-id":                 fixed(i.id),
		"/latest/meta-data/instance-type":               fixed(i.kind),
		"/latest/meta-data/ami-id":                      fixed(i.image),
		"/latest/meta-data/local-ipv4":                  fixed(address.String()),
		"/latest/meta-data/hostname":                    fixed(m.hostname()),
		"/latest/meta-data/local-hostname":              fixed(m.hostname()),
		"/latest/meta-data/placement/region":            fixed(h.Region),
		"/latest/meta-data/placement/availability-zone": fixed(i.zone),
		"/latest/dynamic/instance-identity/document":    h.document(i, address),
		"/latest/user-data": func(ctx context.Context, c *cloud) (string, error) {
			text, err := c.userData(ctx, i.id)
			return string(text), err
		},
	}
	if !notice.IsZero() {
		at := notice.UTC().Format(time.RFC3339)
		values["/latest/meta-data/spot/instance-action"] = fixed(encode(map[string]string{"action": "terminate", "time": at}))
		values["/latest/meta-data/spot/termination-time"] = fixed(at)
		values["/latest/meta-data/events/recommendations/rebalance"] = fixed(encode(map[string]string{"noticeTime": at}))
	}
	if i.profile == "" {
		return from, values, nil
	}
	role, err := m.ownRole(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	values["/latest/meta-data/iam/security-credentials/"+role[strings.LastIndexByte(role, '/')+1:]] = func(ctx context.Context, c *cloud) (string, error) {
		return m.credentials(ctx, c, role)
	}
	return from, values, nil
}

// document is the instance's identity, without its signature.
func (h *Host) document(i instance, address netip.Addr) value {
	return func(ctx context.Context, c *cloud) (string, error) {
		account, err := c.account(ctx)
		return encode(map[string]any{
			"accountId": account, "architecture": i.architecture, "availabilityZone": i.zone, "imageId": i.image,
			"instanceId": i.id, "instanceType": i.kind, "pendingTime": i.launched.UTC().Format(time.RFC3339),
			"privateIp": address.String(), "region": h.Region, "version": "2017-09-30",
		}), err
	}
}

// refreshBefore is how long before their end credentials are replaced, as on an
// instance.
const refreshBefore = 5 * time.Minute

// credentials of a machine's role.
type credentials struct {
	mu    sync.Mutex
	role  string // ARN, once it is known: an instance keeps its profile
	text  string // the answer of the metadata service
	until time.Time
}

// ownRole is the ARN of the role of the machine's instance profile.
func (m *machine) ownRole(ctx context.Context, c *cloud) (string, error) {
	m.secret.mu.Lock()
	defer m.secret.mu.Unlock()
	var err error
	if m.secret.role == "" {
		m.secret.role, err = c.role(ctx, m.instance.profile)
	}
	return m.secret.role, err
}

// credentials are the same ones until they are about to end.
func (m *machine) credentials(ctx context.Context, c *cloud, role string) (string, error) {
	m.secret.mu.Lock()
	defer m.secret.mu.Unlock()
	if time.Now().Add(refreshBefore).Before(m.secret.until) {
		return m.secret.text, nil
	}
	issued, err := c.assume(ctx, role, m.id)
	if err != nil {
		return "", err
	}
	m.secret.until = *issued.Expiration
	m.secret.text = encode(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time.Now().UTC().Format(time.RFC3339),
		"AccessKeyId": *issued.AccessKeyId, "SecretAccessKey": *issued.SecretAccessKey, "Token": *issued.SessionToken,
		"Expiration": issued.Expiration.UTC().Format(time.RFC3339),
	})
	return m.secret.text, nil
}

// encode writes texts as JSON, which cannot fail.
func encode(value any) string {
	text, _ := json.MarshalIndent(value, "", "  ")
	return string(text)
}
