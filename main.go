// Command bluegreen is the Pulumi program: one stack is one environment of
// one web site.
package main

import (
	"bluegreen/stacks"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() { pulumi.Run(stacks.Run) }
