package parameters

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestParse(t *testing.T) {
	registry, err := Parse([]byte(`
variables:
  DATABASE_URL:
    description: Where the database is.
    readers: [web, worker]
    required: true
    secret: true
    output: databaseUrl
  ADMIN_URL:
    description: Where the admin site is.
    readers: [web]
    secret: true
    generated: {length: 48, form: path}
  CONN_MAX_AGE:
    description: Seconds.
    readers: [web]
    config: true
    default: 60
  DEBUG:
    description: Never.
    readers: [web]
    constant: False
  SETTINGS:
    description: Which ones.
    readers: [web, local]
    required: true
    elsewhere: The unit.
    default: production
`))
	require.NoError(t, err)
	assert.Equal(t, Registry{
		{
			Name: "DATABASE_URL", Description: "Where the database is.", Readers: []Reader{Web, Worker},
			Required: true, Secret: true, Output: "databaseUrl",
		},
		{
			Name: "ADMIN_URL", Description: "Where the admin site is.", Readers: []Reader{Web},
			Secret: true, Generated: Generated{Length: 48, Form: Path},
		},
		{Name: "CONN_MAX_AGE", Description: "Seconds.", Readers: []Reader{Web}, Config: true, Default: "60"},
		{Name: "DEBUG", Description: "Never.", Readers: []Reader{Web}, Constant: "False"},
		{
			Name: "SETTINGS", Description: "Which ones.", Readers: []Reader{Web, Local},
			Required: true, Elsewhere: "The unit.", Default: "production",
		},
	}, registry)
}

