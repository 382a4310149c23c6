package main

import (
	"errors"
	"fmt"
	"os"

	"bluegreen/internal/github"
	"bluegreen/internal/stack"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const githubSecretsHelp = `Write the names and secrets of a stack for workflows to read.

Outputs whose names are in capitals are written under these names, and
  releaseBucket           as AWS_RELEASE_BUCKET,
  releaseRepository       as AWS_RELEASE_REPOSITORY,
  celeryDeploymentGroups  as AWS_CODEDEPLOY_CELERY_DEPLOYMENT_GROUPS.

What Pulumi keeps secret and AWS_ACCESS_KEY_ID become secrets. The rest become
variables: GitHub puts *** in place of secrets in logs, and a log in which the
region and the deployment group are *** helps nobody. With --all-secrets the rest
become secrets, too, for workflows that read secrets only.

They go to the environment of the stack's jobs, access.github.environment of its
configuration or else the stack's name, so that stacks do not share them and its
protection holds. It has to exist: bluegreen github setup makes it. Only
AWS_PREVIEW_ROLE_ARN goes to the repository, too, as AWS_PREVIEW_ROLE_ARN_<STACK>:
jobs of pull requests run in no environment. --repository-level has everything
there, for repositories without environments.

A plan is shown first. GitHub shows secrets to nobody; whether one has changed is
told by a salted fingerprint and the time it was written, which the variable
BLUEGREEN_RECORD_<STACK> keeps. What it names and the stack no longer has is
stale: --prune deletes it, and nothing else is ever deleted, nor what somebody else
has written under that name since. After a failure, running the command again
finishes it.

The token needs to read and write secrets, variables and environments of the
repository (repo for a classic one); the GITHUB_TOKEN of Actions may not.

With --env-file, nothing is written to GitHub, but NAME=value lines to a file that
only its owner can read, or with - to a pipe, for other CI systems.

Exit codes:
  0  done, or nothing to do
  1  a mistake or an error; what was written is said
  2  with --check: GitHub differs from the stack`

// secretsFlags are those of github secrets.
type secretsFlags struct {
	githubFlags
	environmentName string
	repositoryLevel bool
	allSecrets      bool
	check, prune    bool
	envFile         string
}

func githubSecretsCommand() *cobra.Command {
	f := &secretsFlags{}
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Write the names and secrets of a stack for workflows to read",
		Long:  githubSecretsHelp,
		Args:  cobra.NoArgs,
		RunE:  f.run,
	}
	f.register(cmd)
	f.confirmable(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.environmentName, "environment", "", "GitHub environment (default: access.github.environment of the stack, else its name)")
	flags.BoolVar(&f.repositoryLevel, "repository-level", false, "write to the repository instead of an environment")
	flags.BoolVar(&f.allSecrets, "all-secrets", false, "write what is not secret as secrets, too")
	flags.BoolVar(&f.check, "check", false, "write nothing; exit with 2 when GitHub differs")
	flags.BoolVar(&f.prune, "prune", false, "delete what was written for this stack and is stale")
	flags.StringVar(&f.envFile, "env-file", "", "write NAME=value lines to this file, or with - to a pipe, and nothing to GitHub")
	flags.BoolVar(&f.json, "json", false, "print the plan, and what was done of it, as JSON")
	cmd.MarkFlagsMutuallyExclusive("environment", "repository-level")
	cmd.MarkFlagsMutuallyExclusive("check", "prune")
	for _, other := range []string{"check", "prune", "yes", "json", "environment", "repository-level", "all-secrets"} {
		cmd.MarkFlagsMutuallyExclusive("env-file", other)
	}
	return cmd
}

func (f *secretsFlags) run(cmd *cobra.Command, _ []string) error {
	if f.envFile == "-" && isTerminal(cmd.OutOrStdout()) {
		return errors.New("github secrets: this is a terminal, which would show the secrets; write them to a pipe or a file")
	}
	var client *github.Client
	if f.envFile == "" { // a missing token shows before Pulumi is asked
		var err error
		if client, err = f.client(cmd); err != nil {
			return fmt.Errorf("github secrets: %w", err)
		}
	}
	outputs, err := stack.Outputs(cmd.Context(), f.stack)
	if err != nil {
		return err
	}
	values, err := github.Values(outputs, github.Choice{Stack: f.name(), RepositoryLevel: f.repositoryLevel, AllSecrets: f.allSecrets})
	switch {
	case err != nil:
		return fmt.Errorf("github secrets: stack %s:\n%w", f.stack, err)
	case len(values) == 0:
		return fmt.Errorf("github secrets: stack %s has no outputs for workflows; pulumi up makes them", f.stack)
	case client == nil:
		return f.writeFile(cmd, values)
	}
	return f.perform(cmd, client, values)
}

// perform plans, asks and writes.
func (f *secretsFlags) perform(cmd *cobra.Command, client *github.Client, values []github.Value) error {
	environment := ""
	if !f.repositoryLevel {
		if environment = f.environmentName; environment == "" {
			environment = f.environment()
		}
	}
	plan, err := client.PlanValues(cmd.Context(), f.name(), environment, values)
	if err != nil {
		return fmt.Errorf("github secrets: %w", err)
	}
	todo := plan.Count(github.New, github.Changed)
	if f.prune || f.check {
		todo += plan.Count(github.Stale)
	}
	if f.check {
		if err := f.print(cmd, plan); err != nil || todo == 0 {
			return err
		}
		return exitCode{code: 2, text: fmt.Sprintf("github secrets: %s differs from stack %s; run this without --check, and with --prune for what is stale", plan.Repository, f.stack)}
	}
	if todo > 0 {
		if !f.json {
			plan.Report(cmd.OutOrStdout())
		}
		agreed, err := f.confirm(cmd, fmt.Sprintf("Change %d in %s?", todo, plan.Repository))
		if err != nil {
			return fmt.Errorf("github secrets: %w", err)
		}
		if !agreed {
			return errors.New("github secrets: nothing was done")
		}
		if err = plan.Apply(cmd.Context(), f.prune, cmd.ErrOrStderr()); err != nil {
			if f.json {
				err = errors.Join(err, f.print(cmd, plan))
			}
			return fmt.Errorf("github secrets: %w", err)
		}
	}
	if f.json || todo == 0 {
		return f.print(cmd, plan)
	}
	return nil
}

func (f *secretsFlags) print(cmd *cobra.Command, plan *github.Plan) error {
	return (&flags{json: f.json}).print(cmd, plan)
}

func (f *secretsFlags) writeFile(cmd *cobra.Command, values []github.Value) error {
	text, err := github.EnvFile(values)
	if err != nil {
		return fmt.Errorf("github secrets: stack %s:\n%w", f.stack, err)
	}
	if f.envFile == "-" {
		_, err := fmt.Fprint(cmd.OutOrStdout(), text)
		return err
	}
	if err := github.WritePrivate(f.envFile, text); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s, which has secrets in it and only you can read\n", f.envFile)
	return nil
}

// isTerminal tells whether what is written to a stream shows on a terminal.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd())) // #nosec G115 -- a file descriptor is small
}
