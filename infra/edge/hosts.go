package edge

import (
	"slices"
	"strings"
)

// A wildcard name stands for one label in front of the rest.
const wildcard = "*."

// Hosts are the host names that the site answers to: the domain, www, and the
// further names without the wildcard ones, in this order. Certificate, DNS
// and the application's own list of hosts all follow from it.
func (s Spec) Hosts() []string {
	hosts := []string{s.Domain}
	if s.WWW {
		hosts = append(hosts, "www."+s.Domain)
	}
	for _, name := range s.Names {
		if !strings.HasPrefix(name, wildcard) {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// SiteURL is where the site is, without a slash at the end.
func (s Spec) SiteURL() string { return "https://" + s.Domain }

// Zone is the name of the hosted zone that records go into.
func (s Spec) Zone() string {
	if s.HostedZone != "" {
		return s.HostedZone
	}
	return s.Domain
}

// alternatives are the names of the certificate beside Domain.
func (s Spec) alternatives() []string {
	var names []string
	if s.WWW {
		names = append(names, "www."+s.Domain)
	}
	return append(names, s.Names...)
}

// proofs are the domains that AWS wants a record of. A wildcard name and the
// name below it share one.
func (s Spec) proofs() []string {
	domains := []string{s.Domain}
	for _, name := range s.alternatives() {
		if domain := strings.TrimPrefix(name, wildcard); !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	return domains
}

// outside tells whether the records of host are somebody else's to write.
func (s Spec) outside(host string) bool { return s.DNS == Manual || !within(host, s.Zone()) }

func within(host, zone string) bool { return host == zone || strings.HasSuffix(host, "."+zone) }

// pending tells whether to go on before the certificate is issued.
func (s Spec) pending() bool {
	if s.Certificate != "" {
		return s.Certificate == Pending
	}
	return s.DNS != Lookup || slices.ContainsFunc(s.proofs(), s.outside)
}
