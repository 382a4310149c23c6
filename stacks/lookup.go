package stacks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bluegreen/infra/edge"
	"bluegreen/infra/fleet"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// lookUp finds what the stack builds on: its hosted zone and the image of its
// instances. It fails as well where the region lacks one of its zones.
func lookUp(ctx *pulumi.Context, s Settings, look pulumi.InvokeOption) (zone, imageID string, err error) {
	zone, zoneErr := hostedZone(ctx, s.Edge, look)
	imageID, imageErr := image(ctx, s.Fleet, look)
	return zone, imageID, errors.Join(zoneErr, imageErr, availabilityZones(ctx, s, look))
}

// availabilityZones checks that the account has the zones that the network
// wants: which letters a region has differs from account to account.
func availabilityZones(ctx *pulumi.Context, s Settings, look pulumi.InvokeOption) error {
	found, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{}, look)
	if err != nil {
		return fmt.Errorf("network.zones: the zones of %s: %w; see that the credentials may call ec2:DescribeAvailabilityZones", s.Region, err)
	}
	var letters []string
	for _, name := range found.Names {
		if letter, ok := strings.CutPrefix(name, s.Region); ok && len(letter) == 1 { // no local zones
			letters = append(letters, letter)
		}
	}
	var problems []error
	for i, zone := range s.Network.Zones {
		if !slices.Contains(letters, zone) {
			problems = append(problems, fmt.Errorf("network.zones[%d]: this account has no zone %s in %s; choose from %s", i, zone, s.Region, strings.Join(letters, ", ")))
		}
	}
	return errors.Join(problems...)
}

// hostedZone finds the zone that the site's records go into, or returns ""
// when the stack makes its own or has none.
func hostedZone(ctx *pulumi.Context, spec edge.Spec, look pulumi.InvokeOption) (string, error) {
	if spec.DNS != edge.Lookup {
		return "", nil
	}
	private := false
	name := spec.Zone()
	zone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: &name, PrivateZone: &private}, look)
	if err != nil {
		return "", fmt.Errorf("edge.hostedZone: no public zone %s found in Route 53: %w; "+
			"create it, or set edge.dns to create, or to manual for a domain that is elsewhere", name, err)
	}
	return zone.ZoneId, nil
}

// image is the machine image of the instances: the pinned one, or the newest
// of the Ubuntu release that Canonical has published for the architecture.
func image(ctx *pulumi.Context, spec fleet.Spec, look pulumi.InvokeOption) (string, error) {
	if spec.ImageID != "" {
		return spec.ImageID, nil
	}
	architecture := spec.Architecture()
	pattern := fleet.ImageName(spec.Ubuntu, architecture)
	newest := true
	found, err := ec2.LookupAmi(ctx, &ec2.LookupAmiArgs{
		MostRecent: &newest,
		Owners:     []string{fleet.Canonical},
		Filters: []ec2.GetAmiFilter{
			{Name: "name", Values: []string{pattern}},
			{Name: "virtualization-type", Values: []string{"hvm"}},
		},
	}, look)
	if err != nil {
		return "", fmt.Errorf("fleet.ubuntu: no image %s of owner %s: %w; choose another release or set fleet.imageId", pattern, fleet.Canonical, err)
	}
	return found.Id, nil
}
