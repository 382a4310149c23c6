package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"bluegreen/internal/once"
	"bluegreen/internal/release"

	"github.com/spf13/cobra"
)

// releaseFlags are those of the release command.
type releaseFlags struct {
	names   release.Names
	stack   string
	options release.Options

	resume   string
	stop     bool
	status   bool
	redeploy bool
	summary  string          // file
	events   []release.Event // for it

	overHTTP bool
	once     once.Client
}

const releaseHelp = `Release a commit to the fleets through CodeDeploy.

Bundles appspec.yml, scripts and app of the commit, uploads the bundle, makes a
deployment and follows it until traffic is on the new instances and the old ones
are going. A failed one is followed through its rollback, and what it left behind
is removed. With several deployment groups, web first and then those of Celery,
each waits for the one before. A release that has failed after the first ones is
finished by running it again: what it has reached is left alone.

With --once-over-http, for hosts whose hooks cannot reach the database, the site
itself is then asked to migrate and to publish its static files, with the token
in the environment's ` + once.TokenVariable + `. Visitors are on the new
release by then: docs/zero-downtime.md says what that asks of migrations.

Ctrl-C stops following, not the deployment; --resume takes it up again.

Where to release to comes from flags, else from the environment
(` + release.ApplicationVariable + `, ` + release.GroupVariable + `,
` + release.CeleryVariable + `, ` + release.RegionVariable + `, ` + release.BucketVariable + `,
` + release.RepositoryVariable + `), else from the outputs of --stack.
AWS is configured as for the AWS CLI.

Exit codes:
  0    released: traffic is on the new instances
  1    a mistake or an error; no verdict on a deployment
  2    the deployment failed, and the site serves what it served before
  3    something needs attention; the report says what
  130  interrupted; the deployment, if there is one, goes on

A stopped deployment that was rolled back is what --stop is for: it exits with 0.
With --json, each line is an event as JSON, and the last has the result. With
--summary, a page about the release goes to the end of a file, in Markdown: in
GitHub Actions, "$GITHUB_STEP_SUMMARY" puts it on the page of the run.`

func releaseCommand() *cobra.Command {
	f := &releaseFlags{}
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Release a commit through CodeDeploy, and follow it to the end",
		Long:  releaseHelp,
		Args:  f.arguments,
		RunE:  f.run,
	}
	flags := cmd.Flags()
	f.manners(cmd)
	flags.StringVar(&f.names.Application, "application", "", "CodeDeploy application")
	flags.StringSliceVar(&f.names.Groups, "group", nil, "deployment group; several, in order, with commas between or by repeating this")
	flags.StringVar(&f.names.Region, "region", "", "AWS region")
	flags.StringVar(&f.names.Bucket, "bucket", "", "S3 bucket of bundles")
	flags.StringVar(&f.stack, "stack", "", "Pulumi stack whose outputs say what is not said otherwise")
	flags.StringVar(&f.options.Source.Prefix, "prefix", "", "before the keys of bundles in the bucket: releases/")
	flags.StringVar(&f.names.Repository, "github", "", "release the commit of this GitHub repository, owner/name, instead of a bundle")
	cmd.AddCommand(bundleCommand())
	return cmd
}

// manners are the flags that a release has wherever it goes to.
func (f *releaseFlags) manners(cmd *cobra.Command) {
	flags := cmd.Flags()
	sourceFlags(cmd, &f.options.Source)
	flags.BoolVar(&f.options.IgnoreApplicationStop, "ignore-application-stop-failures", false, "go on when ApplicationStop, a script of the revision before, fails")
	flags.DurationVar(&f.options.WaitForRunning, "wait-for-running", 0, "how long to wait for a deployment that runs already (default 30m)")
	flags.BoolVar(&f.options.WaitForTermination, "wait-for-termination", false, "follow until the old instances are gone")
	flags.DurationVar(&f.options.Timeout, "timeout", 0, "how long to follow a deployment and its rollback (default 1h and CodeDeploy's termination wait)")
	flags.BoolVar(&f.options.JSON, "json", false, "print events, the last with the result, as lines of JSON")
	flags.StringVar(&f.resume, "resume", "", "follow this deployment, or the last one with: last")
	flags.BoolVar(&f.stop, "stop", false, "stop a deployment, the one under way or that of the id given, and roll it back")
	flags.BoolVar(&f.status, "status", false, "show the live fleet, the last deployments and leftovers")
	flags.BoolVar(&f.redeploy, "redeploy-last-good", false, "deploy the revision of the last successful deployment again")
	flags.StringVar(&f.summary, "summary", "", "append a page about the release to this file, in Markdown")
	cmd.MarkFlagsMutuallyExclusive("resume", "stop", "status", "redeploy-last-good")
	cmd.MarkFlagsMutuallyExclusive("summary", "status")
	onceFlags(cmd, f)
}

// onceFlags are those of what a release needs once, over HTTP.
func onceFlags(cmd *cobra.Command, f *releaseFlags) {
	flags := cmd.Flags()
	flags.BoolVar(&f.overHTTP, "once-over-http", false, "ask the site to migrate and publish static files, when traffic has moved; the token is "+once.TokenVariable)
	flags.StringVar(&f.once.Site, "site-url", "", "the site's URL, for --once-over-http (default: the stack's)")
	flags.DurationVar(&f.once.Timeout, "once-timeout", once.DefaultTimeout, "how long that may take altogether")
	flags.DurationVar(&f.once.RequestTimeout, "once-request-timeout", once.DefaultRequestTimeout, "how long one request of it may take")
	for _, other := range []string{"stop", "status", "wait-for-termination"} {
		cmd.MarkFlagsMutuallyExclusive("once-over-http", other)
	}
}

