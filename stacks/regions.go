package stacks

import (
	"fmt"
	"slices"

	"bluegreen/infra/spelling"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
)

// regions are the regions that the provider knows, in the three partitions that
// the program makes ARNs for. The provider refuses any other.
var regions = []aws.Region{
	aws.RegionAFSouth1,
	aws.RegionAPEast1,
	aws.RegionAPNortheast1, aws.RegionAPNortheast2, aws.RegionAPNortheast3,
	aws.RegionAPSouth1, aws.RegionAPSouth2,
	aws.RegionAPSoutheast1, aws.RegionAPSoutheast2, aws.RegionAPSoutheast3, aws.RegionAPSoutheast4, aws.RegionAPSoutheast5, aws.RegionAPSoutheast7,
	aws.RegionCACentral, aws.RegionCAWest1,
	aws.RegionCNNorth1, aws.RegionCNNorthwest1,
	aws.RegionEUCentral1, aws.RegionEUCentral2,
	aws.RegionEUNorth1,
	aws.RegionEUSouth1, aws.RegionEUSouth2,
	aws.RegionEUWest1, aws.RegionEUWest2, aws.RegionEUWest3,
	aws.RegionILCentral1,
	aws.RegionMECentral1, aws.RegionMESouth1,
	aws.RegionMXCentral1,
	aws.RegionSAEast1,
	aws.RegionUSEast1, aws.RegionUSEast2,
	aws.RegionUSGovEast1, aws.RegionUSGovWest1,
	aws.RegionUSWest1, aws.RegionUSWest2,
}

func checkRegion(name string) error {
	if slices.Contains(regions, aws.Region(name)) {
		return nil
	}
	known := make([]string, len(regions))
	for i, region := range regions {
		known[i] = string(region)
	}
	advice := "run: pulumi config set region us-east-2"
	if near := spelling.Nearest(name, known); near != "" {
		advice = fmt.Sprintf("did you mean %s?", near)
	}
	return fmt.Errorf("region: want a region of AWS like us-east-2, got %q; %s", name, advice)
}
