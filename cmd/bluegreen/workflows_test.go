package main

import (
	"fmt"
	"strings"
	"testing"

	"bluegreen/internal/workflows"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// knownCommand tells whether there is such a command, with such flags.
func knownCommand(words []string) error {
	root := newRoot()
	found, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if found == root || found.HasSubCommands() && found.RunE == nil {
		return fmt.Errorf("bluegreen has no command %q", strings.Join(words, " "))
	}
	if err := found.ParseFlags(rest); err != nil {
		return err
	}
	return errorsOf(found)
}

// errorsOf are those that cobra finds before it runs a command.
func errorsOf(found *cobra.Command) error {
	if err := found.ValidateRequiredFlags(); err != nil {
		return err
	}
	if err := found.ValidateFlagGroups(); err != nil {
		return err
	}
	return found.ValidateArgs(found.Flags().Args())
}

// What workflows run is there: the rules of internal/workflows, with the commands
// of this program.
func TestCommandsOfWorkflows(t *testing.T) {
	all, err := workflows.Load(checkoutRoot)
	require.NoError(t, err)
	facts, err := workflows.ReadFacts(checkoutRoot, knownCommand)
	require.NoError(t, err)
	assert.NoError(t, workflows.Check(all, facts))
}

func TestUnknownCommandsOfWorkflows(t *testing.T) {
	for line, want := range map[string]string{
		"releaze":                             `unknown command "releaze"`,
		"sandbox preveiw":                     `unknown`,
		"release --sumary x":                  "unknown flag: --sumary",
		"release --resume a --stop":           "none of the others can be",
		"sandbox preview --digest":            "flag needs an argument",
		"release bundle what":                 "unknown command",
		"release --summary page --github a/b": "",
	} {
		err := knownCommand(strings.Fields(line))
		if want == "" {
			assert.NoError(t, err, line)
			continue
		}
		assert.ErrorContains(t, err, want, line)
	}
}
