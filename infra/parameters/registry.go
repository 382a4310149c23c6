// Package parameters knows every environment variable of the application and
// puts those that a stack has a value for into Parameter Store, under
// /<project>/<environment>/.
//
// The registry, environment.yaml, is the one list of them. From it come the
// parameters, the documentation, and the error of a preview that names what
// has no value yet. The registry holds no secret; values that an operator
// chooses come from the stack's configuration.
package parameters

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Reader is who reads a variable.
type Reader string

// The processes that read variables. The first three get them from Parameter
// Store; the pipeline and a developer's machine set their own.
const (
	Web      Reader = "web"      // serves requests
	Worker   Reader = "worker"   // does Celery's tasks
	Beat     Reader = "beat"     // starts Celery's periodic tasks
	Pipeline Reader = "pipeline" // tests and releases, in GitHub or elsewhere
	Local    Reader = "local"    // a developer's machine
)

// Readers are all readers, in the order in which the documentation lists them.
var Readers = []Reader{Web, Worker, Beat, Pipeline, Local}

// Form is the shape of a generated value.
type Form string

// The forms of generated values.
const (
	Token Form = "token" // letters and digits
	Path  Form = "path"  // letters and digits, then a slash
)

// Generated says what a random value looks like.
type Generated struct {
	Length int // random characters, 32 to 128
	Form   Form
}

// Variable is one entry of the registry. Exactly one of Constant, Output,
// Generated, Config and Elsewhere says where its value comes from. A value in
// the stack's configuration takes the place of an output or a generated one.
type Variable struct {
	Name        string // as in "DATABASE_URL"
	Description string
	Readers     []Reader
	Required    bool // a preview fails when there is no value
	Secret      bool

	Constant  string    // always this value
	Output    string    // the name of what the platform makes, as in "databaseUrl"
	Generated Generated // made once, at random, and then kept
	Config    bool      // the operator's choice, or Default
	Elsewhere string    // who sets it and why it cannot be in Parameter Store

	Default string // with Config what is stored, with Elsewhere what applies, when nobody chooses
}

// Registry is all variables, in the order of environment.yaml.
type Registry []Variable

// outputs are what the platform can make a variable of, and in whose words an
// error or the documentation speaks of it.
var outputs = map[string]string{
	"allowedHosts":  "the site's host names, with commas between",
	"databaseUrl":   "the managed database (`database.enabled`)",
	"redisUrl":      "the managed cache (`cache.enabled`)",
	"region":        "the AWS region of the stack",
	"storageBucket": "the bucket of static and media files",
}

func knownOutputs() string { return strings.Join(slices.Sorted(maps.Keys(outputs)), ", ") }

// Limits of a parameter in the Standard tier (AWS Systems Manager API
// Reference, "PutParameter"; User Guide, "Managing parameter tiers": 4 KB).
const (
	largestValue       = 4096
	longestDescription = 1024
)

// Limits of a generated value: 32 letters and digits hold 190 bits.
const (
	shortestGenerated = 32
	longestGenerated  = 128
)

var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// check reports every mistake of a variable, each with its path.
func (v Variable) check() error {
	path := "variables." + v.Name
	var problems []error
	report := func(field, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s%s: %w", path, field, fmt.Errorf(format, args...)))
	}
	if !variableName.MatchString(v.Name) {
		report("", "want capitals, digits and underscores, as in DATABASE_URL")
	}
	if v.Description == "" {
		report(".description", "required; say what the variable is for")
	}
	if len(v.Description) > longestDescription {
		report(".description", "%d bytes exceed the limit of Parameter Store, %d; shorten it", len(v.Description), longestDescription)
	}
	if len(v.Readers) == 0 {
		report(".readers", "want at least one of %s", readerNames())
	}
	for i, reader := range v.Readers {
		switch {
		case !slices.Contains(Readers, reader):
			report(fmt.Sprintf(".readers[%d]", i), "want one of %s, got %q", readerNames(), reader)
		case slices.Contains(v.Readers[:i], reader):
			report(fmt.Sprintf(".readers[%d]", i), "%q is listed twice; remove one", reader)
		}
	}
	v.checkSource(report)
	return errors.Join(problems...)
}

func (v Variable) checkSource(report func(field, format string, args ...any)) {
	if sources := v.sources(); len(sources) != 1 {
		report("", "want exactly one of constant, output, generated, config: true and elsewhere, got %s", orNone(sources))
	}
	if _, known := outputs[v.Output]; v.Output != "" && !known {
		report(".output", "want one of %s, got %q", knownOutputs(), v.Output)
	}
	if v.Generated != (Generated{}) {
		if v.Generated.Length < shortestGenerated || v.Generated.Length > longestGenerated {
			report(".generated.length", "want %d to %d, got %d", shortestGenerated, longestGenerated, v.Generated.Length)
		}
		if v.Generated.Form != Token && v.Generated.Form != Path {
			report(".generated.form", "want %s or %s, got %q", Token, Path, v.Generated.Form)
		}
		if !v.Secret {
			report(".secret", "a generated value is a secret; write secret: true")
		}
	}
	if v.Default != "" && !v.Config && v.Elsewhere == "" {
		report(".default", "goes with config: true or elsewhere only; remove it")
	}
	v.checkText(".constant", v.Constant, report)
	v.checkText(".default", v.Default, report)
}

func (v Variable) checkText(field, value string, report func(field, format string, args ...any)) {
	if v.Secret && value != "" {
		report(field, "the value of a secret does not belong into this file; write config: true or generated")
	}
	if err := checkValue(value); err != nil {
		report(field, "%w", err)
	}
}

// sources are the fields that say where the value comes from.
func (v Variable) sources() (names []string) {
	for _, source := range []struct {
		name  string
		given bool
	}{
		{"constant", v.Constant != ""},
		{"output", v.Output != ""},
		{"generated", v.Generated != Generated{}},
		{"config", v.Config},
		{"elsewhere", v.Elsewhere != ""},
	} {
		if source.given {
			names = append(names, source.name)
		}
	}
	return names
}

// checkValue refuses what Parameter Store refuses. It never repeats the value.
func checkValue(value string) error {
	var problems []error
	if len(value) > largestValue {
		problems = append(problems, fmt.Errorf("%d bytes exceed the limit of a standard parameter, %d; shorten the value", len(value), largestValue))
	}
	if strings.Contains(value, "{{") {
		problems = append(problems, errors.New("the value contains {{, which Parameter Store keeps for itself; write it otherwise"))
	}
	return errors.Join(problems...)
}

func readerNames() string {
	var names []string
	for _, reader := range Readers {
		names = append(names, string(reader))
	}
	return strings.Join(names, ", ")
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
