// Package appspec is what an application specification file says: appspec.yml of
// a bundle, for Linux servers. `bluegreen release` checks one before it is
// deployed, and the sandbox's agent does what one says.
package appspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Name is where a bundle has its application specification (CodeDeploy User
// Guide, "CodeDeploy AppSpec File reference").
const Name = "appspec.yml"

// MaxEventTime is how long the scripts of one lifecycle event may take together,
// in seconds, and a script that names no timeout (CodeDeploy User Guide, "AppSpec
// 'hooks' section").
const MaxEventTime = 3600

// HookEvents are the lifecycle events that take scripts, and OwnEvents those that
// are CodeDeploy's own (CodeDeploy User Guide, "AppSpec 'hooks' section").
var (
	HookEvents = []string{
		"ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService",
		"BeforeAllowTraffic", "AfterAllowTraffic", "BeforeBlockTraffic", "AfterBlockTraffic",
	}
	OwnEvents = []string{"DownloadBundle", "Install", "AllowTraffic", "BlockTraffic"}
)

// Spec is appspec.yml (CodeDeploy User Guide, "AppSpec File structure").
type Spec struct {
	Version            string              `yaml:"version"`
	OS                 string              `yaml:"os"`
	Files              []File              `yaml:"files"`
	FileExistsBehavior string              `yaml:"file_exists_behavior"` // empty: as the deployment says
	Permissions        []Permission        `yaml:"permissions"`
	Hooks              map[string][]Script `yaml:"hooks"` // by lifecycle event
}

// File is what Install copies.
type File struct {
	Source      string `yaml:"source"`      // in the bundle; a folder's contents are copied, not itself
	Destination string `yaml:"destination"` // the folder to copy to
}

// Permission is what Install gives to files and folders that it made.
type Permission struct {
	Object  string            `yaml:"object"`  // a file, or a folder in which they are
	Pattern string            `yaml:"pattern"` // which of a folder; empty and ** are all
	Except  []string          `yaml:"except"`  // patterns of those that are left out
	Owner   string            `yaml:"owner"`
	Group   string            `yaml:"group"`
	Mode    Mode              `yaml:"mode"`
	ACLs    []string          `yaml:"acls"`
	Context map[string]string `yaml:"context"` // of SELinux
	Type    []string          `yaml:"type"`    // file, directory; empty is both
}

// Script is a hook.
type Script struct {
	Location string `yaml:"location"` // in the bundle
	Timeout  *int   `yaml:"timeout"`  // seconds; nil is MaxEventTime
	RunAs    string `yaml:"runas"`    // a user; empty is the agent's, root
	Sudo     bool   `yaml:"sudo"`
}

// Seconds is how long a script may take.
func (s Script) Seconds() int {
	if s.Timeout == nil {
		return MaxEventTime
	}
	return *s.Timeout
}

// Mode is a file's mode as one to four octal digits; empty is none.
type Mode string

// UnmarshalYAML takes a number for its decimal digits, as AWS's agent does: YAML
// reads 0644 as an octal number, which is 420 then. 644 and "0644" are themselves.
func (m *Mode) UnmarshalYAML(node *yaml.Node) error {
	*m = Mode(node.Value)
	if node.ShortTag() == "!!int" && strings.HasPrefix(node.Value, "0") {
		number, err := strconv.ParseInt(node.Value, 0, 64)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		*m = Mode(strconv.FormatInt(number, 10))
	}
	return nil
}

// Bits is the mode as a number. Errors: it has other characters than octal
// digits, or more than four.
func (m Mode) Bits() (uint32, error) {
	bits, err := strconv.ParseUint(string(m), 8, 12)
	if err != nil || len(m) > 4 {
		return 0, fmt.Errorf("want one to four octal digits, got %q", string(m))
	}
	return uint32(bits), nil
}

// Read reads an application specification as CodeDeploy's agent does, which
// passes over keys that it does not know.
func Read(content []byte) (Spec, error) { return read(content, false) }

// ReadStrictly refuses unknown keys.
func ReadStrictly(content []byte) (Spec, error) { return read(content, true) }

func read(content []byte, strictly bool) (spec Spec, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(strictly)
	if err := decoder.Decode(&spec); err != nil && !errors.Is(err, io.EOF) {
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			err = errors.New(strings.Join(wrong.Errors, "; "))
		}
		return Spec{}, err
	}
	return spec, nil
}

// Problems is all for which the agent refuses an application specification.
func (s Spec) Problems() (errs []error) {
	wrong := func(format string, arguments ...any) { errs = append(errs, fmt.Errorf(format, arguments...)) }
	if s.Version != "0.0" {
		wrong("version: want 0.0, got %q", s.Version)
	}
	if s.OS != "linux" {
		wrong("os: want linux, got %q", s.OS)
	}
	if behaviours := []string{"", "DISALLOW", "OVERWRITE", "RETAIN"}; !slices.Contains(behaviours, s.FileExistsBehavior) {
		wrong("file_exists_behavior: want DISALLOW, OVERWRITE or RETAIN, got %q", s.FileExistsBehavior)
	}
	for i, file := range s.Files {
		if file.Source == "" {
			wrong("files[%d].source: want a file or folder of the bundle", i)
		}
		if file.Destination == "" {
			wrong("files[%d].destination: want an absolute path, got %q", i, file.Destination)
		}
	}
	for i, p := range s.Permissions {
		if strings.TrimSpace(p.Object) == "" {
			wrong("permissions[%d].object: want a file or folder on the instance", i)
		}
		for _, kind := range p.Type {
			if kind != "file" && kind != "directory" {
				wrong("permissions[%d].type: want file or directory, got %q", i, kind)
			}
		}
		if _, err := p.Mode.Bits(); p.Mode != "" && err != nil {
			wrong("permissions[%d].mode: %w", i, err)
		}
	}
	for _, event := range slices.Sorted(maps.Keys(s.Hooks)) {
		for i, script := range s.Hooks[event] {
			if strings.TrimSpace(script.Location) == "" {
				wrong("hooks.%s[%d].location: want a script of the bundle", event, i)
			}
			if script.Seconds() < 1 {
				wrong("hooks.%s[%d].timeout: want seconds, 1 or more, got %d", event, i, script.Seconds())
			}
		}
	}
	return errs
}
