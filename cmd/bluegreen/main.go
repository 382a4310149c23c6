// Command bluegreen is the operator's tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"bluegreen/internal/terminal"

	"github.com/spf13/cobra"
)

// exitCode is an outcome that a script wants to tell from a failure. Its text is
// for people; an empty one says nothing more.
type exitCode struct {
	code int
	text string
}

func (e exitCode) Error() string { return e.text }

func main() {
	terminal.Restore()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// newRoot is the whole command line.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "bluegreen",
		Short:         "Operate a web site on plain EC2 with zero-downtime releases",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(sandboxCommand(), releaseCommand(), costCommand(), githubCommand(), doctorCommand(), versionCommand(), languageHost())
	return root
}

// run carries out a command line and returns the exit code.
func run(ctx context.Context, arguments []string, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(arguments)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code := exitCode{code: 1, text: err.Error()}
	errors.As(err, &code)
	if code.text != "" {
		fmt.Fprintln(errs, "bluegreen:", code.text)
	}
	return code.code
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("built without module information")
			}
			revision := ""
			for _, setting := range info.Settings {
				if setting.Key == "vcs.revision" {
					revision = " " + setting.Value
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "bluegreen %s%s %s\n", info.Main.Version, revision, info.GoVersion)
			return nil
		},
	}
}
