package workflows

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var makeTarget = regexp.MustCompile(`(?m)^([a-z-]+):`)

// ReadFacts reads a checkout. command tells whether bin/bluegreen knows a command
// line. What roles trust is what the tests of stacks hold the program against.
func ReadFacts(root string, command func(words []string) error) (Facts, error) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile")) // #nosec G304 -- a file of the checkout
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{Root: root, Command: command}
	for _, found := range makeTarget.FindAllSubmatch(makefile, -1) {
		facts.Targets = append(facts.Targets, string(found[1]))
	}
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil {
		return Facts{}, err
	}
	trust := map[string][]string{}
	for _, file := range files {
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		if stack == "sandbox" || stack == "rehearsal" { // they are for an emulated AWS
			continue
		}
		facts.Stacks = append(facts.Stacks, stack)
		for _, role := range []string{"preview", "up", "release"} {
			if trust[stack+" "+role], err = trustedBy(root, stack, role); err != nil {
				return Facts{}, err
			}
		}
	}
	slices.Sort(facts.Stacks)
	facts.Trusted = func(stack, role string) []string { return trust[stack+" "+role] }
	return facts, nil
}

// trustedBy are the subjects that a role of a stack trusts, without the repository.
func trustedBy(root, stack, role string) (subjects []string, err error) {
	file := filepath.Join(root, "stacks", "testdata", stack+".golden.json")
	text, err := os.ReadFile(file) // #nosec G304 -- a file of the checkout
	if err != nil {
		return nil, err
	}
	var resources []struct {
		Type   string
		Name   string
		Inputs struct {
			AssumeRolePolicy struct {
				Statement []struct {
					Condition map[string]map[string]any
				}
			} `json:"assumeRolePolicy"`
		}
	}
	if err := json.Unmarshal(text, &resources); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, resource := range resources {
		if resource.Type != "aws:iam/role:Role" || !strings.HasSuffix(resource.Name, "-"+stack+"-"+role) {
			continue
		}
		for _, statement := range resource.Inputs.AssumeRolePolicy.Statement {
			for _, subject := range listOf(statement.Condition["StringEquals"]["token.actions.githubusercontent.com:sub"]) {
				parts := strings.SplitN(subject, ":", 3) // repo, owner/name, the rest
				subjects = append(subjects, parts[len(parts)-1])
			}
		}
	}
	if len(subjects) == 0 {
		return nil, fmt.Errorf("%s: no role %s that GitHub's tokens may take", file, role)
	}
	return subjects, nil
}

func listOf(value any) (all []string) {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	list, _ := value.([]any)
	for _, one := range list {
		all = append(all, asText(one))
	}
	return all
}
