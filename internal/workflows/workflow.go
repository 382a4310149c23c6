// Package workflows reads the GitHub Actions workflows of a checkout, holds them
// against the rules that keep credentials apart, and runs their jobs here: the
// lines under run, in order, with the conditions, the environment and the files
// that a runner gives them. It is for tests; what an action of somebody else does
// is the caller's to prepare.
package workflows

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// Folder is where GitHub looks for workflows, in a checkout.
const Folder = ".github/workflows"

// Workflow is one file of Folder.
type Workflow struct {
	File        string         `yaml:"-"` // "release.yml"
	Name        string         `yaml:"name"`
	On          map[string]any `yaml:"on"`
	Permissions *Permissions   `yaml:"permissions"`
	Concurrency *Concurrency   `yaml:"concurrency"`
	Jobs        map[string]Job `yaml:"jobs"`
}

// Permissions are what a job's token may do: "read" or "write", by scope.
type Permissions map[string]string

// Concurrency is which runs take turns.
type Concurrency struct {
	Group            string `yaml:"group"`
	CancelInProgress *bool  `yaml:"cancel-in-progress"`
	Queue            string `yaml:"queue"`
}

// Job is one job of a workflow.
type Job struct {
	If          string            `yaml:"if"`
	Needs       OneOrMore         `yaml:"needs"`
	Uses        string            `yaml:"uses"` // a workflow of this repository
	Secrets     any               `yaml:"secrets,omitempty"`
	Permissions *Permissions      `yaml:"permissions"`
	Environment string            `yaml:"environment"`
	Concurrency *Concurrency      `yaml:"concurrency"`
	Outputs     map[string]string `yaml:"outputs"`
	Strategy    Strategy          `yaml:"strategy"`
	Env         map[string]string `yaml:"env"`
	Steps       []Step            `yaml:"steps"`
}

// Strategy is how a job is made into several.
type Strategy struct {
	FailFast    *bool          `yaml:"fail-fast"`
	MaxParallel int            `yaml:"max-parallel"`
	Matrix      map[string]any `yaml:"matrix"`
}

// Step is one step of a job, or of an action of this repository.
type Step struct {
	ID      string            `yaml:"id"`
	If      string            `yaml:"if"`
	Uses    string            `yaml:"uses"`
	Comment string            `yaml:"-"` // behind Uses
	With    map[string]string `yaml:"with"`
	Run     string            `yaml:"run"`
	Env     map[string]string `yaml:"env"`
}

// UnmarshalYAML keeps the comment behind uses, which names the version.
func (s *Step) UnmarshalYAML(node *yaml.Node) error {
	type plain Step
	if err := node.Decode((*plain)(s)); err != nil {
		return err
	}
	for at := 0; at+1 < len(node.Content); at += 2 {
		if node.Content[at].Value == "uses" {
			s.Comment = node.Content[at+1].LineComment
		}
	}
	return nil
}

// OneOrMore is text, or a list of it.
type OneOrMore []string

// UnmarshalYAML reads either.
func (o *OneOrMore) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*o = OneOrMore{node.Value}
		return nil
	}
	return node.Decode((*[]string)(o))
}

// action is an action of this repository.
type action struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []Step `yaml:"steps"`
	} `yaml:"runs"`
}

// Parse reads one workflow.
func Parse(file string, text []byte) (Workflow, error) {
	workflow := Workflow{File: file}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		return Workflow{}, fmt.Errorf("%s: %w", file, err)
	}
	return workflow, nil
}

// Load reads all workflows of a checkout, by their files.
func Load(root string) (map[string]Workflow, error) {
	files, err := filepath.Glob(filepath.Join(root, Folder, "*.yml"))
	if err != nil {
		return nil, err
	}
	all := map[string]Workflow{}
	for _, file := range files {
		text, err := os.ReadFile(file) // #nosec G304 -- a file of the checkout
		if err != nil {
			return nil, err
		}
		name := filepath.Base(file)
		if all[name], err = Parse(name, text); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no workflow", filepath.Join(root, Folder))
	}
	return all, nil
}

// loadAction reads the action that a step uses from the checkout.
func loadAction(root, uses string) (action, error) {
	var read action
	file := filepath.Join(root, uses, "action.yml")
	text, err := os.ReadFile(file) // #nosec G304 -- a file of the checkout
	if err != nil {
		return action{}, err
	}
	if err := yaml.Unmarshal(text, &read); err != nil {
		return action{}, fmt.Errorf("%s: %w", file, err)
	}
	if read.Runs.Using != "composite" {
		return action{}, fmt.Errorf("%s: want runs.using composite, got %q", file, read.Runs.Using)
	}
	return read, nil
}

// Triggers are the events that start a workflow.
func (w Workflow) Triggers() []string { return slices.Sorted(maps.Keys(w.On)) }

// steps are those of a job, with those of this repository's actions in the place
// of their use.
func (j Job) steps(root string) (all []Step, err error) {
	for _, step := range j.Steps {
		all = append(all, step)
		if isLocal(step.Uses) {
			used, err := loadAction(root, step.Uses)
			if err != nil {
				return nil, err
			}
			all = append(all, used.Runs.Steps...)
		}
	}
	return all, nil
}

func isLocal(uses string) bool { return len(uses) > 2 && uses[:2] == "./" }
