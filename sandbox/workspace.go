package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// workspaceFolder is where the engine runs: copies of the project's and the
// stack's file, so that whatever Pulumi writes stays out of the checkout.
const workspaceFolder = "workspace"

// copied is the stack's file in the workspace.
func (s *Sandbox) copied() string {
	return s.path(workspaceFolder, "Pulumi."+s.Stack+".yaml")
}

// copyConfiguration brings the workspace up to date with the checkout. file is
// the stack's file there.
func (s *Sandbox) copyConfiguration(ctx context.Context, file string) error {
	if err := os.MkdirAll(s.path(workspaceFolder), 0o700); err != nil {
		return err
	}
	project, err := s.copyProject()
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("%s: %w; a stack needs a configuration", filepath.Base(file), err)
	}
	stack, err := workspace.LoadProjectStack(nil, project, file)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	own, err := s.reencrypt(ctx, stack)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return s.saveStack(own)
}

// copyProject writes the workspace's Pulumi.yaml, with the paths of plugins made
// absolute: they are relative to the checkout's.
func (s *Sandbox) copyProject() (*workspace.Project, error) {
	project, err := workspace.LoadProject(s.projectFile())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.projectFile(), err)
	}
	if project.Plugins != nil {
		for at, plugin := range project.Plugins.Providers {
			if !filepath.IsAbs(plugin.Path) {
				project.Plugins.Providers[at].Path = filepath.Join(filepath.Dir(s.projectFile()), plugin.Path)
			}
		}
	}
	beside := s.path(workspaceFolder, fmt.Sprintf("project.%d.yaml", os.Getpid()))
	if err := project.Save(beside); err != nil {
		return nil, err
	}
	return project, errors.Join(os.Chmod(beside, 0o600), os.Rename(beside, s.path(workspaceFolder, "Pulumi.yaml")))
}

// reencrypt makes a stack's configuration usable without its key. Values that
// are encrypted for the real stack become secrets of this sandbox with a
// placeholder for a value, in the same places: a pull request from a fork can be
// previewed by somebody who may not read them.
func (s *Sandbox) reencrypt(ctx context.Context, stack *workspace.ProjectStack) (*workspace.ProjectStack, error) {
	salt, err := s.salt(ctx)
	if err != nil {
		return nil, err
	}
	own := &workspace.ProjectStack{EncryptionSalt: salt, Config: stack.Config}
	if !stack.Config.HasSecureValue() {
		return own, nil
	}
	crypter, err := s.crypter(salt)
	if err != nil {
		return nil, err
	}
	own.Config, err = stack.Config.Copy(config.NewBlindingDecrypter(), crypter)
	return own, err
}

// saveStack writes the stack's file at once.
func (s *Sandbox) saveStack(stack *workspace.ProjectStack) error {
	beside := s.path(workspaceFolder, fmt.Sprintf("new.%d.yaml", os.Getpid()))
	if err := stack.Save(beside); err != nil {
		return err
	}
	return errors.Join(os.Chmod(beside, 0o600), os.Rename(beside, s.copied()))
}
