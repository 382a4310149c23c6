package edge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mistake is a change of a good site and the error it leads to, if any.
type mistake struct {
	name   string
	change func(*Spec)
	want   string
}

func check(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, test := range mistakes {
		t.Run(test.name, func(t *testing.T) {
			err := site(test.change).Validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestValidateNames(t *testing.T) {
	check(t, []mistake{
		{"example.com", nil, ""},
		{"everything by hand", func(s *Spec) {
			s.DNS, s.Certificate, s.HostedZone, s.Domain = Manual, Await, "example.com", "staging.example.com"
		}, ""},
		{"limits", func(s *Spec) {
			s.HealthCheckInterval, s.HealthCheckTimeout, s.HealthyThreshold, s.UnhealthyThreshold = 300, 120, 10, 10
			s.DeregistrationDelay, s.IdleTimeout, s.SlowStart, s.Matcher = 3600, 4000, 900, "200,202,300-399"
		}, ""},
		{"lower limits", func(s *Spec) {
			s.HealthCheckInterval, s.HealthCheckTimeout, s.DeregistrationDelay, s.IdleTimeout, s.SlowStart = 5, 2, 0, 1, 30
		}, ""},
		{"one range", func(s *Spec) { s.Matcher = "200-200" }, ""},
		{"punycode", func(s *Spec) { s.Domain = "xn--bcher-kva.example" }, ""},

		{"no domain", func(s *Spec) { s.Domain = "" }, "domain: required; set the site's name, as in example.com"},
		{"final dot", func(s *Spec) { s.Domain = "example.com." }, `domain: "example.com." ends in a dot; write "example.com"`},
		{"capitals", func(s *Spec) { s.Domain = "Example.com" }, `domain: "Example.com" has capital letters; write "example.com"`},
		{"one label", func(s *Spec) { s.Domain = "localhost" }, `domain: want a host name like example.com, got "localhost"`},
		{"an address", func(s *Spec) { s.Domain = "10.0.0.1" }, `domain: want a host name like example.com, got "10.0.0.1"`},
		{"a URL", func(s *Spec) { s.Domain = "https://example.com" }, `domain: want a host name like example.com, got "https://example.com"`},
		{"an underscore", func(s *Spec) { s.Domain = "my_site.com" }, `domain: want a host name like example.com, got "my_site.com"`},
		{"a wildcard", func(s *Spec) { s.Domain = "*.example.com" }, `domain: want a host name like example.com, got "*.example.com"`},
		{"a long label", func(s *Spec) { s.Names = []string{strings.Repeat("a", 64) + ".com"} },
			fmt.Sprintf("names[0]: want a host name like example.com, got %q", strings.Repeat("a", 64)+".com")},
		{"too long for a certificate", func(s *Spec) { s.Domain = strings.Repeat("a", 61) + ".com" },
			"domain: want at most 64 characters, got 65; a certificate's first name cannot be longer"},
		{"www twice", func(s *Spec) { s.Domain = "www.example.com" }, "domain: www.example.com begins with www. already; write example.com, or set www to false"},

		{"a name twice", func(s *Spec) { s.Names = []string{"shop.example.com", "shop.example.com"} }, `names[1]: "shop.example.com" is there already; remove it`},
		{"the domain again", func(s *Spec) { s.Names = []string{"example.com", "www.example.com"} },
			"names[0]: \"example.com\" is there already; remove it\nnames[1]: \"www.example.com\" is there already; remove it"},
		{"a wildcard inside", func(s *Spec) { s.Names = []string{"a.*.example.com"} }, `names[0]: want a host name like example.com, got "a.*.example.com"`},
		{"too many names", func(s *Spec) {
			for i := range 99 {
				s.Names = append(s.Names, fmt.Sprintf("n%d.example.com", i))
			}
		}, "names: a certificate has at most 100 names, got 101; remove some"},
	})
}

func TestValidateSettings(t *testing.T) {
	check(t, []mistake{
		{"dns", func(s *Spec) { s.DNS = "route53" }, `dns: want one of lookup, create, manual, got "route53"`},
		{"another zone", func(s *Spec) { s.HostedZone = "example.org" }, "hostedZone: domain example.com does not lie in example.org; correct one of them"},
		{"a zone with a dot", func(s *Spec) { s.HostedZone = "com." }, `hostedZone: "com." ends in a dot; write "com"`},
		{"certificate", func(s *Spec) { s.Certificate = "yes" }, `certificate: want one of await, pending, got "yes"`},

		{"timeout not below interval", func(s *Spec) { s.HealthCheckTimeout = 10 },
			"healthCheckTimeout: 10 is not less than healthCheckInterval 10; lower the first or raise the second"},
		{"slow start below its range", func(s *Spec) { s.SlowStart = 29 }, "slowStart: want 30 to 900, got 29"},
		{"path without a slash", func(s *Spec) { s.HealthCheckPath = "healthz" },
			`healthCheckPath: want a path like /healthz of at most 128 letters, digits and _-./~, got "healthz"`},
		{"path with a wildcard", func(s *Spec) { s.HealthCheckPath = "/*" },
			`healthCheckPath: want a path like /healthz of at most 128 letters, digits and _-./~, got "/*"`},
		{"matcher", func(s *Spec) { s.Matcher = "200-599" }, `matcher: want status codes from 200 to 499, as in 200, 200,202 or 200-299, got "200-599"`},
		{"matcher backwards", func(s *Spec) { s.Matcher = "200,299-201" }, "matcher: 299-201 ends before it begins; write 201-299"},
		{"matcher of three ends", func(s *Spec) { s.Matcher = "200-201-202" }, `matcher: want status codes from 200 to 499, as in 200, 200,202 or 200-299, got "200-201-202"`},
	})
}

func TestValidateReportsAllAtOnce(t *testing.T) {
	assert.EqualError(t, Spec{}.Validate(), strings.Join([]string{
		"domain: required; set the site's name, as in example.com",
		`dns: want one of lookup, create, manual, got ""`,
		`tlsPolicy: want one of ` + strings.Join(tlsPolicies, ", ") + `, got ""`,
		"healthCheckInterval: want 5 to 300, got 0",
		"healthCheckTimeout: want 2 to 120, got 0",
		"healthyThreshold: want 2 to 10, got 0",
		"unhealthyThreshold: want 2 to 10, got 0",
		"idleTimeout: want 1 to 4000, got 0",
		"healthCheckTimeout: 0 is not less than healthCheckInterval 0; lower the first or raise the second",
		`healthCheckPath: want a path like /healthz of at most 128 letters, digits and _-./~, got ""`,
		`matcher: want status codes from 200 to 499, as in 200, 200,202 or 200-299, got ""`,
	}, "\n"))
}

func TestOldTLSIsRefused(t *testing.T) {
	for _, old := range []string{
		"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-TLS13-1-0-2021-06",
		"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "ELBSecurityPolicy-FS-1-2-Res-2020-10",
	} {
		assert.ErrorContains(t, site(func(s *Spec) { s.TLSPolicy = old }).Validate(), "tlsPolicy: want one of", old)
	}
	for _, current := range tlsPolicies {
		assert.NoError(t, site(func(s *Spec) { s.TLSPolicy = current }).Validate(), current)
	}
}

func FuzzCheckHost(f *testing.F) {
	for _, seed := range []string{"example.com", "EXAMPLE.com.", "-a.com", "a..b", "*.a.b", "1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if checkHost(host) != nil {
			return
		}
		if len(host) > longestHost || strings.ToLower(host) != host || !strings.Contains(host, ".") || strings.ContainsAny(host, "*_/ :\n") {
			t.Errorf("%q passes for a host name", host)
		}
		for _, label := range strings.Split(host, ".") {
			if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
				t.Errorf("%q has a bad label %q", host, label)
			}
		}
	})
}
