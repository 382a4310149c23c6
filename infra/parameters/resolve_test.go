package parameters

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var small = Registry{
	{Name: "ALWAYS", Constant: "False"},
	{Name: "FALLBACK", Config: true, Default: "60"},
	{Name: "DATABASE_URL", Required: true, Secret: true, Output: "databaseUrl"},
	{Name: "REDIS_URL", Secret: true, Output: "redisUrl"},
	{Name: "SECRET_KEY", Required: true, Secret: true, Generated: Generated{64, Token}},
	{Name: "MAIL_KEY", Required: true, Secret: true, Config: true},
	{Name: "MAIL_DOMAIN", Config: true},
	{Name: "SETTINGS", Required: true, Elsewhere: "The unit sets it."},
}

// sources of the variables that a plan stores.
func sources(plan []Parameter) map[string]Source {
	found := map[string]Source{}
	for _, parameter := range plan {
		found[parameter.Name] = parameter.Source
	}
	return found
}

func TestResolve(t *testing.T) {
	for _, test := range []struct {
		name    string
		outputs []string
		values  map[string]string
		want    map[string]Source
	}{
		{
			"least", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "k"},
			map[string]Source{
				"ALWAYS": FromRegistry, "FALLBACK": FromRegistry, "DATABASE_URL": FromOutput,
				"SECRET_KEY": FromGenerator, "MAIL_KEY": FromConfig,
			},
		},
		{
			"most", []string{"databaseUrl", "redisUrl", "region"}, map[string]string{"MAIL_KEY": "k", "MAIL_DOMAIN": "d", "FALLBACK": "0"},
			map[string]Source{
				"ALWAYS": FromRegistry, "FALLBACK": FromConfig, "DATABASE_URL": FromOutput, "REDIS_URL": FromOutput,
				"SECRET_KEY": FromGenerator, "MAIL_KEY": FromConfig, "MAIL_DOMAIN": FromConfig,
			},
		},
		{
			"the operator's own", []string{"databaseUrl", "redisUrl"},
			map[string]string{"MAIL_KEY": "k", "DATABASE_URL": "d", "SECRET_KEY": "s", "REDIS_URL": ""},
			map[string]Source{
				"ALWAYS": FromRegistry, "FALLBACK": FromRegistry, "DATABASE_URL": FromConfig,
				"SECRET_KEY": FromConfig, "MAIL_KEY": FromConfig,
			},
		},
		{
			"empty is absent", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "k", "MAIL_DOMAIN": "", "FALLBACK": ""},
			map[string]Source{"ALWAYS": FromRegistry, "DATABASE_URL": FromOutput, "SECRET_KEY": FromGenerator, "MAIL_KEY": FromConfig},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, err := small.Resolve(test.outputs, test.values)
			require.NoError(t, err)
			assert.Equal(t, test.want, sources(plan))
			for _, parameter := range plan {
				if parameter.Source == FromConfig {
					assert.Equal(t, test.values[parameter.Name], parameter.Value)
				}
			}
		})
	}
}

const withoutIt = "; if the application does without, write required: false in environment.yaml"

func TestResolveRefuses(t *testing.T) {
	complete := map[string]string{"MAIL_KEY": "hunter2"}
	for _, test := range []struct {
		name    string
		outputs []string
		values  map[string]string
		want    string
	}{
		{
			"one value missing", []string{"databaseUrl"}, nil,
			"environment: 1 required variable has no value: MAIL_KEY (set it: pulumi config set --secret --path environment.MAIL_KEY)" + withoutIt,
		},
		{
			"several missing", nil, nil,
			"environment: 2 required variables have no value: " +
				"DATABASE_URL (comes from the managed database (`database.enabled`), which this stack does not have; or set it: pulumi config set --secret --path environment.DATABASE_URL), " +
				"MAIL_KEY (set it: pulumi config set --secret --path environment.MAIL_KEY)" + withoutIt,
		},
		{
			"misspelt", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "hunter2", "MAIL_DOMIAN": "hunter2"},
			"environment.MAIL_DOMIAN: no such variable; did you mean MAIL_DOMAIN?",
		},
		{
			"unheard of", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "hunter2", "COLOUR": "hunter2"},
			"environment.COLOUR: no such variable; add it to environment.yaml",
		},
		{
			"constant", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "hunter2", "ALWAYS": "hunter2"},
			"environment.ALWAYS: always False; change environment.yaml if it must differ; remove it: pulumi config rm --path environment.ALWAYS",
		},
		{
			"elsewhere", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "hunter2", "SETTINGS": "hunter2"},
			"environment.SETTINGS: not kept in Parameter Store: The unit sets it; remove it: pulumi config rm --path environment.SETTINGS",
		},
		{
			"set to nothing", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": ""},
			"environment.MAIL_KEY: required, but set to nothing; give it a value, or: pulumi config rm --path environment.MAIL_KEY",
		},
		{
			"too long", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": strings.Repeat("hunter2", 586)},
			"environment.MAIL_KEY: 4102 bytes exceed the limit of a standard parameter, 4096; shorten the value",
		},
		{
			"braces", []string{"databaseUrl"}, map[string]string{"MAIL_KEY": "{{hunter2}}"},
			"environment.MAIL_KEY: the value contains {{, which Parameter Store keeps for itself; write it otherwise",
		},
		{
			"unknown output", []string{"databaseUrl", "databaseURL"}, complete,
			"outputs.databaseURL: want one of allowedHosts, databaseUrl, redisUrl, region, storageBucket",
		},
		{
			"all at once", nil, map[string]string{"MAIL_DOMIAN": "hunter2", "ALWAYS": "hunter2", "MAIL_KEY": ""},
			"environment.MAIL_DOMIAN: no such variable; did you mean MAIL_DOMAIN?\n" +
				"environment.ALWAYS: always False; change environment.yaml if it must differ; remove it: pulumi config rm --path environment.ALWAYS\n" +
				"environment.MAIL_KEY: required, but set to nothing; give it a value, or: pulumi config rm --path environment.MAIL_KEY\n" +
				"environment: 1 required variable has no value: DATABASE_URL (comes from the managed database (`database.enabled`), which this stack does not have; " +
				"or set it: pulumi config set --secret --path environment.DATABASE_URL)" + withoutIt,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, err := small.Resolve(test.outputs, test.values)
			require.EqualError(t, err, test.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Nil(t, plan)
		})
	}
}

// Whatever a stack has, a plan stores each variable at most once, none that is
// set elsewhere, and none with an empty value.
func TestResolveStoresNothingEmpty(t *testing.T) {
	registry := ours(t)
	var names []string
	for _, v := range registry {
		names = append(names, v.Name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		have := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"allowedHosts", "databaseUrl", "redisUrl", "storageBucket"}), rapid.ID[string]).Draw(rt, "outputs")
		values := rapid.MapOf(rapid.SampledFrom(names), rapid.StringN(0, 40, -1)).Draw(rt, "values")
		plan, err := registry.Resolve(have, values)
		if err != nil {
			assert.Nil(rt, plan)
			return
		}
		seen := map[string]bool{}
		for _, parameter := range plan {
			assert.False(rt, seen[parameter.Name], parameter.Name)
			seen[parameter.Name] = true
			assert.Empty(rt, parameter.Elsewhere, parameter.Name)
			if parameter.Source == FromConfig || parameter.Source == FromRegistry {
				assert.NotEmpty(rt, parameter.Value, parameter.Name)
			}
		}
		for _, v := range registry {
			if v.Required && v.Elsewhere == "" {
				assert.True(rt, seen[v.Name], v.Name)
			}
		}
	})
}
