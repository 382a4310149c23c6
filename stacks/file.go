package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"bluegreen/infra/parameters"

	"gopkg.in/yaml.v3"
)

// Placeholder stands for a value that is encrypted in a stack's file and that
// the reader has no key for.
const Placeholder = "[secret]"

// ReadConfig reads a stack's file as the engine would hand it to the program:
// keys with their namespace, objects as JSON, and the defaults of the
// project's file for keys that the stack leaves out. Encrypted values become
// Placeholder, so that a configuration can be checked by somebody who may not
// read its secrets.
func ReadConfig(projectFile, stackFile string) (map[string]string, error) {
	var project struct {
		Config map[string]struct {
			Default any `yaml:"default"`
		} `yaml:"config"`
	}
	if err := readYAML(projectFile, &project); err != nil {
		return nil, err
	}
	stack, err := readStack(stackFile)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for key, declaration := range project.Config {
		if declaration.Default != nil {
			values[qualify(key)] = declaration.Default
		}
	}
	maps.Copy(values, stack)
	config := map[string]string{}
	for _, key := range sortedKeys(values) {
		text, err := plainText(values[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", stackFile, key, err)
		}
		config[key] = text
	}
	return config, nil
}

// readStack reads the keys of a stack's file, with their namespace, and their
// values, those that are encrypted as Placeholder.
func readStack(file string) (map[string]any, error) {
	// The fields of a stack's file (Pulumi documentation, "Stack settings file
	// reference"); the decoder refuses others, so that "confg" is not passed over.
	var stack struct {
		Config          map[string]any `yaml:"config"`
		Environment     any            `yaml:"environment"`
		SecretsProvider string         `yaml:"secretsprovider"`
		EncryptionSalt  string         `yaml:"encryptionsalt"`
		EncryptedKey    string         `yaml:"encryptedkey"`
	}
	if err := readYAML(file, &stack, strict); err != nil {
		return nil, err
	}
	values := map[string]any{}
	for key, value := range stack.Config {
		values[qualify(key)] = conceal(value)
	}
	return values, nil
}

// inPlainText names the secret variables whose values stand readable in a
// stack's file. The program gets all values decrypted, so only the file tells.
// One that is not in its usual place is not looked at.
func inPlainText(file string, registry parameters.Registry) (names []string, err error) {
	stack, err := readStack(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	values, _ := stack[namespace+"environment"].(map[string]any) // Placeholder when the whole of it is encrypted
	for _, variable := range registry {
		value, chosen := values[variable.Name]
		if variable.Secret && chosen && value != Placeholder && value != "" {
			names = append(names, variable.Name)
		}
	}
	return names, err
}

// StackName is the stack that a file belongs to: Pulumi.<stack>.yaml.
func StackName(stackFile string) (string, error) {
	base := filepath.Base(stackFile)
	stack, ok := strings.CutPrefix(base, "Pulumi.")
	stack, yml := strings.CutSuffix(stack, ".yaml")
	if !ok || !yml || stack == "" {
		return "", fmt.Errorf("%s: want a file named Pulumi.<stack>.yaml, got %s", stackFile, base)
	}
	return stack, nil
}

// strict refuses keys that nobody reads.
func strict(decoder *yaml.Decoder) { decoder.KnownFields(true) }

func readYAML(path string, into any, options ...func(*yaml.Decoder)) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; name a file that exists, or write it: docs/configuration.md has every setting", err)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	for _, option := range options {
		option(decoder)
	}
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) { // an empty file says nothing
		return explainYAML(path, err)
	}
	return nil
}

// explainYAML says where a file is wrong, without values, which may be secret,
// and without Go's types.
func explainYAML(path string, err error) error {
	var shapes *yaml.TypeError
	if !errors.As(err, &shapes) {
		return fmt.Errorf("%s: %w; correct the file there", path, err)
	}
	var problems []error
	for _, text := range shapes.Errors {
		line, what, _ := strings.Cut(text, ": ")
		advice := "want keys with values, as in config: {key: value}"
		if name, unknown := strings.CutPrefix(what, "field "); unknown {
			name, _, _ = strings.Cut(name, " ")
			advice = name + ": no such key; correct or remove it"
		}
		if name, twice := strings.CutPrefix(what, "mapping key "); twice {
			advice = name + "; put what both say under one of them"
		}
		problems = append(problems, fmt.Errorf("%s: %s: %s", path, line, advice))
	}
	return errors.Join(problems...)
}

// qualify adds the project's namespace to a key that has none, as Pulumi does.
func qualify(key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return namespace + key
}

// conceal replaces {secure: ciphertext}, at any depth, by Placeholder.
func conceal(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if _, secret := v["secure"].(string); secret && len(v) == 1 {
			return Placeholder
		}
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = conceal(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = conceal(inner)
		}
		return out
	default:
		return value
	}
}

func plainText(value any) (string, error) {
	switch value.(type) {
	case nil:
		return "", nil
	case map[string]any, []any:
		text, err := json.Marshal(value)
		return string(text), err
	default:
		return fmt.Sprint(value), nil
	}
}
