package stacks

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"bluegreen/infra/spelling"

	"github.com/go-viper/mapstructure/v2"
)

// decode puts config over what settings holds already. It is strict: a key
// that nobody reads is an error, wherever it stands, and text is never taken
// for a number.
func decode(config map[string]string, settings *Settings) error {
	document, err := tree(config)
	decoder, setup := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:     settings,
		TagName:    "json",
		MatchName:  func(key, field string) bool { return key == field },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(wholeText, mapstructure.TextUnmarshallerHookFunc()),
	})
	if setup != nil {
		return setup
	}
	return errors.Join(err, explain(decoder.Decode(document)), misspelt("", document, reflect.TypeFor[Settings]()))
}

// tree makes one document of this project's keys.
func tree(config map[string]string) (map[string]any, error) {
	var problems []error
	document := map[string]any{}
	fields := reflect.TypeFor[Settings]()
	for _, key := range sortedKeys(config) {
		name, ours := strings.CutPrefix(key, namespace)
		if !ours {
			problems = append(problems, foreign(key))
			continue
		}
		field, known := fieldNamed(fields, name)
		if !known || field.Type.Kind() == reflect.String {
			document[name] = config[key]
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(config[key]))
		decoder.UseNumber() // so that 1.5 is refused where a whole number is wanted
		var value map[string]any
		if err := decoder.Decode(&value); err != nil || decoder.More() {
			// The text may hold a secret: say the shape, not the value.
			problems = append(problems, fmt.Errorf("%s: want an object, as in %s%s: {key: value}, got something else", name, namespace, name))
			continue
		}
		if field.Type.Kind() == reflect.Map {
			asText(value)
		}
		document[name] = value
	}
	return document, errors.Join(problems...)
}

// foreign refuses keys of other namespaces but Pulumi's own: nobody reads them.
func foreign(key string) error {
	space, name, _ := strings.Cut(key, ":")
	switch space {
	case "pulumi":
		return nil
	case "aws":
		return fmt.Errorf("%s: not read, since the stack has a provider of its own; use %saccount and %sregion, and remove it", key, namespace, namespace)
	default:
		return fmt.Errorf("%s: no such namespace; did you mean %s%s?", key, namespace, name)
	}
}

// asText turns switches into the text that they are written as: pulumi config
// set stores true as such, and a tag or an environment variable is always text.
func asText(values map[string]any) {
	for key, value := range values {
		if v, ok := value.(bool); ok {
			values[key] = strconv.FormatBool(v)
		}
	}
}

// errNumber says that what was written has come as something else: 8.10 as 8.1.
var errNumber = errors.New("want text, got a number; write it in quotes")

// wholeText lets a whole number be text, since pulumi config set stores 17 as a
// number, and refuses any other.
func wholeText(from, to reflect.Type, value any) (any, error) {
	number, ok := value.(json.Number)
	if ok && from != to && to.Kind() == reflect.String && strings.ContainsAny(number.String(), ".eE") {
		return nil, errNumber
	}
	return value, nil
}

func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if field := t.Field(i); field.Tag.Get("json") == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// keys are the names of the configuration keys, without namespace.
func keys() (names []string) {
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("json"); tag != "-" {
			names = append(names, tag)
		}
	}
	return names
}

// explain rewrites the decoder's errors in this project's words. It never
// repeats a value, which may be secret.
func explain(err error) error {
	var at *mapstructure.DecodeError
	switch wrapped := err.(type) { //nolint:errorlint // one level at a time: As would take the first of many
	case nil:
		return nil
	case *mapstructure.DecodeError:
		at = wrapped
	case interface{ Unwrap() []error }:
		var problems []error
		for _, problem := range wrapped.Unwrap() {
			problems = append(problems, explain(problem))
		}
		return errors.Join(problems...)
	case interface{ Unwrap() error }:
		return explain(wrapped.Unwrap())
	default:
		return fmt.Errorf("settings: %w", err)
	}
	wanted, known := settingTypes()[at.Name()]
	var shape *mapstructure.UnconvertibleTypeError
	var parse *mapstructure.ParseError
	switch {
	case errors.Is(err, errNumber):
		return fmt.Errorf("%s: %w", at.Name(), errNumber)
	case errors.As(err, &shape):
		return fmt.Errorf("%s: want %s, got %s", at.Name(), kind(shape.Expected.Type()), kind(reflect.TypeOf(shape.Value)))
	case errors.As(err, &parse):
		return fmt.Errorf("%s: want %s, got something else", at.Name(), kind(parse.Expected.Type()))
	case known && !reflect.PointerTo(wanted).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return fmt.Errorf("%s: want %s, got something else", at.Name(), kind(wanted))
	default:
		return fmt.Errorf("%s: %w", at.Name(), at.Unwrap())
	}
}

// kind says a Go type in the words of the stack's file.
func kind(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	if t == reflect.TypeFor[json.Number]() {
		return "a number"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return t.String()
	}
}

// misspelt reports keys that nobody reads, each with its nearest neighbour.
func misspelt(prefix string, document map[string]any, t reflect.Type) error {
	var problems []error
	for _, key := range sortedKeys(document) {
		field, known := fieldNamed(t, key)
		inner, object := document[key].(map[string]any)
		switch {
		case !known:
			advice := "remove it"
			if near := meant(prefix, key, t); near != "" {
				advice = fmt.Sprintf("did you mean %s?", near)
			}
			problems = append(problems, fmt.Errorf("%s: no such setting; %s", prefix+key, advice))
		case object && field.Type.Kind() == reflect.Struct:
			problems = append(problems, misspelt(prefix+key+".", inner, field.Type))
		}
	}
	return errors.Join(problems...)
}

// settingTypes are all settings, by their dotted path.
func settingTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	walk("", reflect.TypeFor[Settings](), types)
	return types
}

func walk(prefix string, t reflect.Type, types map[string]reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		if tag == "-" || tag == "" {
			continue
		}
		types[prefix+tag] = field.Type
		if field.Type.Kind() == reflect.Struct {
			walk(prefix+tag+".", field.Type, types)
		}
	}
}

// meant is the path of the setting that is spelt almost like key in the same
// section, or just like it in one other, and "" when there is none.
func meant(prefix, key string, t reflect.Type) string {
	section := map[string]reflect.Type{}
	walk("", t, section)
	siblings := slices.DeleteFunc(sortedKeys(section), func(path string) bool { return strings.Contains(path, ".") })
	if near := spelling.Nearest(key, siblings); near != "" {
		return prefix + near
	}
	elsewhere := slices.DeleteFunc(sortedKeys(settingTypes()), func(path string) bool { return !strings.HasSuffix("."+path, "."+key) })
	if len(elsewhere) == 1 {
		return elsewhere[0]
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
