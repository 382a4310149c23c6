package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bluegreen/internal/doctor"
	"bluegreen/internal/github"
	"bluegreen/internal/stack"
	"bluegreen/sandbox"
	"bluegreen/sandbox/progress"
	"bluegreen/stacks"

	"github.com/spf13/cobra"
)

// exitUnwell is doctor's when a check failed.
const exitUnwell = 2

// doctorFlags are those of the doctor command.
type doctorFlags struct {
	flags
	stack   string
	file    string
	offline bool
	site    string
}

const doctorHelp = `Check what a stack depends on, and say what to do about what is wrong.

Tools and plugins, the configuration, the application's times and names, and then,
unless --offline is given, what exists: the account, state and its lock, DNS,
certificate, load balancer, Parameter Store, quotas, and the secrets of GitHub.
Nothing is changed. docs/troubleshooting.md explains each line.

A check is ok, failed, a warning, or not checked, with the reason: it is never ok
without a look. AWS is configured as for the AWS CLI, and Pulumi as for pulumi; in
the shell of bluegreen sandbox env, both are the sandbox's.

Exit codes:
  0  no check failed; there may be warnings
  1  a mistake or an error
  2  a check failed`

func doctorCommand() *cobra.Command {
	f := &doctorFlags{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what a stack depends on, and say what to do",
		Long:  doctorHelp,
		Args:  cobra.NoArgs,
		RunE:  f.examine,
	}
	cmd.Flags().StringVar(&f.stack, "stack", "", "the Pulumi stack (default: PULUMI_STACK, or that of --stack-file)")
	cmd.Flags().StringVar(&f.file, "stack-file", "", "the stack's configuration (default: Pulumi.STACK.yaml in the checkout)")
	cmd.Flags().BoolVar(&f.offline, "offline", false, "look at files and installed programs only")
	cmd.Flags().StringVar(&f.site, "site-url", "", "ask this address for the site instead of the load balancer")
	cmd.Flags().StringVar(&f.root, "root", "", "the checkout (default: the one that the working folder is in)")
	return f.jsonFlag(cmd)
}

func (f *doctorFlags) examine(cmd *cobra.Command, _ []string) error {
	options, err := f.read()
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	board := progress.New(cmd.ErrOrStderr(), 1)
	step := board.Start("Examining stack " + options.Stack)
	options.Secrets = func(ctx context.Context) (doctor.Drift, error) { return drift(ctx, options.Stack) }
	options.Progress = func(done, all int) { step.Say(fmt.Sprintf("%d of %d checks", done, all)) }
	found, err := doctor.Examine(cmd.Context(), options)
	step.End(err)
	board.Close()
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("doctor: interrupted")
	case err != nil:
		return fmt.Errorf("doctor: %w", err)
	}
	if err := f.print(cmd, found); err != nil {
		return err
	}
	if found.Failed() {
		return exitCode{code: exitUnwell}
	}
	return nil
}

// githubPatience is how long limits of GitHub's are waited for: the doctor's other
// checks have ended by then.
const githubPatience = 30 * time.Second

// drift compares what workflows read on GitHub with the stack, as bluegreen github
// secrets --check does.
func drift(ctx context.Context, name string) (doctor.Drift, error) {
	of := githubFlags{stack: name}
	address, err := github.FindAPI("", os.Getenv)
	if err != nil {
		return doctor.Drift{}, err
	}
	repository, err := of.findRepository(ctx, address)
	if err != nil {
		return doctor.Drift{}, doctor.Unseen(err)
	}
	token, err := github.FindToken(ctx, address, os.Getenv)
	if err != nil {
		return doctor.Drift{}, doctor.Unseen(err)
	}
	client, err := github.Open(github.Options{Repository: repository, API: address, Token: token, Patience: githubPatience})
	if err != nil {
		return doctor.Drift{}, err
	}
	outputs, err := stack.Outputs(ctx, name)
	if err != nil {
		return doctor.Drift{}, err
	}
	values, err := github.Values(outputs, github.Choice{Stack: of.name()})
	if err != nil {
		return doctor.Drift{}, err
	}
	plan, err := client.PlanValues(ctx, of.name(), of.environment(), values)
	if err != nil {
		return doctor.Drift{}, err
	}
	found := doctor.Drift{Where: fmt.Sprintf("environment %s of %s", plan.Environment, plan.Repository)}
	for _, change := range plan.Changes {
		switch change.State {
		case github.New:
			found.Missing = append(found.Missing, change.Name)
		case github.Changed:
			found.Changed = append(found.Changed, change.Name)
		case github.Stale:
			found.Stale = append(found.Stale, change.Name)
		}
	}
	return found, nil
}

// read finds out which stack of which checkout is meant, and goes there: the
// engine reads the project in the working folder.
func (f *doctorFlags) read() (doctor.Options, error) {
	file, err := absolute(f.file)
	if err != nil {
		return doctor.Options{}, err
	}
	root, err := sandbox.FindRoot(f.root)
	if err != nil {
		return doctor.Options{}, err
	}
	if err := os.Chdir(root); err != nil {
		return doctor.Options{}, err
	}
	options := doctor.Options{Root: root, Stack: f.stack, File: file, Offline: f.offline, Site: f.site}
	if file != "" {
		named, err := stacks.StackName(file)
		switch {
		case err != nil:
			return doctor.Options{}, err
		case f.stack != "" && f.stack != named:
			return doctor.Options{}, fmt.Errorf("--stack is %s, --stack-file is of %s; name one of them", f.stack, named)
		}
		options.Stack = named
	}
	if options.Stack == "" {
		options.Stack = os.Getenv("PULUMI_STACK")
	}
	if options.Stack == "" {
		return doctor.Options{}, fmt.Errorf("which stack? name it with --stack, or its file with --stack-file; there are %s", strings.Join(stackFiles(root), ", "))
	}
	if options.File == "" {
		name := options.Stack[strings.LastIndex(options.Stack, "/")+1:] // of organization/project/stack
		options.File = filepath.Join(root, "Pulumi."+name+".yaml")
	}
	if _, err := os.Stat(options.File); err != nil {
		return doctor.Options{}, fmt.Errorf("%w; there are %s", err, strings.Join(stackFiles(root), ", "))
	}
	return options, nil
}

// stackFiles are the files of the checkout's stacks.
func stackFiles(root string) (names []string) {
	found, _ := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml")) // the pattern is right
	for _, file := range found {
		names = append(names, filepath.Base(file))
	}
	return names
}
