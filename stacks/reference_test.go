package stacks

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// The reference of all settings is written from the types that decode them:
// names from the tags, defaults from defaults(), texts from the comments.
func TestConfigurationReference(t *testing.T) {
	golden(t, "../docs/configuration.md", []byte(reference(t)))
}

func reference(t *testing.T) string {
	var page strings.Builder
	page.WriteString(`# Configuration

Every setting of a stack. Set one with ` + "`pulumi config set --path SECTION.NAME VALUE`" + `, or write it into ` + "`Pulumi.<stack>.yaml`" + `.
NAME stands for a name of your choice. A key that is not listed here is an error, and so is a value of the wrong shape; all mistakes are reported at once.
This page is written from the code by ` + "`make golden`" + `.

`)
	settings := defaults("STACK")
	value := reflect.ValueOf(settings)
	comments := fieldComments(t, ".", "Settings")
	page.WriteString(tableHead)
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if tag := field.Tag.Get("json"); tag != "-" && field.Type.Kind() != reflect.Struct {
			row(&page, tag, value.Field(i), comments[field.Name])
		}
	}
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if field.Type.Kind() != reflect.Struct {
			continue
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s", field.Tag.Get("json"), tableHead)
		section(t, &page, field.Tag.Get("json")+".", value.Field(i))
	}
	return page.String()
}

const tableHead = "| setting | default | meaning |\n| --- | --- | --- |\n"

func section(t *testing.T, page *strings.Builder, prefix string, value reflect.Value) {
	folder := ".." + strings.TrimPrefix(value.Type().PkgPath(), "bluegreen")
	comments := fieldComments(t, folder, value.Type().Name())
	for i := range value.NumField() {
		field := value.Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		_, text := value.Field(i).Interface().(encoding.TextMarshaler)
		if value.Field(i).Kind() == reflect.Struct && !text {
			section(t, page, prefix+tag+".", value.Field(i))
			continue
		}
		require.NotEmpty(t, comments[field.Name], "%s%s has no comment", prefix, tag)
		row(page, prefix+tag, value.Field(i), comments[field.Name])
		if kind := field.Type; kind.Kind() == reflect.Map && kind.Elem().Kind() == reflect.Struct {
			section(t, page, prefix+tag+".NAME.", reflect.New(kind.Elem()).Elem()) // of each object held by a name
		}
	}
}

func row(page *strings.Builder, path string, value reflect.Value, comment string) {
	standard, _ := json.Marshal(value.Interface())
	text := strings.Trim(string(standard), `"`)
	if text == "null" || strings.HasSuffix(comment, "Required.") {
		text = ""
	}
	if text != "" {
		text = "`" + text + "`"
	}
	fmt.Fprintf(page, "| `%s` | %s | %s |\n", path, text, strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(comment))
}

// fieldComments returns the comments of a struct's fields, each on one line.
func fieldComments(t *testing.T, folder, name string) map[string]string {
	comments := map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(tree, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			if structure, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range structure.Fields.List {
					text := strings.TrimSpace(field.Doc.Text() + " " + field.Comment.Text())
					for _, name := range field.Names {
						comments[name.Name] = strings.Join(strings.Fields(text), " ")
					}
				}
			}
			return false
		})
	}
	return comments
}

// Pulumi.yaml declares each key, with its type, and repeats no default that
// the code does not have.
func TestProjectFileDeclaresEveryKey(t *testing.T) {
	var project struct {
		Config map[string]struct {
			Type        string `yaml:"type"`
			Description string `yaml:"description"`
			Default     any    `yaml:"default"`
		} `yaml:"config"`
	}
	text, err := os.ReadFile("../Pulumi.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &project))

	value := reflect.ValueOf(defaults("STACK"))
	assert.Len(t, project.Config, len(keys()))
	for _, key := range keys() {
		declared, ok := project.Config[key]
		require.True(t, ok, "Pulumi.yaml does not declare %s", key)
		assert.NotEmpty(t, declared.Description, key)
		field, _ := fieldNamed(value.Type(), key)
		kind := map[bool]string{true: "string", false: "object"}[field.Type.Kind() == reflect.String]
		assert.Equal(t, kind, declared.Type, key)

		want, err := json.Marshal(value.FieldByIndex(field.Index).Interface())
		require.NoError(t, err)
		got, err := json.Marshal(declared.Default)
		require.NoError(t, err)
		if string(got) != "{}" { // an empty section takes all its defaults
			assert.JSONEq(t, string(want), string(got), key)
		}
	}
}

// golden compares with a checked-in file, or writes it with UPDATE_GOLDEN=1.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run: make golden")
	assert.Equal(t, string(want), string(got), "%s is stale; run: make golden, and read the difference", path)
}
