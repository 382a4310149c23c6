package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bluegreen/sandbox"
	"bluegreen/sandbox/rehearsal"

	"github.com/spf13/cobra"
)

// Exit codes of a rehearsal that did not pass, and of one that was interrupted,
// as shells have it.
const (
	exitFailed      = 2
	exitInterrupted = 130
)

const rehearseHelp = `Perform a site's whole life on machines that boot here, under load: the platform,
the first release, releases with migrations, one that fails, killed machines, a
redeploy, the end. Exits with 0 only when no request failed and each step left
behind what it should, with 2 when one did not, with 1 when it could not go on.

With --app-from, your application is released in place of the reference one:
first, second, one that is ordered to fail, one that loses a machine, a redeploy.
It needs a release.sh (docs/instance.md); its environment comes from the stack.

Needs root, systemd-nspawn, debootstrap and HAProxy; says what is missing.`

func (f *flags) rehearse() *cobra.Command {
	var options rehearsal.Options
	site := rehearsal.Site{}
	var stack string
	var requests []string
	var check bool
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "Rehearse releases on real machines, under load",
		Long:  rehearseHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return sandbox.CheckMachines(cmd.Context())
			}
			if options.Rate < 1 {
				return fmt.Errorf("--rate: want 1 or more requests a second, got %d", options.Rate)
			}
			for _, text := range requests {
				request, err := rehearsal.ParseRequest(text)
				if err != nil {
					return err
				}
				options.Requests = append(options.Requests, request)
			}
			var err error
			if site.App, err = absolute(site.App); err != nil {
				return err
			}
			if site.Folder, err = absolute(f.run); err != nil {
				return err
			}
			root, err := sandbox.FindRoot(f.root)
			if err != nil {
				return err
			}
			if err := os.Chdir(root); err != nil { // the program reads environment.yaml there
				return err
			}
			if site.Folder == "" {
				site.Folder = filepath.Join(root, ".sandbox", "rehearsals", fmt.Sprintf("%s-%d", time.Now().Format("0102-150405"), os.Getpid()))
			}
			site.Sandbox = sandbox.Options{Root: root, Stack: stack, Program: sandbox.Platform(), Progress: cmd.ErrOrStderr()}
			return f.perform(cmd, site, options)
		},
	}
	cmd.Flags().StringVar(&site.App, "app-from", "", "folder of the application to rehearse (default: the reference application)")
	cmd.Flags().BoolVar(&check, "check", false, "only say what this computer lacks for machines, and exit with 1 if that is anything")
	cmd.Flags().StringVar(&stack, "stack", "rehearsal", "the stack, with a fleet of at least two: Pulumi.<stack>.yaml")
	cmd.Flags().IntVar(&options.Rate, "rate", rehearsal.DefaultRate, "requests a second")
	cmd.Flags().StringArrayVar(&requests, "request", nil, "what visitors ask for, as in 'GET /path 200'; may be repeated (default: all of the reference application, else GET / with any status below 500)")
	cmd.Flags().Float64Var(&site.Pace, "pace", sandbox.DefaultPace, "multiplies the load balancer's health check intervals and delays; 1 is as on AWS")
	return f.jsonFlag(cmd)
}

func (f *flags) perform(cmd *cobra.Command, site rehearsal.Site, options rehearsal.Options) error {
	stage, versions, err := rehearsal.Open(cmd.Context(), site)
	if err != nil {
		return err
	}
	options.Stage, options.Versions, options.Folder, options.Progress = stage, versions, site.Folder, cmd.ErrOrStderr()
	report, err := rehearsal.Perform(cmd.Context(), options)
	if report.Recording == "" { // it did not begin
		return err
	}
	if errors.Is(err, context.Canceled) {
		return exitCode{exitInterrupted, "interrupted; what ran has ended, and the recording so far is " + report.Recording}
	}
	if printed := f.print(cmd, report); printed != nil || err != nil {
		return errors.Join(err, printed)
	}
	if !report.Passed {
		return exitCode{code: exitFailed}
	}
	return nil
}
