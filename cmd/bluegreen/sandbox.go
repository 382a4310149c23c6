package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"bluegreen/sandbox"

	"github.com/spf13/cobra"
)

// Exit codes beside 0 for success and 1 for failure.
const (
	exitChanges    = 2 // preview --expect-no-changes found changes
	exitNotRunning = 3 // status: no sandbox, as systemctl status has it
)

// flags are those that every sandbox command has.
type flags struct {
	root string
	run  string
	json bool
	port int

	digest     io.Writer
	machinesOn bool
	sitePort   int
	pace       float64
}

func sandboxCommand() *cobra.Command {
	f := &flags{}
	group := &cobra.Command{
		Use:   "sandbox",
		Short: "The whole platform on an emulated AWS, without an account",
		Long: `The whole platform on an emulated AWS, without an account.

The same program, the real Pulumi engine and the real AWS provider, against
emulated AWS APIs on loopback. Everything lands under .sandbox in the checkout.`,
		Args: cobra.NoArgs, // an unknown command is a mistake, not a call for help
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.PersistentFlags().StringVar(&f.root, "root", "", "the checkout (default: the one that the working folder is in)")
	group.PersistentFlags().StringVar(&f.run, "run", "", "folder of the running sandbox (default: .sandbox/run in the checkout)")
	group.AddCommand(f.up(), f.preview(), f.release(), f.status(), f.destroy(), f.env(), f.machines(), f.shell(), f.rehearse(), serve())
	return group
}

// open finds the checkout and goes there: the program reads environment.yaml in
// the working folder.
func (f *flags) open(cmd *cobra.Command) (*sandbox.Sandbox, error) {
	run, err := absolute(f.run)
	if err != nil {
		return nil, err
	}
	root, err := sandbox.FindRoot(f.root)
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(root); err != nil {
		return nil, err
	}
	return sandbox.New(sandbox.Options{
		Root: root, Folder: run, Port: f.port, Program: sandbox.Platform(), Progress: cmd.ErrOrStderr(),
		Digest: f.digest, Machines: f.machinesOn, SitePort: f.sitePort, Pace: f.pace,
	})
}

// absolute makes a path of the command line independent of the working folder.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// result is what commands print: a report for people, JSON for programs.
type result interface{ Report(out io.Writer) }

func (f *flags) print(cmd *cobra.Command, r result) error {
	if !f.json {
		r.Report(cmd.OutOrStdout())
		return nil
	}
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

func (f *flags) jsonFlag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

func (f *flags) up() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Create or update the sandbox, and leave it running",
		Long: `Create or update the sandbox, and leave it running.

The first time, missing parts are built or downloaded, which takes minutes.

With --machines, each instance is a machine that boots, with systemd and all, a
load balancer sends visitors to them, and releases run their scripts there. That
needs root, systemd-nspawn, debootstrap and HAProxy.
` + pluginsHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			summary, err := s.Up(cmd.Context())
			if err != nil {
				return err
			}
			return f.print(cmd, summary)
		},
	}
	cmd.Flags().IntVar(&f.port, "port", 0, "loopback port of the emulated AWS (default: any free one)")
	cmd.Flags().BoolVar(&f.machinesOn, "machines", false, "boot a machine for each instance, with a load balancer before them")
	cmd.Flags().IntVar(&f.sitePort, "site-port", 0, "loopback port of the load balancer (default: any free one)")
	cmd.Flags().Float64Var(&f.pace, "pace", sandbox.DefaultPace, "multiplies the load balancer's health check intervals and delays; 1 is as on AWS")
	return f.jsonFlag(cmd)
}

const pluginsHelp = `BLUEGREEN_SANDBOX_PLUGINS says where provider plugins come from: auto (the
default: official ones that are installed or can be downloaded, else built),
build, or official. Only a built AWS plugin does without the settle times of
real AWS: with the official one, up and destroy take minutes.`

