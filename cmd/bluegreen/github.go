package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bluegreen/internal/github"
	"bluegreen/stacks"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/spf13/cobra"
)

const githubHelp = `Set GitHub up for a stack, and tell it about previews.

The token is taken from GH_TOKEN or GITHUB_TOKEN, on GitHub Enterprise Server from
GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN, else from gh auth token. It is kept
nowhere and handed to no other program. The server is --host, else that of
GITHUB_API_URL, which Actions sets, else GH_HOST, else github.com.

The repository is --repository, else GITHUB_REPOSITORY, which Actions sets, else
access.github.repository of the stack's configuration, else where the checkout was
cloned from.

Limits of GitHub's are waited for, 15 minutes in all at most. What fails without
having been done is tried again.`

// githubFlags are those of all commands that talk to GitHub.
type githubFlags struct {
	stack      string
	repository string
	host       string
	yes        bool
	json       bool
}

func githubCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "github",
		Short: "Set GitHub up for a stack, and tell it about previews",
		Long:  githubHelp,
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(githubSetupCommand(), githubSecretsCommand(), githubCommentCommand(), githubDriftCommand())
	return cmd
}

func (f *githubFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.stack, "stack", "", "Pulumi stack (required)")
	flags.StringVar(&f.repository, "repository", "", "owner/name (default: see bluegreen github --help)")
	flags.StringVar(&f.host, "host", "", "host of a GitHub Enterprise (default: see bluegreen github --help)")
	_ = cmd.MarkFlagRequired("stack") // fails for a flag that does not exist
}

func (f *githubFlags) confirmable(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do it without asking")
}

// name is the stack's name without organization and project.
func (f *githubFlags) name() string { return path.Base(f.stack) }

// configuration is what the stack's file says, as far as it can be read: another
// command is there to find mistakes in it.
func (f *githubFlags) configuration() stacks.Settings {
	project, err := workspace.DetectProjectPath()
	if err != nil {
		return stacks.Settings{}
	}
	root := filepath.Dir(project)
	config, err := stacks.ReadConfig(project, filepath.Join(root, "Pulumi."+f.name()+".yaml"))
	if err != nil {
		return stacks.Settings{}
	}
	settings, _, _ := stacks.Load(root, config, f.name())
	return settings
}

// options find out which repository of which GitHub is meant, without its token.
func (f *githubFlags) options(cmd *cobra.Command) (github.Options, error) {
	address, err := github.FindAPI(f.host, os.Getenv)
	if err != nil {
		return github.Options{}, err
	}
	repository, err := f.findRepository(cmd.Context(), address)
	return github.Options{Repository: repository, API: address, Progress: cmd.ErrOrStderr()}, err
}

// client opens the repository with the token.
func (f *githubFlags) client(cmd *cobra.Command) (*github.Client, error) {
	options, err := f.options(cmd)
	if err != nil {
		return nil, err
	}
	if options.Token, err = github.FindToken(cmd.Context(), options.API, os.Getenv); err != nil {
		return nil, err
	}
	return github.Open(options)
}

func (f *githubFlags) findRepository(ctx context.Context, address *url.URL) (string, error) {
	if given := cmp.Or(f.repository, os.Getenv("GITHUB_REPOSITORY")); given != "" {
		return given, nil
	}
	found := cmp.Or(f.configuration().Access.GitHub.Repository, github.FindRepository(ctx, address, "."))
	if found == "" {
		return "", errors.New("repository: not known; set access.github.repository of the stack, or give --repository owner/name")
	}
	return found, nil
}

// environment is the GitHub environment of the stack's jobs.
func (f *githubFlags) environment() string {
	return cmp.Or(f.configuration().Access.GitHub.Environment, f.name())
}

// errUnconfirmed is for whoever cannot be asked.
var errUnconfirmed = errors.New("nothing was done: there is no terminal to ask on; --yes goes on without asking")

// confirm asks on the terminal, unless --yes was given.
func (f *githubFlags) confirm(cmd *cobra.Command, question string) (bool, error) {
	if f.yes {
		return true, nil
	}
	in := cmd.InOrStdin()
	if !isTerminal(in) {
		return false, errUnconfirmed
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("nothing was done: %w", err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
