package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bluegreen/internal/github"
	"bluegreen/internal/release"
	"bluegreen/internal/stack"
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

// tableRows are those of a table of a page, by the first cell without its marks.
func tableRows(t *testing.T, page, head string) map[string][]string {
	t.Helper()
	_, after, found := strings.Cut(page, head)
	require.True(t, found, head)
	all := map[string][]string{}
	for line := range strings.Lines(after) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for at := range cells {
			cells[at] = strings.TrimSpace(cells[at])
		}
		if name := strings.Trim(cells[0], "`"); !strings.HasPrefix(name, "---") {
			all[name] = cells
		}
	}
	return all
}

func githubPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkoutRoot, "docs", "github.md"))
	require.NoError(t, err)
	return string(text)
}

var (
	readName     = regexp.MustCompile(`\b(vars|secrets)\.([A-Z][A-Z0-9_]*)`)
	exportedName = regexp.MustCompile(`"([A-Z][A-Z0-9_]+)"\s*(?:\]|:)`)
)

// The page's list has every name that workflows read or that a stack has for
// them, each as what it is.
func TestNamesOnThePageAboutGitHub(t *testing.T) {
	listed := tableRows(t, githubPage(t), "| name | kind | comes from | goes to |\n")
	wanted := map[string]bool{"GITHUB_TOKEN": true}
	files, err := filepath.Glob(filepath.Join(checkoutRoot, workflows.Folder, "*.yml"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range readName.FindAllStringSubmatch(string(text), -1) {
			wanted[found[2]] = true
			// The other way round where an older setup has a secret.
			if found[1] == "vars" && assert.Contains(t, listed, found[2], file) {
				assert.Equal(t, "variable", listed[found[2]][1], found[2])
			}
		}
	}
	source, err := os.ReadFile(filepath.Join(checkoutRoot, "stacks", "outputs.go"))
	require.NoError(t, err)
	outputs := map[string]stack.Output{
		release.BucketOutput: {Value: "a"}, release.RepositoryOutput: {Value: "a/b"}, release.CeleryOutput: {Value: []any{"a"}},
	}
	for _, found := range exportedName.FindAllStringSubmatch(string(source), -1) {
		outputs[found[1]] = stack.Output{Value: "a", Secret: found[1] == "AWS_SECRET_ACCESS_KEY" || found[1] == "CI_CD_DEPLOYMENT_AUTH_TOKEN"}
	}
	require.Greater(t, len(outputs), 10)
	values, err := github.Values(outputs, github.Choice{Stack: "prod"})
	require.NoError(t, err)
	for _, value := range values {
		if value.Level == github.Repository { // which the row of the environment's tells of
			assert.Contains(t, listed["AWS_PREVIEW_ROLE_ARN"][2], value.Name)
			continue
		}
		wanted[value.Name] = true
		if assert.Contains(t, listed, value.Name) {
			assert.Equal(t, string(value.Kind), listed[value.Name][1], value.Name)
			assert.Contains(t, listed[value.Name][2], "stack", value.Name)
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(wanted)), slices.Collect(maps.Keys(listed)))
}

// What the page says of roles is what infra/access gives them.
func TestRolesOnThePageAboutGitHub(t *testing.T) {
	facts, err := workflows.ReadFacts(checkoutRoot, knownCommand)
	require.NoError(t, err)
	listed := tableRows(t, githubPage(t), "| role | who may take it | may | in |\n")
	require.Len(t, listed, 3)
	quoted := regexp.MustCompile("`([^`]+)`")
	for role, documents := range map[string]string{"preview": "workflow-preview", "up": "workflow-up-*", "release": "release"} {
		var subjects, services []string
		for _, found := range quoted.FindAllStringSubmatch(listed[role][1], -1) {
			subjects = append(subjects, found[1])
		}
		assert.Equal(t, facts.Trusted("prod", role), subjects, role)
		granted := actionsOf(t, documents)
		cell := listed[role][3]
		if cell == "the same" {
			cell = listed["preview"][3]
		}
		for _, found := range quoted.FindAllStringSubmatch(cell, -1) {
			services = append(services, found[1])
		}
		assert.Equal(t, slices.Sorted(maps.Keys(granted)), services, role)
		for service, actions := range granted {
			for _, action := range actions {
				if role == "preview" {
					assert.Regexp(t, `^(Describe|Get|List|BatchGet|Decrypt$)`, action, service)
				}
				if role == "release" {
					assert.NotRegexp(t, `^(Put[^O]|PassRole|Update|Attach|CreateRole|CreateDeploymentGroup)`, action, service)
				}
			}
		}
	}
}

// actionsOf are what policies allow, by service.
func actionsOf(t *testing.T, documents string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(checkoutRoot, "infra", "access", "testdata", documents+".golden.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var document struct{ Statement []struct{ Action any } }
		require.NoError(t, json.Unmarshal(text, &document))
		for _, statement := range document.Statement {
			list, isList := statement.Action.([]any)
			if !isList {
				list = []any{statement.Action}
			}
			for _, one := range list {
				service, action, _ := strings.Cut(one.(string), ":")
				all[service] = append(all[service], action)
			}
		}
	}
	return all
}

// Each picture is of jobs that there are.
func TestPicturesOfWorkflows(t *testing.T) {
	all, err := workflows.Load(checkoutRoot)
	require.NoError(t, err)
	pictures := strings.Split(githubPage(t), "```mermaid\n")[1:]
	require.Len(t, pictures, 3)
	for at, file := range []string{"preview.yml", "infrastructure.yml", "release.yml"} {
		picture, _, _ := strings.Cut(pictures[at], "```")
		for id := range all[file].Jobs {
			assert.Contains(t, picture, id+"[", "%s: no job %s in the picture", file, id)
		}
	}
}
