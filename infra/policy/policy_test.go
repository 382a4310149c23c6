package policy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocument(t *testing.T) {
	text, err := Document(
		Statement{
			Sid:       "ReadParameters",
			Actions:   []string{"ssm:GetParametersByPath"},
			Resources: []string{"arn:aws:ssm:us-east-2:123456789012:parameter/example/prod/*"},
		},
		Statement{
			Sid:       "NoPlainText",
			Effect:    Deny,
			Principal: &Principal{AWS: []string{"*"}},
			Actions:   []string{"s3:*"},
			Resources: []string{"arn:aws:s3:::one", "arn:aws:s3:::one/*"},
			Conditions: []Condition{
				{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}},
				{Operator: "Bool", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}},
			},
		},
	)
	require.NoError(t, err)
	assert.Equal(t, `{"Version":"2012-10-17","Statement":[`+
		`{"Action":"ssm:GetParametersByPath","Effect":"Allow","Resource":"arn:aws:ssm:us-east-2:123456789012:parameter/example/prod/*","Sid":"ReadParameters"},`+
		`{"Action":"s3:*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"false","aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*",`+
		`"Resource":["arn:aws:s3:::one","arn:aws:s3:::one/*"],"Sid":"NoPlainText"}]}`, text)
}

func TestAssume(t *testing.T) {
	text, err := Document(Assume("ec2.amazonaws.com"))
	require.NoError(t, err)
	assert.Equal(t, `{"Version":"2012-10-17","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}]}`, text)
}

func TestDocumentRefuses(t *testing.T) {
	anything := []string{"*"}
	for _, test := range []struct {
		name       string
		statements []Statement
		want       string
	}{
		{"nothing", nil, "policy: no statements"},
		{"empty statement", []Statement{{Sid: "A"}}, "policy: statement 0 A: no actions\nneither resources nor principal"},
		{"everything", []Statement{{Sid: "A", Actions: anything, Resources: anything}}, "policy: statement 0 A: every action on every resource; name the actions or the resources"},
		{"a whole service", []Statement{{Sid: "A", Actions: []string{"s3:*"}, Resources: anything}}, "policy: statement 0 A: every action on every resource; name the actions or the resources"},
		{"two principals", []Statement{{Sid: "A", Actions: []string{"sts:AssumeRole"}, Principal: &Principal{AWS: anything, Service: anything}}}, "policy: statement 0 A: want one kind of principal, got 2"},
		{"empty condition", []Statement{{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: anything, Conditions: []Condition{{Operator: "Bool"}}}}, `policy: statement 0 A: condition "Bool" "" has an empty part`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Document(test.statements...)
			assert.EqualError(t, err, test.want)
		})
	}
}

// To deny everything everywhere is the one use of the two stars together.
func TestDenyEverything(t *testing.T) {
	_, err := Document(Statement{Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"}})
	assert.NoError(t, err)
}
