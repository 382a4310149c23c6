// Package stacks is the composition root: it alone reads configuration, wires
// the components of package infra together, and exports outputs.
package stacks

import (
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Run is the Pulumi program. The stack's name is the environment's.
func Run(ctx *pulumi.Context) error {
	settings, err := load(ctx)
	if err != nil {
		return err
	}
	registry, err := readRegistry(ctx.RootDirectory())
	if err != nil {
		return err
	}
	return platform(ctx, settings, registry)
}

// load reads what the engine handed over. The Go language host puts the whole
// configuration in a variable, where a misspelt key shows; an inline program
// can only be asked for the keys it knows, and its caller has checked the rest
// with Parse.
func load(ctx *pulumi.Context) (Settings, error) {
	config, ok := os.LookupEnv(pulumi.EnvConfig)
	if ok {
		return parseEnvironment(config, ctx.Stack())
	}
	values := map[string]string{}
	for _, key := range keys() {
		if value, ok := ctx.GetConfig(namespace + key); ok {
			values[namespace+key] = value
		}
	}
	return Parse(values, ctx.Stack())
}