// entry is a registry of one variable with the given lines beside the two that
// every variable has.
func entry(lines ...string) string {
	return "variables:\n  NAME:\n    description: text\n    readers: [web]\n    " + strings.Join(lines, "\n    ") + "\n"
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "variables: want a list of names, got an empty file"},
		{"a list", "- NAME", "want names with values, as in name: value"},
		{"no YAML", "variables: [", "yaml: line 1: did not find expected node content; correct the file there"},
		{"misspelt root", "variabels: {}", "variabels: no such field; did you mean variables?\n"},
		{"a list of variables", "variables: [NAME]", "variables: want names with values, as in name: value"},
		{"two documents", "variables: {}\n---\nvariables: {}", "want one YAML document; remove what follows the line ---"},
		{"small letters", "variables:\n  name: {description: text, readers: [web], config: true}", "variables.name: want capitals, digits and underscores, as in DATABASE_URL"},
		{"format verb", "variables:\n  A%d: {description: text, readers: [web], config: true}", "variables.A%d: want capitals, digits and underscores, as in DATABASE_URL"},
		{"listed twice", entry("config: true") + "  NAME: {}", "variables.NAME: listed twice, on lines 2 and 6; remove one"},
		{"field twice", entry("config: true", "config: true"), "variables.NAME.config: listed twice, on lines 5 and 6; remove one"},
		{"misspelt field", entry("config: true", "defualt: a"), "variables.NAME.defualt: no such field; did you mean default?"},
		{"unknown field", entry("config: true", "colour: red"), "variables.NAME.colour: no such field; remove it"},
		{"misspelt inner field", entry("secret: true", "generated: {lenght: 64, form: token}"), "variables.NAME.generated.lenght: no such field; did you mean length?"},
		{"not a boolean", entry("config: perhaps"), "variables.NAME.config: want true or false on line 5"},
		{"not a number", entry("secret: true", "generated: {length: long, form: token}"), "variables.NAME.generated.length: want a whole number on line 6"},
		{"not text", entry("constant: [a]"), "variables.NAME.constant: want text on line 5"},
		{"not a list", "variables:\n  NAME:\n    description: text\n    readers: {web: true}\n    config: true", "variables.NAME.readers: want a list, as in [web, worker], on line 4"},
		{"not fields", "variables:\n  NAME: text", "variables.NAME: want names with values, as in name: value"},
		{"no source", entry("required: true"), "variables.NAME: want exactly one of constant, output, generated, config: true and elsewhere, got none"},
		{"default alone", entry("default: a"), "variables.NAME: want exactly one of constant, output, generated, config: true and elsewhere, got none\n" +
			"variables.NAME.default: goes with config: true or elsewhere only; remove it"},
		{"empty constant", entry(`constant: ""`), "variables.NAME: want exactly one of constant, output, generated, config: true and elsewhere, got none"},
		{"two sources", entry("constant: a", "config: true"), "variables.NAME: want exactly one of constant, output, generated, config: true and elsewhere, got constant, config"},
		{"unknown output", entry("output: databaseURL"), `variables.NAME.output: want one of allowedHosts, databaseUrl, redisUrl, region, storageBucket, got "databaseURL"`},
		{"unknown reader", "variables:\n  NAME: {description: text, readers: [web, cron, web], config: true}", "variables.NAME.readers[1]: want one of web, worker, beat, pipeline, local, got \"cron\"\n" +
			`variables.NAME.readers[2]: "web" is listed twice; remove one`},
		{"default with constant", entry("constant: a", "default: b"), "variables.NAME.default: goes with config: true or elsewhere only; remove it"},
		{"secret constant", entry("constant: hunter2", "secret: true"), "variables.NAME.constant: the value of a secret does not belong into this file; write config: true or generated"},
		{"secret default", entry("config: true", "default: hunter2", "secret: true"), "variables.NAME.default: the value of a secret does not belong into this file; write config: true or generated"},
		{"generated in the open", entry("generated: {length: 64, form: token}"), "variables.NAME.secret: a generated value is a secret; write secret: true"},
		{"short and shapeless", entry("secret: true", "generated: {length: 8, form: uuid}"), "variables.NAME.generated.length: want 32 to 128, got 8\nvariables.NAME.generated.form: want token or path, got \"uuid\""},
		{"long constant", entry("constant: " + strings.Repeat("a", 4097)), "variables.NAME.constant: 4097 bytes exceed the limit of a standard parameter, 4096; shorten the value"},
		{"braces", entry("constant: \"{{ name }}\""), "variables.NAME.constant: the value contains {{, which Parameter Store keeps for itself; write it otherwise"},
		{"long description", "variables:\n  NAME: {description: " + strings.Repeat("a", 1025) + ", readers: [web], config: true}", "variables.NAME.description: 1025 bytes exceed the limit of Parameter Store, 1024; shorten it"},
		{"all at once", `
variables:
  first: {readers: [web], config: true}
  SECOND: {description: text, config: true, constant: a}
  THIRD: {description: text, readers: [web], confg: true}
`, `variables.first: want capitals, digits and underscores, as in DATABASE_URL
variables.first.description: required; say what the variable is for
variables.SECOND.readers: want at least one of web, worker, beat, pipeline, local
variables.SECOND: want exactly one of constant, output, generated, config: true and elsewhere, got constant, config
variables.THIRD.confg: no such field; did you mean config?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			registry, err := Parse([]byte(test.text))
			require.Error(t, err)
			assert.Equal(t, strings.TrimSpace(test.want), strings.TrimSpace(err.Error()))
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Nil(t, registry)
		})
	}
}

// encode writes a registry as Parse reads it.
func encode(t *testing.T, registry Registry) []byte {
	t.Helper()
	variables := &yaml.Node{Kind: yaml.MappingNode}
	for _, v := range registry {
		fields := map[string]any{
			"description": v.Description, "readers": v.Readers, "required": v.Required, "secret": v.Secret,
			"constant": v.Constant, "output": v.Output, "config": v.Config, "elsewhere": v.Elsewhere, "default": v.Default,
		}
		if v.Generated != (Generated{}) {
			fields["generated"] = map[string]any{"length": v.Generated.Length, "form": v.Generated.Form}
		}
		var key, value yaml.Node
		require.NoError(t, key.Encode(v.Name))
		require.NoError(t, value.Encode(fields))
		variables.Content = append(variables.Content, &key, &value)
	}
	text, err := yaml.Marshal(map[string]*yaml.Node{"variables": variables})
	require.NoError(t, err)
	return text
}

func FuzzParse(f *testing.F) {
	ours, err := os.ReadFile("../../environment.yaml")
	require.NoError(f, err)
	f.Add(ours)
	f.Add([]byte(entry("secret: true", "generated: {length: 64, form: path}")))
	f.Add([]byte("variables: &a\n  NAME: *a"))
	f.Add([]byte("a: &a {b: *a}\nvariables: *a"))
	f.Add([]byte("variables:\n  NAME: {<<: {config: true}}"))
	f.Add([]byte(entry("constant: !!binary aGVsbG8=")))
	f.Fuzz(func(t *testing.T, text []byte) {
		registry, err := Parse(text)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		again, err := Parse(encode(t, registry))
		require.NoError(t, err)
		assert.Equal(t, registry, again)
		assert.NotEmpty(t, Document(registry))
		_, _ = registry.Resolve(nil, nil)
	})
}

// What the seeds' code reads must be in our registry, those that never come
// from Parameter Store with the reason.
func TestOurRegistry(t *testing.T) {
	registry := ours(t)
	for _, name := range strings.Fields(`
		DJANGO_SECRET_KEY DJANGO_SECURE_SSL_REDIRECT DATABASE_URL REDIS_URL CELERY_BROKER_URL DJANGO_AWS_STORAGE_BUCKET_NAME
		DJANGO_ADMIN_URL MAILGUN_API_KEY MAILGUN_DOMAIN SINGLE_CD_AUTHORIZATION_TOKEN DJANGO_ALLOWED_HOSTS CONN_MAX_AGE
		DJANGO_SECURE_HSTS_INCLUDE_SUBDOMAINS DJANGO_SECURE_HSTS_PRELOAD DJANGO_SECURE_CONTENT_TYPE_NOSNIFF DJANGO_AWS_ACCESS_KEY_ID
		DJANGO_AWS_SECRET_ACCESS_KEY DJANGO_AWS_S3_REGION_NAME DJANGO_AWS_S3_CUSTOM_DOMAIN DJANGO_DEFAULT_FROM_EMAIL DJANGO_SERVER_EMAIL
		DJANGO_EMAIL_SUBJECT_PREFIX MAILGUN_API_URL COMPRESS_ENABLED DJANGO_DEBUG DJANGO_EMAIL_BACKEND DJANGO_ACCOUNT_ALLOW_REGISTRATION`) {
		v, ok := find(registry, name)
		require.True(t, ok, name)
		assert.Empty(t, v.Elsewhere, name)
	}
	for _, name := range strings.Fields(`
		DJANGO_INTERNAL_PORT_NUM DJANGO_SETTINGS_MODULE DJANGO_READ_SSM_PARAMS AWS_DEFAULT_REGION PARAMETER_PATH
		DJANGO_EXTERNAL_PORT_NUM DJANGO_EXTERNAL_HOST_NAME DJANGO_READ_DOT_ENV_FILE DJANGO_READ_JSON_FILE
		AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_CODEDEPLOY_REGION AWS_CODEDEPLOY_APPLICATION_NAME
		AWS_CODEDEPLOY_DEPLOYMENT_GROUP AWS_AUTOSCALING_GROUP_NAME CI_CD_DEPLOYMENT_AUTH_TOKEN`) {
		v, ok := find(registry, name)
		require.True(t, ok, name)
		assert.NotEmpty(t, v.Elsewhere, name)
	}
	redirect, _ := find(registry, "DJANGO_SECURE_SSL_REDIRECT")
	assert.Equal(t, "False", redirect.Constant)
}

func ours(t *testing.T) Registry {
	t.Helper()
	text, err := os.ReadFile("../../environment.yaml")
	require.NoError(t, err)
	registry, err := Parse(text)
	require.NoError(t, err)
	return registry
}

func find(registry Registry, name string) (Variable, bool) {
	for _, v := range registry {
		if v.Name == name {
			return v, true
		}
	}
	return Variable{}, false
}
