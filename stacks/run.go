// Package stacks is the composition root: it alone reads configuration, wires
// the components of package infra together, and exports outputs.
package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bluegreen/infra/parameters"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Run is the Pulumi program. The stack's name is the environment's.
func Run(ctx *pulumi.Context) error {
	config, err := configuration(ctx)
	if err != nil {
		return err
	}
	settings, registry, err := Load(ctx.RootDirectory(), config, ctx.Stack())
	if err != nil {
		return err
	}
	if err := warn(ctx, registry); err != nil {
		return err
	}
	return platform(ctx, settings, registry)
}

// warn says which secrets can be read by whoever reads the stack's file. It
// does not refuse them: the values of a sandbox need not be secret.
func warn(ctx *pulumi.Context, registry parameters.Registry) error {
	file := "Pulumi." + ctx.Stack() + ".yaml"
	names, err := inPlainText(filepath.Join(ctx.RootDirectory(), file), registry)
	for _, name := range names {
		text := fmt.Sprintf("environment.%s: secret, but in plain text in %s; encrypt it: pulumi config set --secret --path environment.%[1]s", name, file)
		err = errors.Join(err, ctx.Log.Warn(text, nil))
	}
	return err
}

// Load reads everything that a stack is made from, its configuration and the
// registry of environment variables in folder root, and checks it all before
// anything is declared. Config is as Parse takes it.
func Load(root string, config map[string]string, stack string) (Settings, parameters.Registry, error) {
	settings, err := Parse(config, stack)
	registry, registryErr := readRegistry(root)
	if registryErr == nil {
		_, registryErr = registry.Resolve(settings.provided(), settings.Environment)
	}
	return settings, registry, errors.Join(err, registryErr)
}

// configuration is what the engine handed over. The Go language host puts all
// of it in a variable, where a misspelt key shows; an inline program can only
// be asked for the keys it knows, and its caller has checked the rest with
// Load.
func configuration(ctx *pulumi.Context) (map[string]string, error) {
	config := map[string]string{}
	if text, ok := os.LookupEnv(pulumi.EnvConfig); ok {
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return nil, fmt.Errorf("configuration from the engine: %w", err)
		}
		return config, nil
	}
	for _, key := range keys() {
		if value, ok := ctx.GetConfig(namespace + key); ok {
			config[namespace+key] = value
		}
	}
	return config, nil
}

// readRegistry reads environment.yaml beside Pulumi.yaml.
func readRegistry(root string) (parameters.Registry, error) {
	text, err := os.ReadFile(filepath.Join(root, "environment.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("registry of environment variables: %w; it belongs beside Pulumi.yaml: bring it back with git checkout environment.yaml", err)
	}
	if err != nil {
		return nil, fmt.Errorf("registry of environment variables: %w", err)
	}
	registry, err := parameters.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("environment.yaml: %w", err)
	}
	return registry, nil
}
