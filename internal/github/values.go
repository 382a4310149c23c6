package github

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bluegreen/internal/release"
	"bluegreen/internal/stack"
)

// Kind is what a value becomes.
type Kind string

// Kinds of values. Variables can be read by everybody who can write to the
// repository, and show in logs; secrets by nobody, and logs have *** instead.
const (
	Secret   Kind = "secret"
	Variable Kind = "variable"
)

// Level is where a value is written.
type Level string

// Levels. A job reads those of its environment, and all jobs those of the
// repository.
const (
	Environment Level = "environment"
	Repository  Level = "repository"
)

// Value is one value for workflows.
type Value struct {
	Name   string
	Kind   Kind
	Level  Level
	value  string // in no output: only requests and --env-file have it
	source string // the stack's output
}

// other are outputs that have another name for workflows.
var other = map[string]string{
	release.BucketOutput:     release.BucketVariable,
	release.RepositoryOutput: release.RepositoryVariable,
	release.CeleryOutput:     release.CeleryVariable,
}

// keyID is kept secret although Pulumi does not: it is half of a password.
const keyID = "AWS_ACCESS_KEY_ID"

// PreviewRole is the output whose value jobs of pull requests need. They run in
// no environment, so that it is a variable of the repository, too, with the
// stack's name at its end.
const PreviewRole = "AWS_PREVIEW_ROLE_ARN"

// named are outputs that workflows read under the same name.
var named = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// largest is GitHub's limit of a secret and of a variable in bytes: 48 KB (GitHub
// Docs, "Secrets reference" and "Variables reference").
const largest = 48 * 1024

// Choice says what becomes of outputs.
type Choice struct {
	Stack           string // its name, without organization and project
	RepositoryLevel bool   // everything for all jobs of the repository, instead of an environment's
	AllSecrets      bool   // what is not secret, too, as workflows expect that know secrets only
}

// Values are what workflows read of a stack, by name. Errors: outputs that no
// secret and no variable can hold, all at once.
func Values(outputs map[string]stack.Output, choice Choice) ([]Value, error) {
	var values []Value
	var errs []error
	for _, source := range slices.Sorted(maps.Keys(outputs)) {
		name := other[source]
		if named.MatchString(source) {
			name = source
		}
		if name == "" {
			continue
		}
		text, err := text(outputs[source].Value)
		if err == nil && len(text) > largest {
			err = fmt.Errorf("%d bytes long, and GitHub takes %d", len(text), largest)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("output %s: %w", source, err))
		}
		if err != nil || text == "" { // GitHub has no empty values
			continue
		}
		value := Value{Name: name, Kind: Variable, Level: Environment, value: text, source: source}
		if outputs[source].Secret || choice.AllSecrets || name == keyID {
			value.Kind = Secret
		}
		if choice.RepositoryLevel {
			value.Level = Repository
		}
		values = append(values, value)
		if name == PreviewRole && !choice.RepositoryLevel {
			value.Name, value.Level = PreviewRole+"_"+suffix(choice.Stack), Repository
			values = append(values, value)
		}
	}
	slices.SortFunc(values, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return values, errors.Join(errs...)
}

// text is what an output is as text: a list has commas between.
func text(output any) (string, error) {
	switch output := output.(type) {
	case nil:
		return "", nil
	case string:
		return output, nil
	case bool:
		return strconv.FormatBool(output), nil
	case float64: // 1000000 as it is, not 1e+06
		return strconv.FormatFloat(output, 'f', -1, 64), nil
	case []any:
		parts := make([]string, 0, len(output))
		for _, part := range output {
			word, ok := part.(string)
			if !ok || strings.Contains(word, ",") {
				return "", errors.New("want text, or a list of text without commas")
			}
			parts = append(parts, word)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("want text, or a list of text")
}

// suffix is a stack's name as part of a variable's.
func suffix(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}
