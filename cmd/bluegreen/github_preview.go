package main

import (
	"errors"
	"fmt"
	"os"

	"bluegreen/internal/github"

	"github.com/spf13/cobra"
)

// previewFlags are those of commands that tell GitHub about a preview.
type previewFlags struct {
	githubFlags
	file        string
	region      string
	offline     bool
	dryRun      bool
	pullRequest int
	headCommit  string
}

func (f *previewFlags) registerPreview(cmd *cobra.Command) {
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.file, "preview", "", "file with what pulumi preview --json printed (required)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the text, and ask GitHub nothing; needs no token")
	_ = cmd.MarkFlagRequired("preview") // fails for a flag that does not exist
}

const githubCommentHelp = `Comment a preview on its pull request.

There is one comment for each stack, which is edited in place. First comes what
somebody can act on: data that would be lost, whether visitors notice and why, and
what a month costs before and after; then a table; then every change in full,
folded. Secrets are not in it, and names and values, which may come from a fork,
are shown as they are and never as markdown, links or mentions. What is longer
than GitHub allows is left out, and the comment says how much; the command then
prints all of it.

The preview is one of pulumi preview --json --show-sames, or of
bluegreen sandbox preview --digest; then say --offline.

The pull request is --pull-request, else the open one whose newest commit is
--head-commit, else the one that Actions runs for. Without one that has the commit,
nothing is commented: a newer one is on its way. The token
needs to write pull requests, as GITHUB_TOKEN may with pull-requests: write.`

func githubCommentCommand() *cobra.Command {
	f := &previewFlags{}
	cmd := &cobra.Command{
		Use:   "comment",
		Short: "Comment a preview on its pull request",
		Long:  githubCommentHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.comment(cmd); err != nil {
				return fmt.Errorf("github comment: %w", err)
			}
			return nil
		},
	}
	f.registerPreview(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.offline, "offline", false, "the preview is of the sandbox, where nothing exists yet")
	flags.IntVar(&f.pullRequest, "pull-request", 0, "number of the pull request (default: the one that Actions runs for)")
	flags.StringVar(&f.headCommit, "head-commit", "", "newest commit of the pull request, in full, to find it by")
	cmd.MarkFlagsMutuallyExclusive("pull-request", "head-commit")
	flags.StringVar(&f.region, "region", "", "AWS region of prices (default: the preview's)")
	return cmd
}

func (f *previewFlags) comment(cmd *cobra.Command) error {
	report, err := f.read()
	if err != nil {
		return err
	}
	body, left := report.Body()
	if f.dryRun {
		_, err := fmt.Fprint(cmd.OutOrStdout(), body)
		return err
	}
	if f.pullRequest == 0 && f.headCommit == "" {
		if f.pullRequest, err = github.FindPullRequest(os.Getenv); err != nil {
			return err
		}
	}
	client, err := f.client(cmd)
	if err != nil {
		return err
	}
	if f.headCommit != "" {
		if f.pullRequest, err = client.PullRequestOf(cmd.Context(), f.headCommit); err != nil {
			return err
		}
		if f.pullRequest == 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "no open pull request has %s as its newest commit; nothing to comment on\n", f.headCommit)
			return nil
		}
	}
	address, err := client.Comment(cmd.Context(), f.pullRequest, github.Marker(report.Stack), body)
	if err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprint(cmd.OutOrStdout(), report.Full())
	}
	fmt.Fprintln(cmd.OutOrStdout(), address)
	return nil
}

// read reads the preview.
func (f *previewFlags) read() (github.Report, error) {
	digest, err := github.ReadPreview(f.file, f.name())
	if err != nil {
		return github.Report{}, err
	}
	return github.Report{Stack: f.name(), Digest: digest, Offline: f.offline, Region: f.region, Commit: f.headCommit, RunURL: github.RunURL(os.Getenv)}, nil
}

const githubDriftHelp = `Keep one issue on what differs between AWS and the code of a stack.

From a preview with --refresh, which compares with what is in AWS now, it opens an
issue, brings it up to date, or closes it once nothing differs any more. The issue
has the label infrastructure-drift and says first what applying the stack would
mean. It exits with 0 whether there is drift or not.

The preview is one of pulumi preview --refresh --json. The token needs to write
issues, as GITHUB_TOKEN may with issues: write.`

func githubDriftCommand() *cobra.Command {
	f := &previewFlags{}
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Keep one issue on what differs between AWS and the code",
		Long:  githubDriftHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.drift(cmd); err != nil {
				return fmt.Errorf("github drift: %w", err)
			}
			return nil
		},
	}
	f.registerPreview(cmd)
	return cmd
}

func (f *previewFlags) drift(cmd *cobra.Command) error {
	report, err := f.read()
	switch {
	case err != nil:
		return err
	case report.Digest.Failed():
		return errors.New("the preview failed, which says nothing about drift; look at its own output")
	case f.dryRun && !report.Drifted():
		fmt.Fprintln(cmd.OutOrStdout(), "no drift")
		return nil
	case f.dryRun:
		body, _ := report.DriftBody()
		_, err := fmt.Fprint(cmd.OutOrStdout(), body)
		return err
	}
	client, err := f.client(cmd)
	if err != nil {
		return err
	}
	did, err := client.Drift(cmd.Context(), report)
	if err != nil {
		return err
	}
	if _, left := report.DriftBody(); left > 0 {
		fmt.Fprint(cmd.OutOrStdout(), report.Full())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "stack %s: %s\n", report.Stack, did)
	return nil
}
