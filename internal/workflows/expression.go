package workflows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rhysd/actionlint"
)

// Context is what expressions know: github, vars, secrets, inputs, matrix, needs,
// steps, runner. What is not in it is null, as on GitHub.
type Context map[string]any

// Evaluate is the value of an expression, without its ${{ and }}.
//
// Errors: text that is no expression; a function or operator that no workflow here
// has used so far.
func (c Context) Evaluate(expression string) (any, error) {
	tree, problem := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(expression + "}}"))
	if problem != nil {
		return nil, fmt.Errorf("%s: %w", expression, problem)
	}
	value, err := c.value(tree)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	return value, nil
}

// True tells whether a condition holds; without one it does.
func (c Context) True(condition string) (bool, error) {
	condition = strings.TrimSpace(condition)
	if condition == "" {
		return true, nil
	}
	if inner, ok := strings.CutPrefix(condition, "${{"); ok {
		condition = strings.TrimSuffix(inner, "}}")
	}
	value, err := c.Evaluate(condition)
	return truth(value), err
}

// Expand replaces the expressions in a text by their values.
func (c Context) Expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		expression, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return "", fmt.Errorf("%s: an expression without its end", text)
		}
		value, err := c.Evaluate(expression)
		if err != nil {
			return "", err
		}
		out.WriteString(asText(value))
		text = after
	}
}

// with is the context with more in it.
func (c Context) with(more map[string]any) Context {
	all := Context{}
	maps.Copy(all, c)
	maps.Copy(all, more)
	return all
}

func (c Context) value(tree actionlint.ExprNode) (any, error) {
	switch n := tree.(type) {
	case *actionlint.NullNode:
		return nil, nil
	case *actionlint.BoolNode:
		return n.Value, nil
	case *actionlint.IntNode:
		return float64(n.Value), nil
	case *actionlint.FloatNode:
		return n.Value, nil
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.VariableNode:
		return member(map[string]any(c), n.Name), nil
	case *actionlint.ObjectDerefNode:
		object, err := c.value(n.Receiver)
		return member(object, n.Property), err
	case *actionlint.IndexAccessNode:
		object, err := c.value(n.Operand)
		if err != nil {
			return nil, err
		}
		index, err := c.value(n.Index)
		return member(object, asText(index)), err
	case *actionlint.NotOpNode:
		value, err := c.value(n.Operand)
		return !truth(value), err
	case *actionlint.LogicalOpNode:
		return c.logical(n)
	case *actionlint.CompareOpNode:
		return c.compare(n)
	case *actionlint.FuncCallNode:
		return c.call(n)
	}
	return nil, fmt.Errorf("%T: not known here", tree)
}

func (c Context) logical(n *actionlint.LogicalOpNode) (any, error) {
	left, err := c.value(n.Left)
	if err != nil || truth(left) == (n.Kind == actionlint.LogicalOpNodeKindOr) {
		return left, err
	}
	return c.value(n.Right)
}

func (c Context) compare(n *actionlint.CompareOpNode) (any, error) {
	left, err := c.value(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := c.value(n.Right)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case actionlint.CompareOpNodeKindEq:
		return equal(left, right), nil
	case actionlint.CompareOpNodeKindNotEq:
		return !equal(left, right), nil
	}
	return nil, fmt.Errorf("comparison %v: not known here", n.Kind)
}

// call is a function of GitHub's; hashFiles is the same for all files.
func (c Context) call(n *actionlint.FuncCallNode) (any, error) {
	var given []any
	for _, argument := range n.Args {
		value, err := c.value(argument)
		if err != nil {
			return nil, err
		}
		given = append(given, value)
	}
	switch strings.ToLower(n.Callee) {
	case "contains":
		if list, ok := given[0].([]any); ok {
			return slices.ContainsFunc(list, func(one any) bool { return equal(one, given[1]) }), nil
		}
		return strings.Contains(strings.ToLower(asText(given[0])), strings.ToLower(asText(given[1]))), nil
	case "format":
		text := asText(given[0])
		for at, value := range given[1:] {
			text = strings.ReplaceAll(text, "{"+strconv.Itoa(at)+"}", asText(value))
		}
		return text, nil
	case "fromjson":
		var value any
		err := json.Unmarshal([]byte(asText(given[0])), &value)
		return value, err
	case "hashfiles":
		return "hash", nil
	}
	return nil, fmt.Errorf("function %s: not known here", n.Callee)
}

// member is a property, whose name GitHub compares without regard to case.
func member(object any, name string) any {
	switch of := object.(type) {
	case map[string]any:
		for key, value := range of {
			if strings.EqualFold(key, name) {
				return value
			}
		}
	case map[string]string:
		for key, value := range of {
			if strings.EqualFold(key, name) {
				return value
			}
		}
	}
	return nil
}

// truth is false for false, 0, "" and null.
func truth(value any) bool {
	return value != nil && value != false && value != "" && value != 0.0
}

// equal compares texts without regard to case, and null as "".
func equal(left, right any) bool {
	if left == nil || right == nil {
		return !truth(left) && !truth(right)
	}
	return strings.EqualFold(asText(left), asText(right))
}

func asText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
