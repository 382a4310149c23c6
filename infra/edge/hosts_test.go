package edge

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// site is the default with a domain and whatever else change sets.
func site(change func(*Spec)) Spec {
	spec := Default()
	spec.Domain = "example.com"
	if change != nil {
		change(&spec)
	}
	return spec
}

func TestHosts(t *testing.T) {
	for _, test := range []struct {
		name  string
		spec  Spec
		hosts []string
		url   string
	}{
		{"apex and www", site(nil), []string{"example.com", "www.example.com"}, "https://example.com"},
		{"without www", site(func(s *Spec) { s.WWW = false }), []string{"example.com"}, "https://example.com"},
		{"a subdomain", site(func(s *Spec) { s.Domain, s.WWW = "staging.example.com", false }), []string{"staging.example.com"}, "https://staging.example.com"},
		{"more names, no wildcard", site(func(s *Spec) { s.Names = []string{"*.example.com", "shop.example.com", "example.org"} }),
			[]string{"example.com", "www.example.com", "shop.example.com", "example.org"}, "https://example.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.hosts, test.spec.Hosts())
			assert.Equal(t, test.url, test.spec.SiteURL())
		})
	}
}

func TestWildcardAndItsApexShareOneProof(t *testing.T) {
	spec := site(func(s *Spec) { s.Names = []string{"*.example.com", "*.shop.example.com", "shop.example.com"} })
	assert.Equal(t, []string{"example.com", "www.example.com", "shop.example.com"}, spec.proofs())
}

// Every host is covered by the certificate, and every name of the certificate
// is proven exactly once.
func TestHostsCertificateAndProofsAgree(t *testing.T) {
	label := rapid.SampledFrom([]string{"a.example.com", "*.a.example.com", "b.example.com", "*.example.com", "example.org", "*.example.org"})
	rapid.Check(t, func(t *rapid.T) {
		spec := site(func(s *Spec) {
			s.WWW = rapid.Bool().Draw(t, "www")
			s.Names = rapid.SliceOfDistinct(label, rapid.ID[string]).Draw(t, "names")
		})
		assert.NoError(t, spec.Validate())
		certificate := append([]string{spec.Domain}, spec.alternatives()...)
		proofs := spec.proofs()
		for _, host := range spec.Hosts() {
			assert.Contains(t, certificate, host)
		}
		for _, name := range certificate {
			assert.Contains(t, proofs, strings.TrimPrefix(name, wildcard))
		}
		slices.Sort(proofs)
		assert.Equal(t, proofs, slices.Compact(slices.Clone(proofs)))
	})
}

func TestPending(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   bool
	}{
		{"lookup", nil, false},
		{"create", func(s *Spec) { s.DNS = Create }, true},
		{"manual", func(s *Spec) { s.DNS = Manual }, true},
		{"a name of another zone", func(s *Spec) { s.Names = []string{"example.org"} }, true},
		{"a name that only ends alike", func(s *Spec) { s.Names = []string{"notexample.com"} }, true},
		{"a domain inside its zone", func(s *Spec) { s.Domain, s.HostedZone = "staging.example.com", "example.com" }, false},
		{"lookup, told to go on", func(s *Spec) { s.Certificate = Pending }, true},
		{"create, told to wait", func(s *Spec) { s.DNS, s.Certificate = Create, Await }, false},
		{"manual, told to wait", func(s *Spec) { s.DNS, s.Certificate = Manual, Await }, false},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, site(test.change).pending()) })
	}
}
