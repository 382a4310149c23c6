package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"bluegreen/infra/edge"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// resolver is DNS as the internet sees it.
type resolver interface {
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

func domain() []check {
	return []check{
		{"dns: hosted zone", []need{online, settings, inRoute53, signedIn}, checkZone},
		{"dns: delegation", []need{online, settings, inRoute53, signedIn, public}, checkDelegation},
		{"dns: records", []need{online, settings, inRoute53, signedIn, up}, checkRecords},
		{"dns: names", []need{online, settings, public, up}, checkNames},
	}
}

func inRoute53(_ context.Context, p *patient) error {
	if found, _ := p.settings(); found.Edge.DNS == edge.Manual {
		return errors.New("edge.dns is manual: the records are somebody else's")
	}
	return nil
}

// errNoZone means that the account has no public hosted zone of the name.
var errNoZone = errors.New("no such public hosted zone in Route 53")

// zone finds the hosted zone, and the servers that Route 53 gave it.
func (p *patient) zone(ctx context.Context) (id string, servers []string, err error) {
	found, err := p.settings()
	if err != nil {
		return "", nil, errSettings
	}
	account, err := p.account()
	if err != nil {
		return "", nil, err
	}
	name := found.Edge.Zone()
	dns := route53.NewFromConfig(account)
	listed, err := dns.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String(name)})
	if err != nil {
		return "", nil, plain(err)
	}
	at := slices.IndexFunc(listed.HostedZones, func(z types.HostedZone) bool {
		return bare(aws.ToString(z.Name)) == name && (z.Config == nil || !z.Config.PrivateZone)
	})
	if at < 0 {
		return "", nil, errNoZone
	}
	zone, err := dns.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: listed.HostedZones[at].Id})
	if err != nil {
		return "", nil, plain(err)
	}
	if zone.DelegationSet != nil {
		servers = zone.DelegationSet.NameServers
	}
	return aws.ToString(listed.HostedZones[at].Id), bares(servers), nil
}

func checkZone(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	name := found.Edge.Zone()
	id, servers, err := p.zone(ctx)
	switch {
	case errors.Is(err, errNoZone) && found.Edge.DNS == edge.Create:
		return notChecked(fmt.Errorf("%s: pulumi up makes it (edge.dns is create)", name))
	case errors.Is(err, errNoZone):
		return failed(name+": "+err.Error(), "make it, or set edge.dns to create, or to manual for a domain that is elsewhere")
	case err != nil:
		return fault(err, "")
	}
	return ok("%s is %s, with %d name servers", name, strings.TrimPrefix(id, "/hostedzone/"), len(servers))
}

// checkDelegation compares the zone's servers with those that the internet asks.
func checkDelegation(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	name := found.Edge.Zone()
	_, servers, err := p.zone(ctx)
	switch {
	case errors.Is(err, errNoZone):
		return notChecked(err)
	case err != nil:
		return fault(err, "")
	}
	advice := "set the name servers of " + name + " at its registrar to " + strings.Join(servers, ", ")
	answer, err := p.resolver.LookupNS(ctx, name)
	if err != nil {
		return failed(fmt.Sprintf("DNS knows no name servers of %s: %v", name, err), advice)
	}
	var asked []string
	for _, server := range answer {
		asked = append(asked, bare(server.Host))
	}
	slices.Sort(asked)
	slices.Sort(servers)
	if strangers := difference(asked, servers); len(strangers) > 0 || len(asked) == 0 {
		return failed(fmt.Sprintf("%s is delegated to %s, the zone is on %s", name, strings.Join(asked, ", "), strings.Join(servers, ", ")), advice)
	}
	return ok("%s is delegated to %s", name, strings.Join(asked, ", "))
}

// checkRecords looks for a record of each of the site's names that leads to the
// load balancer.
func checkRecords(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	outputs, _ := p.outputs()
	balancer, _ := outputs["loadBalancerDnsName"].(string)
	id, _, err := p.zone(ctx)
	if err != nil {
		return fault(err, "run: pulumi up")
	}
	account, err := p.account()
	if err != nil {
		return notChecked(err)
	}
	targets := map[string]string{}
	pages := route53.NewListResourceRecordSetsPaginator(route53.NewFromConfig(account), &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(id)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fault(plain(err), "")
		}
		for _, record := range page.ResourceRecordSets {
			if record.Type == types.RRTypeA && record.AliasTarget != nil {
				targets[bare(aws.ToString(record.Name))] = bare(aws.ToString(record.AliasTarget.DNSName))
			}
		}
	}
	var problems []string
	hosts := slices.DeleteFunc(found.Edge.Hosts(), func(host string) bool { return !within(host, found.Edge.Zone()) })
	for _, host := range hosts {
		switch target := strings.TrimPrefix(targets[host], "dualstack."); target {
		case strings.ToLower(balancer):
		case "":
			problems = append(problems, host+" has no record")
		default:
			problems = append(problems, host+" leads to "+target)
		}
	}
	if len(problems) > 0 {
		return failed(strings.Join(problems, "; ")+", want "+balancer, "run: pulumi up, which reads what is there and mends it")
	}
	return ok("%s lead to the load balancer", strings.Join(hosts, ", "))
}

func within(host, zone string) bool { return host == zone || strings.HasSuffix(host, "."+zone) }

// checkNames asks DNS as a visitor does.
func checkNames(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	outputs, _ := p.outputs()
	balancer, _ := outputs["loadBalancerDnsName"].(string)
	want, err := p.resolver.LookupHost(ctx, balancer)
	if err != nil {
		return failed(fmt.Sprintf("DNS does not know the load balancer, %s: %v", balancer, err), "run: pulumi up")
	}
	var problems []string
	for _, host := range found.Edge.Hosts() {
		got, err := p.resolver.LookupHost(ctx, host)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s: %v", host, err))
		case !slices.ContainsFunc(got, func(address string) bool { return slices.Contains(want, address) }):
			problems = append(problems, fmt.Sprintf("%s is %s", host, strings.Join(got, ", ")))
		}
	}
	if len(problems) > 0 {
		return failed(strings.Join(problems, "; ")+"; want an address of "+balancer,
			"see dns: delegation; by hand, add the output recordsToAddByHand; behind a CDN this is as it should be")
	}
	return ok("%s have addresses of the load balancer", strings.Join(found.Edge.Hosts(), ", "))
}

// bare is a name of DNS without the dot at its end.
func bare(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func bares(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = bare(name)
	}
	return all
}
