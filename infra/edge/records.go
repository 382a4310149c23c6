package edge

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// newAliases leads the hosts whose records the stack writes to the load
// balancer, over both families of addresses where it has both.
func newAliases(ctx *pulumi.Context, name string, args Args, zone pulumi.StringInput, balancer *lb.LoadBalancer, own pulumi.ResourceOption) error {
	kinds := []struct{ role, kind string }{{"alias", "A"}}
	if args.IPv6 {
		kinds = append(kinds, struct{ role, kind string }{"alias-ipv6", "AAAA"})
	}
	for _, host := range args.Hosts() {
		if args.outside(host) {
			continue
		}
		for _, alias := range kinds {
			if _, err := route53.NewRecord(ctx, name+"-"+alias.role+"-"+host, &route53.RecordArgs{
				ZoneId: zone.ToStringOutput(),
				Name:   pulumi.String(host),
				Type:   pulumi.String(alias.kind),
				Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
					Name:                 balancer.DnsName,
					ZoneId:               balancer.ZoneId,
					EvaluateTargetHealth: pulumi.Bool(true),
				}},
			}, own); err != nil {
				return err
			}
		}
	}
	return nil
}

// record is a DNS record in the words of any provider.
type record struct{ Name, Type, Value string }

func (r record) name() string  { return r.Name }
func (r record) kind() string  { return r.Type }
func (r record) value() string { return r.Value }

func (r record) because(purpose string) map[string]string {
	return map[string]string{"name": r.Name, "type": r.Type, "value": r.Value, "purpose": purpose}
}

func manualRecords(spec Spec, certificate *acm.Certificate, balancer *lb.LoadBalancer, servers pulumi.StringArrayOutput) pulumi.StringMapArrayOutput {
	return pulumi.StringMapArrayOutput(pulumix.Apply3Err(proofs(certificate), balancer.DnsName, servers, spec.byHand))
}

// byHand lists what the owner has to add: the delegation of a new zone, and
// for each name that the stack cannot write the proof that it is theirs and
// the way to the load balancer.
func (s Spec) byHand(proofs []acm.CertificateDomainValidationOption, balancer string, servers []string) ([]map[string]string, error) {
	records := []map[string]string{}
	for _, server := range servers {
		records = append(records, record{s.Zone(), "NS", server}.because("delegates "+s.Zone()+" to Route 53; add all of them at the registrar or in the zone above"))
	}
	for _, domain := range s.proofs() {
		if !s.outside(domain) {
			continue
		}
		proof, err := proofOf(proofs, domain)
		if err != nil {
			return nil, err
		}
		records = append(records, proof.because("proves to AWS that "+domain+" is yours; leave it, each renewal needs it"))
	}
	for _, host := range s.Hosts() {
		if s.outside(host) {
			records = append(records, record{host, s.aliasType(host), balancer}.because(fmt.Sprintf("leads visitors of %s to the load balancer", host)))
		}
	}
	return records, nil
}

// aliasType is the kind of record that may stand at host. At the top of a
// zone CNAME is not allowed (RFC 1034, section 3.6.2); providers offer ALIAS,
// ANAME or a flattened CNAME there.
func (s Spec) aliasType(host string) string {
	if host == s.Zone() || strings.Count(host, ".") == 1 {
		return "ALIAS"
	}
	return "CNAME"
}
