package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"bluegreen/sandbox/parts"
	"bluegreen/sandbox/parts/awssource"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// variables are what a process needs to work on this sandbox: the engine, the
// AWS CLI, boto3. Nothing in them is secret.
func (s *Sandbox) variables(record server) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":            record.Endpoint,
		"AWS_ACCESS_KEY_ID":           "sandbox",
		"AWS_SECRET_ACCESS_KEY":       "sandbox",
		"AWS_REGION":                  record.World.Region,
		"AWS_DEFAULT_REGION":          record.World.Region,
		"AWS_CONFIG_FILE":             "/dev/null", // the user's own profiles
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED":   "true",
		awssource.FastWaits:           "true",

		"PULUMI_HOME":                                   s.path("home"),
		"PULUMI_BACKEND_URL":                            "file://" + filepath.ToSlash(s.path("state")),
		"PULUMI_CONFIG_PASSPHRASE_FILE":                 s.path(passphraseFile),
		"PULUMI_SKIP_UPDATE_CHECK":                      "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true", // a copy of the state at every step
	}
}

// foreign tells whether a variable of the user's environment would reach into
// the sandbox: another account, another backend, a proxy between us and loopback.
func foreign(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(upper, "AWS_") || strings.HasPrefix(upper, "PULUMI_") || strings.HasSuffix(upper, "_PROXY")
}

// merged is a process environment: inherited without what is foreign, with own.
func merged(inherited []string, own map[string]string) []string {
	kept := slices.DeleteFunc(slices.Clone(inherited), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return foreign(name)
	})
	for _, name := range slices.Sorted(maps.Keys(own)) {
		kept = append(kept, name+"="+own[name])
	}
	return kept
}

// cliLink is the Pulumi CLI of this sandbox, which the shell of Environment puts
// first on PATH.
var cliLink = filepath.Join("bin", "pulumi")

// cli is the Pulumi CLI working on this sandbox.
func (s *Sandbox) cli(record server) cli {
	return cli{
		binary:      s.path(cliLink),
		environment: merged(s.environment, s.variables(record)),
		version:     semver.MustParse(parts.PulumiVersion),
		scratch:     s.Folder,
		digest:      s.Digest != nil,
	}
}

// stack opens the sandbox's stack, and makes it where it does not exist.
func (s *Sandbox) stack(ctx context.Context, tools parts.Tools, record server) (auto.Stack, error) {
	if err := s.install(tools); err != nil {
		return auto.Stack{}, err
	}
	stack, err := auto.UpsertStackInlineSource(ctx, s.Stack, ProjectName, s.Program.Run,
		auto.WorkDir(s.path(workspaceFolder)), auto.Pulumi(s.cli(record)))
	if err != nil {
		return auto.Stack{}, fmt.Errorf("open stack %s: %w", s.Stack, brief(err))
	}
	return stack, nil
}

// install links the Pulumi CLI and the plugins into the run folder. Two
// sandboxes share the parts, never a PULUMI_HOME, which the engine writes to.
func (s *Sandbox) install(tools parts.Tools) error {
	for _, plugin := range tools.Plugins {
		if err := plugin.Install(s.path("home")); err != nil {
			return err
		}
	}
	return parts.Link(tools.Pulumi, s.path(cliLink))
}

// brief shortens an error of the Automation API, which holds the whole output,
// to what the CLI says is wrong, or to its first line.
func brief(err error) error {
	if err == nil {
		return nil
	}
	var said []string
	lines := strings.Split(err.Error(), "\n")
	for _, line := range lines {
		if text, ok := strings.CutPrefix(strings.TrimPrefix(line, "stderr: "), "error: "); ok {
			said = append(said, text)
		}
	}
	if len(said) == 0 {
		said = lines[:1]
	}
	return errors.New(strings.Join(said, "\n"))
}
