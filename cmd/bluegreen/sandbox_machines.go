package main

import (
	"errors"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

func (f *flags) machines() *cobra.Command {
	group := f.jsonFlag(&cobra.Command{
		Use:   "machines",
		Short: "Show the machines of a sandbox that has some, and end them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			list, err := s.MachineList(cmd.Context())
			if err != nil {
				return err
			}
			return f.print(cmd, list)
		},
	})
	group.AddCommand(
		f.end("kill", "Take a machine's power away; Auto Scaling replaces the instance"),
		f.end("interrupt", "Announce to a machine that it ends, as EC2 does to a spot instance; it is drained and replaced"),
	)
	return group
}

func (f *flags) end(how, short string) *cobra.Command {
	return &cobra.Command{
		Use:   how + " INSTANCE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			return s.End(cmd.Context(), how, arguments[0])
		},
	}
}

const shellHelp = `A shell in an instance's machine as root, or one command there. It exits with the
command's code. The machine "data" has the database and the cache.

  bluegreen sandbox shell i-0123456789abcdef0
  bluegreen sandbox shell i-0123456789abcdef0 journalctl --unit nginx
  bluegreen sandbox shell i-0123456789abcdef0 /srv/example/current/scripts/shell`

func (f *flags) shell() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell INSTANCE [COMMAND...]",
		Short: "A shell, or one command, in an instance's machine",
		Long:  shellHelp,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			inside, err := s.Shell(cmd.Context(), arguments[0], arguments[1:]...)
			if err != nil {
				return err
			}
			inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, cmd.OutOrStdout(), cmd.ErrOrStderr()
			err = inside.Run()
			if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.ExitCode() > 0 {
				return exitCode{code: ended.ExitCode()}
			}
			return err
		},
	}
	cmd.Flags().SetInterspersed(false) // flags after the instance are the command's
	return cmd
}
