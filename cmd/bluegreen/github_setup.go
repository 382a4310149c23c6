package main

import (
	"errors"
	"fmt"

	"bluegreen/infra/access"
	"bluegreen/internal/github"

	"github.com/spf13/cobra"
)

const githubSetupHelp = `Make and protect the GitHub environment that a stack's jobs run in.

Only branches main and master, and tags where asked, may deploy to it: the roles
in AWS trust the environment, whatever the branch. With --reviewer, each job waits
until one of the reviewers has approved it. What is there already and protects
stays. The label of issues on drift is made, too. It says first what it would do;
a second run does nothing. It also says when the roles would not know the
repository, whose numbers a new one's tokens have: access.github.ownerId and
repositoryId.

The token needs to administer the repository (repo for a classic one, of an
owner or administrator); the GITHUB_TOKEN of Actions may not.`

func githubSetupCommand() *cobra.Command {
	f := &githubFlags{}
	var options github.SetupOptions
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make and protect the GitHub environment that a stack's jobs run in",
		Long:  githubSetupHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.setup(cmd, options); err != nil {
				return fmt.Errorf("github setup: %w", err)
			}
			return nil
		},
	}
	f.register(cmd)
	f.confirmable(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.Environment, "environment", "", "GitHub environment (default: access.github.environment of the stack, else its name)")
	flags.StringSliceVar(&options.Reviewers, "reviewer", nil, "user, or team as ORGANIZATION/TEAM, who may approve; may be repeated")
	flags.StringSliceVar(&options.Tags, "tag", nil, "pattern of tags that may deploy, too, as in v*; may be repeated")
	flags.BoolVar(&f.json, "json", false, "print what was done as JSON")
	return cmd
}

func (f *githubFlags) setup(cmd *cobra.Command, options github.SetupOptions) error {
	options.Stack = f.name()
	if options.Environment == "" {
		options.Environment = f.environment()
	}
	if configured := f.configuration().Access; configured.CI == access.GitHub {
		options.Numbers = &github.Numbers{Owner: configured.GitHub.OwnerID, Repository: configured.GitHub.RepositoryID}
	}
	client, err := f.client(cmd)
	if err != nil {
		return err
	}
	plan, err := client.PlanSetup(cmd.Context(), options)
	if err != nil {
		return err
	}
	if !f.json {
		plan.Report(cmd.OutOrStdout())
	}
	if len(plan.Steps) > 0 {
		agreed, err := f.confirm(cmd, fmt.Sprintf("Do this in %s?", plan.Repository))
		if err != nil {
			return err
		}
		if !agreed {
			return errors.New("nothing was done")
		}
		if err := plan.Apply(cmd.Context()); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "done")
	}
	if f.json {
		return (&flags{json: true}).print(cmd, plan)
	}
	return nil
}
