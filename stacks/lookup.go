package stacks

import (
	"errors"
	"fmt"

	"bluegreen/infra/edge"
	"bluegreen/infra/fleet"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// lookUp finds what the stack builds on: its hosted zone and the image of its
// instances.
func lookUp(ctx *pulumi.Context, s Settings, look pulumi.InvokeOption) (zone, imageID string, err error) {
	zone, zoneErr := hostedZone(ctx, s.Edge, look)
	imageID, imageErr := image(ctx, s.Fleet, look)
	return zone, imageID, errors.Join(zoneErr, imageErr)
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
