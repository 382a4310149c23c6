package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"bluegreen/internal/preview"
	"bluegreen/internal/stack"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const longestValue = 300 // characters of a value that are shown

// signs begin the lines of a difference.
var signs = map[preview.Op]string{preview.Create: "+", preview.Import: "=", preview.Update: "~", preview.Replace: "±", preview.Delete: "-"}

// sign is that of an operation, with one for those to come.
func sign(op preview.Op) string {
	if s := signs[op]; s != "" {
		return s
	}
	return "?"
}

// difference is every change in full, without secrets, a line each.
func difference(steps []preview.Step) (lines []string) {
	for _, step := range steps {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", sign(step.Op), typeOf(step), step.URN.Name(), step.Op))
		switch {
		case step.Op == preview.Create && step.NewState != nil:
			for _, key := range slices.Sorted(maps.Keys(step.NewState.Inputs)) {
				if !strings.HasPrefix(key, "__") { // Pulumi's own
					lines = append(lines, fmt.Sprintf("    + %s: %s", key, show(key, step.NewState.Inputs[key])))
				}
			}
		case step.Op == preview.Delete:
		default:
			lines = append(lines, properties(step)...)
		}
	}
	return lines
}

// properties are the lines of what differs in one resource.
func properties(step preview.Step) (lines []string) {
	if len(step.DetailedDiff) == 0 {
		for _, name := range step.DiffReasons {
			lines = append(lines, "    ~ "+name)
		}
		return lines
	}
	for _, path := range slices.Sorted(maps.Keys(step.DetailedDiff)) {
		diff := step.DetailedDiff[path]
		kind, replaces := strings.CutSuffix(diff.Kind, "-replace")
		before, after := show(path, at(inputs(step.OldState), path)), show(path, at(inputs(step.NewState), path))
		if !diff.InputDiff && step.OldState != nil {
			before = show(path, at(step.OldState.Outputs, path))
		}
		line := map[string]string{
			"add":    fmt.Sprintf("    + %s: %s", path, after),
			"delete": fmt.Sprintf("    - %s: %s", path, before),
		}[kind]
		if line == "" {
			line = fmt.Sprintf("    ~ %s: %s → %s", path, before, after)
		}
		if replaces {
			line += "  (makes a new one)"
		}
		lines = append(lines, line)
	}
	return lines
}

func inputs(state *preview.State) map[string]any {
	if state == nil {
		return nil
	}
	return state.Inputs
}

// missing stands for a value that the preview does not show.
type missing struct{}

// at finds the value at a property's path. A secret on the way hides what is
// under it.
func at(properties map[string]any, path string) any {
	elements, err := resource.ParsePropertyPath(path)
	if err != nil {
		return missing{}
	}
	var value any = properties
	for _, element := range elements {
		switch container := value.(type) {
		case map[string]any:
			name, _ := element.(string)
			inner, exists := container[name]
			if !exists {
				return missing{}
			}
			value = inner
		case []any:
			index, isNumber := element.(int)
			if !isNumber || index < 0 || index >= len(container) {
				return missing{}
			}
			value = container[index]
		case string:
			if preview.Secret(container) {
				return stack.Mask
			}
			return missing{}
		default:
			return missing{}
		}
	}
	return value
}

// hushed are properties whose values are not shown even where nothing says that
// they are secret.
var hushed = regexp.MustCompile(`(?i)(password|passphrase|secret|secret_?key|secret_?string|auth_?token|private_?key|credentials)("?\])?$`)

// keyShaped are values that look like a credential.
var keyShaped = regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[a-z]_[A-Za-z0-9]{20,}|\bgithub_pat_\w+|\bpul-[0-9a-f]{40}\b|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s:@]+@`)

// show is a value in one line, and nothing of what is secret.
func show(path string, value any) string {
	if _, absent := value.(missing); absent {
		return "(not shown)"
	}
	if preview.Secret(value) || hushed.MatchString(path) {
		return stack.Mask
	}
	value = settle(value)
	if value == afterwards {
		return afterwards
	}
	text, err := marshal(value)
	if err != nil || keyShaped.Match(text) {
		return stack.Mask
	}
	return clip(string(text), longestValue)
}

// marshal is JSON in one line, with & and < as they are.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSpace(out.Bytes()), err
}

// afterwards stands for a value that only the update makes.
const afterwards = "(known after the update)"

// settle puts words in place of values that are not known yet, and of those whose
// name says that they are nobody's business.
func settle(value any) any {
	switch value := value.(type) {
	case map[string]any:
		settled := make(map[string]any, len(value))
		for key, inner := range value {
			settled[key] = settle(inner)
			if hushed.MatchString(key) {
				settled[key] = stack.Mask
			}
		}
		return settled
	case []any:
		settled := make([]any, 0, len(value))
		for _, inner := range value {
			settled = append(settled, settle(inner))
		}
		return settled
	case string:
		if !preview.Known(value) {
			return afterwards
		}
	}
	return value
}
