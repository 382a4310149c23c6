package stacks

import (
	"os"
	"path/filepath"
	"testing"

	"bluegreen/infra/parameters"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadConfig(t *testing.T) {
	folder := t.TempDir()
	project, stack := filepath.Join(folder, "Pulumi.yaml"), filepath.Join(folder, "Pulumi.dev.yaml")
	require.NoError(t, os.WriteFile(project, []byte(`
name: bluegreen
config:
  region: {type: string, default: us-east-2}
  project: {type: string, default: ""}
  network: {type: object, default: {zones: [a, b]}}
`), 0o600))
	require.NoError(t, os.WriteFile(stack, []byte(`
encryptionsalt: v1:abc
config:
  bluegreen:project: example
  aws:profile: mine
  bluegreen:token: {secure: v1:ciphertext}
  bluegreen:environment:
    A: plain
    B: {secure: v1:ciphertext}
    C: [{secure: v1:ciphertext}]
`), 0o600))

	config, err := ReadConfig(project, stack)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"bluegreen:region":      "us-east-2",
		"bluegreen:project":     "example",
		"bluegreen:network":     `{"zones":["a","b"]}`,
		"aws:profile":           "mine",
		"bluegreen:token":       "[secret]",
		"bluegreen:environment": `{"A":"plain","B":"[secret]","C":["[secret]"]}`,
	}, config)

	require.NoError(t, os.WriteFile(stack, []byte("confg: {}"), 0o600))
	_, err = ReadConfig(project, stack)
	require.EqualError(t, err, stack+": line 1: confg: no such key; correct or remove it")
	require.NoError(t, os.WriteFile(stack, []byte("encryptionsalt: v1:abc\nconfig: hunter2"), 0o600))
	_, err = ReadConfig(project, stack)
	require.EqualError(t, err, stack+": line 2: want keys with values, as in config: {key: value}")
	require.NoError(t, os.WriteFile(stack, []byte("config:\n  a: {b: hunter2}\n  c: 1\n  a: {d: 2}"), 0o600))
	_, err = ReadConfig(project, stack)
	require.EqualError(t, err, stack+": line 4: \"a\" already defined at line 2; put what both say under one of them")
	_, err = ReadConfig(project, filepath.Join(folder, "Pulumi.none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "Pulumi.none.yaml: no such file or directory; name a file that exists, or write it")
	require.NoError(t, os.WriteFile(stack, []byte("config: [unclosed"), 0o600))
	_, err = ReadConfig(project, stack)
	assert.Regexp(t, `Pulumi.dev.yaml: yaml: line 1: .*; correct the file there$`, err)
}

func TestSecretsInPlainText(t *testing.T) {
	registry := parameters.Registry{{Name: "KEY", Secret: true}, {Name: "TOKEN", Secret: true}, {Name: "EMPTY", Secret: true}, {Name: "DOMAIN"}}
	file := filepath.Join(t.TempDir(), "Pulumi.dev.yaml")
	for _, test := range []struct {
		text string
		want []string
	}{
		{`{bluegreen:environment: {KEY: hunter2, TOKEN: {secure: v1:abc}, EMPTY: "", DOMAIN: example.com}}`, []string{"KEY"}},
		{`{environment: {KEY: 5, TOKEN: x}}`, []string{"KEY", "TOKEN"}},
		{`{bluegreen:environment: {secure: v1:abc}}`, nil},
		{`{bluegreen:project: example}`, nil},
	} {
		require.NoError(t, os.WriteFile(file, []byte("config: "+test.text), 0o600))
		names, err := inPlainText(file, registry)
		require.NoError(t, err)
		assert.Equal(t, test.want, names, test.text)
	}
	require.NoError(t, os.Remove(file))
	names, err := inPlainText(file, registry)
	require.NoError(t, err, "kept elsewhere")
	assert.Empty(t, names)
}

func TestStackName(t *testing.T) {
	stack, err := StackName("some/where/Pulumi.eu-prod.yaml")
	require.NoError(t, err)
	assert.Equal(t, "eu-prod", stack)
	for _, file := range []string{"Pulumi.yaml", "Pulumi..yaml", "prod.yaml", "Pulumi.prod.yml"} {
		_, err := StackName(file)
		assert.ErrorContains(t, err, "want a file named Pulumi.<stack>.yaml", file)
	}
}
