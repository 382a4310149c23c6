package parameters

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is where a stored value comes from.
type Source string

// The sources of stored values.
const (
	FromConfig    Source = "config"    // the stack's configuration
	FromRegistry  Source = "registry"  // a constant or a default
	FromOutput    Source = "output"    // what the platform made
	FromGenerator Source = "generator" // random
)

// Parameter is a variable that a stack stores.
type Parameter struct {
	Variable
	Source Source
	// Value is known with FromConfig and FromRegistry only. It may be secret.
	Value string
}

// Resolve decides which variables a stack stores. Outputs are the names of
// what the platform makes in this stack, values the stack's configuration
// under "environment". A variable that needs no value and has none, or an
// empty one, is left out: Parameter Store takes no empty values.
//
// The error names everything that is wrong, with what to do, and no value.
func (r Registry) Resolve(outputs []string, values map[string]string) ([]Parameter, error) {
	problems := []error{checkOutputs(outputs), r.checkNames(values)}
	var plan []Parameter
	var missing []string
	for _, v := range r {
		value, chosen := values[v.Name]
		parameter, stored := v.resolve(outputs, value, chosen)
		switch {
		case chosen && (v.Constant != "" || v.Elsewhere != ""):
			problems = append(problems, refuse(v))
		case chosen && value == "" && v.Required:
			problems = append(problems, fmt.Errorf("environment.%s: required, but set to nothing; give it a value, or: pulumi config rm --path environment.%[1]s", v.Name))
		case stored:
			if err := checkValue(parameter.Value); err != nil {
				problems = append(problems, fmt.Errorf("environment.%s: %w", v.Name, err))
			}
			plan = append(plan, parameter)
		case v.Required && v.Elsewhere == "":
			missing = append(missing, v.Name+" ("+advice(v)+")")
		}
	}
	if err := errors.Join(append(problems, noValue(missing))...); err != nil {
		return nil, err
	}
	return plan, nil
}

// resolve finds a variable's value: the operator's comes first.
func (v Variable) resolve(outputs []string, value string, chosen bool) (Parameter, bool) {
	switch {
	case v.Elsewhere != "" || chosen && value == "":
		return Parameter{}, false
	case v.Constant != "":
		return Parameter{v, FromRegistry, v.Constant}, true
	case chosen:
		return Parameter{v, FromConfig, value}, true
	case v.Output != "" && slices.Contains(outputs, v.Output):
		return Parameter{v, FromOutput, ""}, true
	case v.Generated != (Generated{}):
		return Parameter{v, FromGenerator, ""}, true
	case v.Default != "":
		return Parameter{v, FromRegistry, v.Default}, true
	default:
		return Parameter{}, false
	}
}

// refuse says why a variable cannot be configured.
func refuse(v Variable) error {
	reason := "not kept in Parameter Store: " + v.Elsewhere
	if v.Constant != "" {
		reason = "always " + v.Constant + "; change environment.yaml if it must differ"
	}
	return fmt.Errorf("environment.%s: %s; remove it: pulumi config rm --path environment.%[1]s", v.Name, strings.TrimSuffix(reason, "."))
}

// command sets a variable. It leaves a secret's value to Pulumi's prompt, so
// that it reaches neither the process list nor the shell's history.
func command(v Variable) string {
	if v.Secret {
		return "pulumi config set --secret --path environment." + v.Name
	}
	return "pulumi config set --path environment." + v.Name + " VALUE"
}

func advice(v Variable) string {
	if v.Output != "" {
		return fmt.Sprintf("comes from %s, which this stack does not have; or set it: %s", outputs[v.Output], command(v))
	}
	return "set it: " + command(v)
}

func noValue(missing []string) error {
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("environment: 1 required variable has no value: %s; if the application does without, write required: false in environment.yaml", missing[0])
	default:
		return fmt.Errorf("environment: %d required variables have no value: %s; if the application does without, write required: false in environment.yaml",
			len(missing), strings.Join(missing, ", "))
	}
}

// checkNames refuses configuration that no variable reads.
func (r Registry) checkNames(values map[string]string) error {
	var known []string
	for _, v := range r {
		known = append(known, v.Name)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("environment.%s: no such variable; %s", name, suggest(name, known, "add it to environment.yaml")))
		}
	}
	return errors.Join(problems...)
}

func checkOutputs(names []string) error {
	var problems []error
	for _, name := range names {
		if _, known := outputs[name]; !known {
			problems = append(problems, fmt.Errorf("outputs.%s: want one of %s", name, knownOutputs()))
		}
	}
	return errors.Join(problems...)
}
