package main

import (
	"context"
	"strings"

	"bluegreen/internal/release"
	"bluegreen/sandbox"
	"bluegreen/sandbox/codedeploy"

	"github.com/spf13/cobra"
)

const sandboxReleaseHelp = `Release to the running sandbox, with the code of bluegreen release.

The emulated CodeDeploy really copies and deletes Auto Scaling groups there; what
happens on instances is simulated. Without --commit, the working tree is released
as it is. --fail orders what goes wrong:

  bluegreen sandbox release --fail ValidateService
  bluegreen sandbox release --fail AfterInstall@first     on one instance only
  bluegreen sandbox release --fail GROUP/Install          in this deployment group

No site answers in the sandbox of itself: --once-over-http needs the --site-url
of one on loopback, which is asked for the host name that the stack gives it.

Exit codes are those of bluegreen release.`

func (f *flags) release() *cobra.Command {
	r := &releaseFlags{}
	var fail []string
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Release to the sandbox, and rehearse failures",
		Long:  sandboxReleaseHelp,
		Args:  r.arguments,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			if r.options.Source.Commit == "" {
				r.options.Source.AllowDirty = true
			}
			r.asked("")
			return s.Release(cmd.Context(), sandbox.Release{Options: r.options, Failures: failures(fail)}, func(ctx context.Context, options release.Options) error {
				r.options = options
				return r.perform(ctx, cmd, arguments)
			})
		},
	}
	r.manners(cmd)
	cmd.Flags().StringSliceVar(&fail, "fail", nil, "lifecycle event to fail, on all instances or on EVENT@INSTANCE, in the first deployment or that of GROUP/EVENT; may be repeated")
	return cmd
}

// failures reads EVENT or EVENT@INSTANCE, both with GROUP/ before or without.
func failures(ordered []string) (all []codedeploy.Failure) {
	for _, one := range ordered {
		group, of, found := strings.Cut(one, "/")
		if !found {
			group, of = "", one
		}
		event, instance, _ := strings.Cut(of, "@")
		all = append(all, codedeploy.Failure{Event: event, Instance: instance, DeploymentGroup: group, Log: "a failure that was ordered with --fail"})
	}
	return all
}