// asked completes the options with what is to be asked of the site, or nothing.
func (f *releaseFlags) asked(site string) {
	if !f.overHTTP {
		return
	}
	f.once.Token = os.Getenv(once.TokenVariable)
	if f.once.Site == "" {
		f.once.Site = site
	}
	f.options.OverHTTP = &f.once
}

// sourceFlags are those that say what to bundle.
func sourceFlags(cmd *cobra.Command, s *release.Source) {
	cmd.Flags().StringVar(&s.Folder, "directory", "", "folder that holds appspec.yml (default: the root of the checkout)")
	cmd.Flags().StringVar(&s.Commit, "commit", "", "commit to release (default: HEAD, which must be all there is)")
	cmd.Flags().StringSliceVar(&s.Paths, "path", nil, "bundle this file or folder, too; may be repeated")
	cmd.Flags().BoolVar(&s.AllowDirty, "allow-dirty", false, "bundle the working tree with its uncommitted changes")
	cmd.Flags().BoolVar(&s.Unbuilt, "no-build", false, "leave out what the commit's scripts/build makes")
}

// arguments are none, but for the id of a deployment to stop.
func (f *releaseFlags) arguments(cmd *cobra.Command, given []string) error {
	if len(given) > 1 || len(given) == 1 && !f.stop {
		return fmt.Errorf("unknown argument %q of %s", given[len(given)-1], cmd.CommandPath())
	}
	return nil
}

func (f *releaseFlags) run(cmd *cobra.Command, arguments []string) error {
	ctx := cmd.Context()
	names, err := release.FindNames(ctx, f.names, f.stack, os.Getenv)
	if err != nil {
		return f.conclude(cmd, release.Result{}, err)
	}
	f.options.Application, f.options.Groups, f.options.Source.Bucket = names.Application, names.Groups, names.Bucket
	f.options.Source.GitHub = names.Repository
	f.asked(names.Site)
	if f.options.AWS, err = release.Load(ctx, names.Region); err != nil {
		return f.conclude(cmd, release.Result{}, err)
	}
	return f.perform(ctx, cmd, arguments)
}

// perform does what the flags say, in an account and by names that are known.
func (f *releaseFlags) perform(ctx context.Context, cmd *cobra.Command, arguments []string) error {
	f.options.Output, f.options.Source.Output = cmd.ErrOrStderr(), cmd.ErrOrStderr()
	f.options.Watch = func(e release.Event) { f.events = append(f.events, e) }
	if f.options.JSON {
		f.options.Output = cmd.OutOrStdout()
	}
	if f.status {
		return f.printStatus(cmd)
	}
	result, err := f.act(ctx, arguments)
	return f.conclude(cmd, result, err)
}

// act does what the flags say.
func (f *releaseFlags) act(ctx context.Context, arguments []string) (release.Result, error) {
	switch {
	case f.resume != "":
		return release.Resume(ctx, f.options, f.resume)
	case f.redeploy:
		return release.RedeployLastGood(ctx, f.options)
	case f.stop:
		id := ""
		if len(arguments) == 1 {
			id = arguments[0]
		}
		return release.Stop(ctx, f.options, id)
	default:
		return release.Run(ctx, f.options)
	}
}

func (f *releaseFlags) printStatus(cmd *cobra.Command) error {
	status, err := release.ReadStatus(cmd.Context(), f.options)
	if err != nil {
		return err
	}
	return (&flags{json: f.options.JSON}).print(cmd, status)
}

// summarize writes the page about a release. An emulated AWS has no console.
func (f *releaseFlags) summarize(result release.Result, err error) error {
	if f.summary == "" {
		return nil
	}
	page := release.Summary{Result: result, Err: err, Events: f.events}
	if f.options.AWS.BaseEndpoint == nil {
		page.Region = f.options.AWS.Region
	}
	return page.Append(f.summary)
}

// conclude reports a result and turns it into an exit code.
func (f *releaseFlags) conclude(cmd *cobra.Command, result release.Result, err error) error {
	if failed := f.summarize(result, err); failed != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", failed) // the release is what counts
	}
	switch {
	case !f.options.JSON:
		result.Report(cmd.OutOrStdout())
	case err != nil && result.Outcome == "": // a mistake before anything was begun
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(release.Event{
			Time: time.Now().UTC(), Kind: release.KindResult, Status: string(release.Failed), Message: err.Error(),
			Result: &release.Result{Outcome: release.Failed},
		}); err != nil {
			return err
		}
	}
	if errors.Is(err, context.Canceled) {
		return exitCode{release.Interrupted.ExitCode(), "release: interrupted; no deployment of this run goes on: " + err.Error()}
	}
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	code := result.Outcome.ExitCode()
	if f.stop {
		switch result.Outcome {
		case release.RolledBack:
			code = 0
		case release.Succeeded:
			return errors.New("release: too late to stop: the deployment has succeeded; an older --commit goes back")
		}
	}
	if code != 0 {
		return exitCode{code: code}
	}
	return nil
}
