package parameters

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"bluegreen/infra/spelling"

	"gopkg.in/yaml.v3"
)

// Parse reads a registry and reports every mistake at once, each with its
// path, as in "variables.DATABASE_URL.readers[0]".
func Parse(text []byte) (Registry, error) {
	var document, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w; correct the file there", err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one YAML document; remove what follows the line ---")
	}
	if len(document.Content) == 0 {
		return nil, errors.New("variables: want a list of names, got an empty file")
	}
	var variables yaml.Node
	if err := fields("", document.Content[0], map[string]any{"variables": &variables}); err != nil {
		return nil, err
	}
	entries, err := pairs("variables", &variables)
	problems := []error{err}
	var registry Registry
	for _, entry := range entries {
		variable, err := parseVariable(entry)
		registry = append(registry, variable)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return registry, nil
}

func parseVariable(entry pair) (Variable, error) {
	v := Variable{Name: entry.key}
	var generated yaml.Node
	path := "variables." + entry.key
	err := fields(path, entry.value, map[string]any{
		"description": &v.Description,
		"readers":     &v.Readers,
		"required":    &v.Required,
		"secret":      &v.Secret,
		"constant":    &v.Constant,
		"output":      &v.Output,
		"generated":   &generated,
		"config":      &v.Config,
		"elsewhere":   &v.Elsewhere,
		"default":     &v.Default,
	})
	if err != nil {
		return v, err // what could not be read would be reported as missing
	}
	if !generated.IsZero() {
		err := fields(path+".generated", &generated, map[string]any{
			"length": &v.Generated.Length,
			"form":   &v.Generated.Form,
		})
		if err != nil {
			return v, err
		}
	}
	return v, v.check()
}

// pair is one entry of a YAML mapping.
type pair struct {
	key   string
	value *yaml.Node
}

// pairs returns the entries of a mapping in their order.
func pairs(path string, node *yaml.Node) (entries []pair, err error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%swant names with values, as in name: value", prefix(path, ": "))
	}
	var problems []error
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if line, twice := lines[key.Value]; twice {
			problems = append(problems, fmt.Errorf("%s%s: listed twice, on lines %d and %d; remove one", prefix(path, "."), key.Value, line, key.Line))
			continue
		}
		lines[key.Value] = key.Line
		entries = append(entries, pair{key.Value, node.Content[i+1]})
	}
	return entries, errors.Join(problems...)
}

// fields decodes a mapping into targets and refuses names that have none.
func fields(path string, node *yaml.Node, targets map[string]any) error {
	entries, err := pairs(path, node)
	problems := []error{err}
	for _, entry := range entries {
		target, known := targets[entry.key]
		if !known {
			names := slices.Sorted(maps.Keys(targets))
			problems = append(problems, fmt.Errorf("%s%s: no such field; %s", prefix(path, "."), entry.key, suggest(entry.key, names, "remove it")))
			continue
		}
		if raw, ok := target.(*yaml.Node); ok {
			*raw = *entry.value
			continue
		}
		if err := entry.value.Decode(target); err != nil {
			problems = append(problems, fmt.Errorf("%s%s: want %s on line %d", prefix(path, "."), entry.key, shape(target), entry.value.Line))
		}
	}
	return errors.Join(problems...)
}

func prefix(path, separator string) string {
	if path == "" {
		return ""
	}
	return path + separator
}

// shape says a target's type in the words of the file.
func shape(target any) string {
	switch target.(type) {
	case *bool:
		return "true or false"
	case *int:
		return "a whole number"
	case *[]Reader:
		return "a list, as in [web, worker],"
	default:
		return "text"
	}
}

// suggest names the known word that somebody has probably meant, or else gives
// the advice.
func suggest(word string, known []string, advice string) string {
	if near := spelling.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return advice
}
