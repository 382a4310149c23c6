// Package policy writes IAM policy documents from typed statements.
//
// It is pure: the same statements give the same JSON, byte for byte, so that
// a document never differs between two previews.
package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Version is the policy language in use (IAM User Guide, "IAM JSON policy
// elements: Version").
const Version = "2012-10-17"

// Effect says what a statement does.
type Effect string

// The two effects of IAM.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Principal is who a statement of a resource policy or trust policy is about.
// Exactly one field is set.
type Principal struct {
	AWS       []string // account, role or user ARNs, or "*"
	Service   []string // as in "ec2.amazonaws.com"
	Federated []string // OIDC provider ARNs
}

// Condition is one test: Operator as in "StringEquals", Key as in
// "aws:SourceAccount". A statement holds when all its conditions do.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}

// Statement is one rule of a document. An empty Effect means Allow. A
// statement of an identity policy has resources, one of a trust policy has a
// principal, one of a resource policy has both.
type Statement struct {
	Sid        string
	Effect     Effect
	Principal  *Principal
	Actions    []string
	Resources  []string
	Conditions []Condition
}

// Document returns statements as a JSON policy document. It refuses a
// statement with no action, with neither resource nor principal, or that
// allows every action on every resource.
func Document(statements ...Statement) (string, error) {
	if len(statements) == 0 {
		return "", errors.New("policy: no statements")
	}
	document := struct {
		Version   string
		Statement []map[string]any
	}{Version: Version}
	var problems []error
	for i, s := range statements {
		if err := s.validate(); err != nil {
			problems = append(problems, fmt.Errorf("policy: statement %d %s: %w", i, s.Sid, err))
		}
		document.Statement = append(document.Statement, s.encode())
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	text, err := json.Marshal(document)
	return string(text), err
}

// Assume is the trust statement that lets an AWS service take a role.
func Assume(service string, conditions ...Condition) Statement {
	return Statement{
		Principal:  &Principal{Service: []string{service}},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: conditions,
	}
}

func (s Statement) validate() error {
	var problems []error
	if len(s.Actions) == 0 {
		problems = append(problems, errors.New("no actions"))
	}
	if len(s.Resources) == 0 && s.Principal == nil {
		problems = append(problems, errors.New("neither resources nor principal"))
	}
	if s.Principal != nil && s.Principal.count() != 1 {
		problems = append(problems, fmt.Errorf("want one kind of principal, got %d", s.Principal.count()))
	}
	everything := slices.ContainsFunc(s.Actions, func(a string) bool {
		return a == "*" || strings.HasSuffix(a, ":*")
	})
	if s.Effect != Deny && everything && slices.Contains(s.Resources, "*") {
		problems = append(problems, errors.New("every action on every resource; name the actions or the resources"))
	}
	for _, c := range s.Conditions {
		if c.Operator == "" || c.Key == "" || len(c.Values) == 0 {
			problems = append(problems, fmt.Errorf("condition %q %q has an empty part", c.Operator, c.Key))
		}
	}
	return errors.Join(problems...)
}

func (p Principal) count() (n int) {
	for _, values := range [][]string{p.AWS, p.Service, p.Federated} {
		if len(values) > 0 {
			n++
		}
	}
	return n
}

// encode leaves out what is empty. encoding/json sorts the keys of a map.
func (s Statement) encode() map[string]any {
	effect := s.Effect
	if effect == "" {
		effect = Allow
	}
	out := map[string]any{"Effect": effect, "Action": oneOrMany(s.Actions)}
	if s.Sid != "" {
		out["Sid"] = s.Sid
	}
	if len(s.Resources) > 0 {
		out["Resource"] = oneOrMany(s.Resources)
	}
	if s.Principal != nil {
		out["Principal"] = s.Principal.encode()
	}
	if len(s.Conditions) > 0 {
		conditions := map[string]map[string]any{}
		for _, c := range s.Conditions {
			if conditions[c.Operator] == nil {
				conditions[c.Operator] = map[string]any{}
			}
			conditions[c.Operator][c.Key] = oneOrMany(c.Values)
		}
		out["Condition"] = conditions
	}
	return out
}

func (p Principal) encode() any {
	if slices.Equal(p.AWS, []string{"*"}) {
		return "*"
	}
	out := map[string]any{}
	for kind, values := range map[string][]string{"AWS": p.AWS, "Service": p.Service, "Federated": p.Federated} {
		if len(values) > 0 {
			out[kind] = oneOrMany(values)
		}
	}
	return out
}

// oneOrMany writes a single value as a plain string, as AWS itself returns
// it: a list of one would show as a difference after each refresh.
func oneOrMany(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}
