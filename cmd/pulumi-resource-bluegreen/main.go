// Command pulumi-resource-bluegreen is the plugin that the Pulumi engine
// starts for resources of the provider bluegreen.
package main

import (
	"context"
	"fmt"
	"os"

	"bluegreen/provider"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-bluegreen:", err)
		os.Exit(1)
	}
}

func run() error {
	built, err := provider.New(provider.Connect, provider.EnvironmentPace(os.Getenv))
	if err != nil {
		return err
	}
	return built.Run(context.Background(), provider.Name, provider.Version)
}