func (f *flags) preview() *cobra.Command {
	var expectNone, refresh bool // refresh counts when it is given
	var file, digest string
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show what up would change, or preview another stack's file offline",
		Long: `Show what up would change in the running sandbox.

With --stack-file Pulumi.prod.yaml, preview the real configuration of that stack
against an empty emulated AWS instead: offline, without an account, without the
keys of its secrets, and beside a running sandbox or none.

With --digest FILE, also write what "pulumi preview --json --show-sames" prints:
every resource, with secrets concealed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := absolute(file)
			if err != nil {
				return err
			}
			asked := sandbox.RefreshAsConfigured
			if cmd.Flags().Changed("refresh") {
				asked = sandbox.Refresh(strconv.FormatBool(refresh))
			}
			changes, err := f.previewed(cmd, file, digest, asked)
			if err != nil {
				return err
			}
			if err := f.print(cmd, changes); err != nil {
				return err
			}
			if expectNone && changes.Any() {
				return exitCode{exitChanges, fmt.Sprintf("preview: expected no changes, found %d", len(changes.Steps))}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&expectNone, "expect-no-changes", false, "exit with 2 when anything would change")
	cmd.Flags().BoolVar(&refresh, "refresh", false, "read what exists first, or with --refresh=false do not (default: as Pulumi.yaml says)")
	cmd.Flags().StringVar(&file, "stack-file", "", "preview this stack's configuration offline")
	cmd.Flags().StringVar(&digest, "digest", "", "write the preview's digest to this file")
	cmd.MarkFlagsMutuallyExclusive("stack-file", "refresh")
	return f.jsonFlag(cmd)
}

// previewed runs the preview, of a stack's file where one is named, and writes
// its digest to a file where one is named.
func (f *flags) previewed(cmd *cobra.Command, file, digest string, refresh sandbox.Refresh) (changes sandbox.Changes, err error) {
	digest, err = absolute(digest)
	if err != nil {
		return sandbox.Changes{}, err
	}
	var written bytes.Buffer
	if digest != "" {
		f.digest = &written
	}
	s, err := f.open(cmd)
	if err != nil {
		return sandbox.Changes{}, err
	}
	if file != "" {
		changes, err = s.PreviewFile(cmd.Context(), file)
	} else {
		changes, err = s.Preview(cmd.Context(), refresh)
	}
	if err != nil || digest == "" {
		return changes, err
	}
	return changes, os.WriteFile(digest, written.Bytes(), 0o600)
}

func (f *flags) status() *cobra.Command {
	return f.jsonFlag(&cobra.Command{
		Use:   "status",
		Short: "Show the running sandbox; exits with 3 when there is none",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			status, err := s.Status(cmd.Context())
			if err != nil {
				return err
			}
			if err := f.print(cmd, status); err != nil {
				return err
			}
			if !status.Running {
				return exitCode{code: exitNotRunning}
			}
			return nil
		},
	})
}

func (f *flags) destroy() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Delete everything through Pulumi, then stop the sandbox",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			destroyed, err := s.Destroy(cmd.Context(), force)
			if err != nil {
				return err
			}
			return f.print(cmd, destroyed)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "stop the emulated AWS without deleting anything in it first")
	return f.jsonFlag(cmd)
}

func (f *flags) env() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell code that makes a shell work on the sandbox",
		Long: `Print shell code, for sh, bash and zsh, that makes a shell work on the sandbox:

  eval "$(bin/bluegreen sandbox env)"

The AWS CLI and boto3 then talk to the emulated AWS, and pulumi works on the
sandbox's stack in the checkout. pulumi reads a copy of the stack's
configuration, so that it writes nothing into the checkout: edit the stack's file
itself, then run bluegreen sandbox up or preview, or this command again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			text, err := s.Environment(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
}

func serve() *cobra.Command {
	return &cobra.Command{
		Use:    "serve FOLDER",
		Short:  "Run the emulated AWS of a folder that up has prepared",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return sandbox.Serve(cmd.Context(), arguments[0])
		},
	}
}
