// Package stack reads a Pulumi stack through the engine's command line, pulumi:
// a stack of any backend, and in the shell of bluegreen sandbox env the running
// sandbox's. What it reads stays in memory: secrets are neither written to disk
// nor in any argument or variable of a process.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"bluegreen/sandbox/parts"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Output is one output of a stack.
type Output struct {
	Value  any  // as in JSON: text, float64, bool, []any, map[string]any or nil
	Secret bool // it is secret, or something inside of it is
}

// Outputs are the outputs of a stack, secrets included.
//
// Errors: exec.ErrNotFound when there is no pulumi; what pulumi says, as when
// the stack does not exist or its passphrase is not known.
func Outputs(ctx context.Context, name string) (map[string]Output, error) {
	var shown map[string]any
	if err := ask(ctx, name, &shown, "output", "--json", "--show-secrets"); err != nil {
		return nil, err
	}
	state, err := export(ctx, name)
	if err != nil {
		return nil, err
	}
	inState := map[string]any{}
	for _, resource := range state.Deployment.Resources {
		if resource.Type == stackType {
			inState = resource.Outputs
		}
	}
	outputs := make(map[string]Output, len(shown))
	for key, value := range shown {
		kept, known := inState[key]
		// One that came into the state between the two questions is taken for secret.
		outputs[key] = Output{Value: value, Secret: !known || hasSecret(kept)}
	}
	return outputs, nil
}

// Masked are the outputs of a stack with the text of Mask in place of secrets,
// for who needs none of them. Errors: those of Outputs.
func Masked(ctx context.Context, name string) (outputs map[string]any, err error) {
	return outputs, ask(ctx, name, &outputs, "output", "--json")
}

// ask runs one command of pulumi stack in the working folder and decodes what it
// prints.
func ask(ctx context.Context, name string, into any, arguments ...string) error {
	binary, err := find(ctx)
	if err != nil {
		return fmt.Errorf("stack %s: pulumi is not installed: %w; install it, or run bluegreen sandbox up, which builds one", name, err)
	}
	question := "pulumi stack " + arguments[0]
	arguments = append(append([]string{"stack"}, arguments...), "--stack", name)
	command := exec.CommandContext(ctx, binary, arguments...) // #nosec G204 -- the operator's own argument
	command.Env = append(environment(), "PULUMI_SKIP_UPDATE_CHECK=true")
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("stack %s: %s: %w: %s", name, question, err, strings.TrimSpace(errs.String()))
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("stack %s: %s: %w", name, question, err)
	}
	return nil
}

// find is the Pulumi CLI for the project that the working folder is in.
func find(ctx context.Context) (string, error) {
	root := ""
	project, err := workspace.DetectProjectPath()
	switch {
	case err == nil:
		root = filepath.Dir(project)
	case !errors.Is(err, workspace.ErrProjectNotFound):
		return "", err
	}
	return parts.FindPulumi(ctx, root)
}

// tokens are variables of GitHub's command line and of Actions, which Pulumi has
// no need of to read a stack.
var tokens = []string{"GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}

// environment is that of this process without tokens.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(tokens, name)
	})
}
