package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bluegreen/internal/cost"
	"bluegreen/internal/preview"
	"bluegreen/internal/stack"
	"bluegreen/sandbox"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/spf13/cobra"
)

// costFlags are those of the cost command.
type costFlags struct {
	from      [4]string // as sources are
	against   string
	region    string
	usageFile string
	assume    []string
	json      bool
	all       bool
	root      string
}

// sources are the forms in which a list of resources may come.
var sources = [4]string{"stack", "stack-file", "preview", "state"}

const costHelp = `Estimate what a stack costs in a month.

The resources come from one of
  --stack NAME        the state of a Pulumi stack
  --stack-file FILE   a stack's configuration, previewed offline in the sandbox
  --preview FILE      what "pulumi preview --json --show-sames" printed: before and after
  --state FILE        what "pulumi stack export" printed

With --against, the difference to another: --against state=export.json.

Prices are those of a table in the repository; every estimate says how old they
are. What is not in the table is unknown, and the total then is at least what it
says. What depends on use goes by assumptions: --assume releases=40, or a file of
such lines, releases: 40. docs/cost.md lists them.`

func costCommand() *cobra.Command {
	f := &costFlags{}
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Estimate what a stack costs in a month",
		Long:  costHelp,
		Args:  cobra.NoArgs,
		RunE:  f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from[0], "stack", "", "the stack whose state to read")
	flags.StringVar(&f.from[1], "stack-file", "", "the stack's configuration to preview offline")
	flags.StringVar(&f.from[2], "preview", "", "file with the digest of a preview")
	flags.StringVar(&f.from[3], "state", "", "file with an exported state")
	flags.StringVar(&f.against, "against", "", "what to compare with, in the same forms: stack=NAME, stack-file=FILE, preview=FILE or state=FILE")
	flags.StringVar(&f.region, "region", "", "AWS region (default: the one of the stack's provider)")
	flags.StringVar(&f.usageFile, "usage", "", "YAML file with what to assume about use")
	flags.StringArrayVar(&f.assume, "assume", nil, "NAME=VALUE: assume this about use; may be repeated")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON")
	flags.BoolVar(&f.all, "all", false, "list what is free, too")
	flags.StringVar(&f.root, "root", "", "the checkout, for --stack-file (default: the one that the working folder is in)")
	cmd.MarkFlagsMutuallyExclusive(sources[:]...)
	cmd.MarkFlagsOneRequired(sources[:]...)
	return cmd
}

func (f *costFlags) run(cmd *cobra.Command, _ []string) error {
	estimator, err := f.estimator()
	if err != nil {
		return err
	}
	form := slices.IndexFunc(f.from[:], func(value string) bool { return value != "" })
	if form < 0 {
		return errors.New("nothing to estimate: the value is empty")
	}
	against, err := f.other()
	if err != nil {
		return err
	}
	before, after, err := f.resources(cmd, sources[form], f.from[form])
	if err != nil {
		return err
	}
	report := costReport{all: f.all}
	report.Estimate = estimator.Of(after.resources, f.region)
	report.Estimate.Partial = after.partial
	switch {
	case against != nil:
		_, other, err := f.resources(cmd, against[0], against[1])
		if err != nil {
			return err
		}
		before = other
	case len(before.resources) == 0:
		return report.print(cmd, f.json)
	}
	earlier := estimator.Of(before.resources, f.region)
	earlier.Partial = before.partial
	difference := cost.Difference(earlier, report.Estimate)
	report.Difference = &difference
	return report.print(cmd, f.json)
}

// estimator has the repository's prices, and the assumptions of file and flags.
func (f *costFlags) estimator() (cost.Estimator, error) {
	usage := cost.Assumed()
	if f.usageFile != "" {
		text, err := os.ReadFile(f.usageFile)
		if err != nil {
			return cost.Estimator{}, err
		}
		if usage, err = usage.Read(text); err != nil {
			return cost.Estimator{}, fmt.Errorf("%s: %w", f.usageFile, err)
		}
	}
	for _, given := range f.assume {
		name, value, ok := strings.Cut(given, "=")
		if !ok || strings.TrimSpace(value) == "" {
			return cost.Estimator{}, fmt.Errorf("--assume %s: want NAME=VALUE, as in releases=40", given)
		}
		var err error
		if usage, err = usage.Read([]byte(name + ": " + value)); err != nil {
			return cost.Estimator{}, fmt.Errorf("--assume %s: %w", given, err)
		}
	}
	return cost.Estimator{Table: cost.Prices(), Usage: usage}, nil
}

// other is form and value of --against; nil where it is not given.
func (f *costFlags) other() ([]string, error) {
	if f.against == "" {
		return nil, nil
	}
	form, value, ok := strings.Cut(f.against, "=")
	if !ok || value == "" || !slices.Contains(sources[:], form) {
		return nil, fmt.Errorf("--against %s: want %s=…, as in state=export.json", f.against, strings.Join(sources[:], "=…, "))
	}
	return []string{form, value}, nil
}

// listed is a list of resources.
type listed struct {
	resources []preview.State
	partial   bool // what stays as it is was not listed
}

// resources reads lists in one of the forms; before is empty but for a preview.
func (f *costFlags) resources(cmd *cobra.Command, form, value string) (before, after listed, err error) {
	switch form {
	case "stack":
		after.resources, err = states(stack.Export(cmd.Context(), value))
	case "state":
		after.resources, err = states(stack.ReadExport(value))
	case "stack-file":
		after.resources, err = f.offline(cmd.Context(), cmd, value)
	default:
		digest, err := preview.ParseFile(value)
		if err != nil {
			return before, after, err
		}
		if len(digest.Steps) == 0 {
			return before, after, fmt.Errorf("%s: lists no resource; make it with pulumi preview --json --show-sames", value)
		}
		before = listed{digest.Before(), !digest.Whole()}
		return before, listed{digest.After(), !digest.Whole()}, nil
	}
	return before, after, err
}

// states are the resources of a state in the form of a preview's.
func states(resources []stack.Resource, err error) ([]preview.State, error) {
	list := make([]preview.State, len(resources))
	for i, r := range resources {
		list[i] = preview.State{
			URN: urn.URN(r.URN), Type: r.Type, ID: r.ID, Custom: r.Custom, External: r.External, Delete: r.Delete,
			Protect: r.Protect, Parent: urn.URN(r.Parent), Inputs: r.Inputs, Outputs: r.Outputs,
		}
	}
	return list, err
}

// offline previews a stack's file in the sandbox.
func (f *costFlags) offline(ctx context.Context, cmd *cobra.Command, file string) ([]preview.State, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	root, err := sandbox.FindRoot(f.root)
	if err != nil {
		return nil, err
	}
	back, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(root); err != nil { // the program reads environment.yaml there
		return nil, err
	}
	defer os.Chdir(back) //nolint:errcheck // the folder was there a moment ago
	var written bytes.Buffer
	s, err := sandbox.New(sandbox.Options{Root: root, Program: sandbox.Platform(), Progress: cmd.ErrOrStderr(), Digest: &written})
	if err != nil {
		return nil, err
	}
	if _, err := s.PreviewFile(ctx, file); err != nil {
		return nil, err
	}
	digest, err := preview.Parse(&written)
	return digest.After(), err
}
