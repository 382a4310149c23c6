package edge

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of AWS, each with the document that states it.
const (
	longestHost       = 253 // RFC 1035, "Size limits", as text without the final dot
	longestCommonName = 64  // ACM API Reference, "RequestCertificate", DomainName
	mostNames         = 100 // AWS Certificate Manager User Guide, "Quotas": 10 until an increase is granted
	longestPath       = 128 // ELB, "Listener rules for your Application Load Balancer", "Path conditions"
)

// tlsPolicies are the current security policies that allow nothing older than
// TLS 1.2 and no cipher without forward secrecy (Elastic Load Balancing,
// "Security policies for your Application Load Balancer").
var tlsPolicies = []string{
	"ELBSecurityPolicy-TLS13-1-2-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
	"ELBSecurityPolicy-TLS13-1-3-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
	"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
	"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
	"ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
	"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
	"ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
}

var (
	hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	path     = regexp.MustCompile(`^/[A-Za-z0-9_./~-]*$`)
	statuses = regexp.MustCompile(`^[2-4][0-9]{2}(-[2-4][0-9]{2})?(,[2-4][0-9]{2}(-[2-4][0-9]{2})?)*$`)
)

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	return errors.Join(
		s.validateDomain(),
		s.validateNames(),
		s.validateDNS(),
		oneOf("certificate", s.Certificate, "", Await, Pending),
		oneOf("tlsPolicy", s.TLSPolicy, tlsPolicies...),
		s.validateTargets(),
	)
}

func (s Spec) validateDomain() error {
	switch {
	case s.Domain == "":
		return errors.New("domain: required; set the site's name, as in example.com")
	case checkHost(s.Domain) != nil:
		return fmt.Errorf("domain: %w", checkHost(s.Domain))
	case len(s.Domain) > longestCommonName:
		return fmt.Errorf("domain: want at most %d characters, got %d; a certificate's first name cannot be longer", longestCommonName, len(s.Domain))
	case s.WWW && strings.HasPrefix(s.Domain, "www."):
		return fmt.Errorf("domain: %s begins with www. already; write %s, or set www to false", s.Domain, strings.TrimPrefix(s.Domain, "www."))
	}
	return nil
}

func (s Spec) validateNames() error {
	var problems []error
	first := s
	first.Names = nil
	taken := first.Hosts()
	for i, name := range s.Names {
		if err := checkHost(strings.TrimPrefix(name, wildcard)); err != nil {
			problems = append(problems, fmt.Errorf("names[%d]: %w", i, err))
		}
		if slices.Contains(taken, name) {
			problems = append(problems, fmt.Errorf("names[%d]: %q is there already; remove it", i, name))
		}
		taken = append(taken, name)
	}
	if len(taken) > mostNames {
		problems = append(problems, fmt.Errorf("names: a certificate has at most %d names, got %d; remove some", mostNames, len(taken)))
	}
	return errors.Join(problems...)
}

func (s Spec) validateDNS() error {
	problems := []error{oneOf("dns", s.DNS, Lookup, Create, Manual)}
	if s.HostedZone != "" {
		if err := checkHost(s.HostedZone); err != nil {
			problems = append(problems, fmt.Errorf("hostedZone: %w", err))
		} else if s.Domain != "" && !within(s.Domain, s.HostedZone) {
			problems = append(problems, fmt.Errorf("hostedZone: domain %s does not lie in %s; correct one of them", s.Domain, s.HostedZone))
		}
	}
	return errors.Join(problems...)
}

// validateTargets checks the load balancer's and target group's numbers
// (Elastic Load Balancing API Reference, "CreateTargetGroup",
// "TargetGroupAttribute" and "LoadBalancerAttribute").
func (s Spec) validateTargets() error {
	problems := []error{
		between("healthCheckInterval", s.HealthCheckInterval, 5, 300),
		between("healthCheckTimeout", s.HealthCheckTimeout, 2, 120),
		between("healthyThreshold", s.HealthyThreshold, 2, 10),
		between("unhealthyThreshold", s.UnhealthyThreshold, 2, 10),
		between("deregistrationDelay", s.DeregistrationDelay, 0, 3600),
		between("idleTimeout", s.IdleTimeout, 1, 4000),
	}
	if s.HealthCheckTimeout >= s.HealthCheckInterval {
		problems = append(problems, fmt.Errorf("healthCheckTimeout: %d is not less than healthCheckInterval %d; lower the first or raise the second",
			s.HealthCheckTimeout, s.HealthCheckInterval))
	}
	if s.SlowStart != 0 {
		problems = append(problems, between("slowStart", s.SlowStart, 30, 900))
	}
	if !path.MatchString(s.HealthCheckPath) || len(s.HealthCheckPath) > longestPath {
		problems = append(problems, fmt.Errorf("healthCheckPath: want a path like /healthz of at most %d letters, digits and _-./~, got %q", longestPath, s.HealthCheckPath))
	}
	return errors.Join(append(problems, checkMatcher(s.Matcher))...)
}

func checkMatcher(matcher string) error {
	if !statuses.MatchString(matcher) {
		return fmt.Errorf("matcher: want status codes from 200 to 499, as in 200, 200,202 or 200-299, got %q", matcher)
	}
	for _, some := range strings.Split(matcher, ",") {
		if first, last, many := strings.Cut(some, "-"); many && first > last {
			return fmt.Errorf("matcher: %s ends before it begins; write %s-%s", some, last, first)
		}
	}
	return nil
}

// checkHost says what is wrong with a host name.
func checkHost(host string) error {
	switch {
	case strings.HasSuffix(host, "."):
		return fmt.Errorf("%q ends in a dot; write %q", host, strings.TrimRight(host, "."))
	case host != strings.ToLower(host):
		return fmt.Errorf("%q has capital letters; write %q", host, strings.ToLower(host))
	case !hostname.MatchString(host) || len(host) > longestHost:
		return fmt.Errorf("want a host name like example.com, got %q", host)
	}
	return nil
}

func oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	named := slices.DeleteFunc(slices.Clone(allowed), func(v string) bool { return v == "" })
	return fmt.Errorf("%s: want one of %s, got %q", name, strings.Join(named, ", "), value)
}

func between(name string, value, least, most int) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s: want %d to %d, got %d", name, least, most, value)
}
