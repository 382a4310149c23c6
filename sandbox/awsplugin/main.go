// Command pulumi-resource-aws is a Pulumi AWS plugin made from the Terraform AWS
// provider's own code and Pulumi's bridge, for machines that reach package
// registries but not the place where Pulumi keeps the official plugin. It has
// the type tokens and property names of the pulumi-aws SDK at the version it
// reports, for the services listed in package sandbox/parts/awssource, which
// also prepares the sources and knows the build command.
package main

import (
	"context"
	"fmt"
	"os"

	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
)

func main() {
	ctx := context.Background()
	info, err := newInfo(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws plugin:", err)
		os.Exit(1)
	}
	// The schema serves code generators only; programs come with their SDK.
	pfbridge.MainWithMuxer(ctx, info.Name, info, []byte(`{"name":"aws"}`))
}
