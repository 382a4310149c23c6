package stacks

import (
	"maps"
	"strings"
	"testing"

	"bluegreen/infra/fleet"
	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is the least that a stack has to say.
func small() map[string]string {
	return map[string]string{
		"bluegreen:project": "example",
		"bluegreen:account": "123456789012",
		"bluegreen:edge":    `{"domain": "example.com"}`,
		"bluegreen:access":  `{"github": {"repository": "example/website"}}`,
	}
}

func with(changes map[string]string) map[string]string {
	config := small()
	maps.Copy(config, changes)
	return config
}

func TestParseFillsInDefaults(t *testing.T) {
	settings, err := Parse(with(map[string]string{"bluegreen:network": `{"zones": ["a", "b"]}`}), "prod")
	require.NoError(t, err)
	assert.Equal(t, "us-east-2", settings.Region)
	assert.Equal(t, "10.0.0.0/16", settings.Network.CIDR.String())
	assert.Equal(t, []string{"a", "b"}, settings.Network.Zones, "a shorter list replaces the default, nothing of it stays")
	assert.Equal(t, "prod", settings.Access.GitHub.Environment)
	assert.Equal(t, "/example/prod/", settings.Site().ParameterPath())
}

func TestBoundariesThatIAMTakes(t *testing.T) {
	for _, account := range []string{"123456789012", "aws"} {
		_, err := Parse(with(map[string]string{
			"bluegreen:access": `{"github": {"repository": "example/website"}, "permissionsBoundary": "arn:aws:iam::` + account + `:policy/boundary"}`,
		}), "prod")
		assert.NoError(t, err)
	}
}

// pulumi config set stores what looks like a switch or a whole number as one.
func TestWholeNumbersAreText(t *testing.T) {
	settings, err := Parse(with(map[string]string{
		"bluegreen:environment": `{"A": true, "B": 5432, "C": "x", "D": "1.50"}`, "bluegreen:database": `{"engineVersion": 16}`,
	}), "prod")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "true", "B": "5432", "C": "x", "D": "1.50"}, settings.Environment)
	assert.Equal(t, "16", settings.Database.EngineVersion)
}

func TestNamedObjects(t *testing.T) {
	settings, err := Parse(with(map[string]string{"bluegreen:fleet": `{
		"targetTracking": {"cpu": {"metric": "ASGAverageCPUUtilization", "target": 50.5}},
		"schedules": {"night": {"recurrence": "0 22 * * *", "minSize": 0, "desiredSize": 1}}}`}), "prod")
	require.NoError(t, err)
	zero, one := 0, 1
	assert.Equal(t, map[string]fleet.TargetTracking{"cpu": {Metric: "ASGAverageCPUUtilization", Target: 50.5}}, settings.Fleet.TargetTracking)
	assert.Equal(t, map[string]fleet.Schedule{"night": {Recurrence: "0 22 * * *", MinSize: &zero, DesiredSize: &one}}, settings.Fleet.Schedules)
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change map[string]string
		want   []string // each is one line of the error
	}{
		{"misspelt section", map[string]string{"bluegreen:netwrok": "{}"},
			[]string{"netwrok: no such setting; did you mean network?"}},
		{"misspelt key", map[string]string{"bluegreen:network": `{"zonse": ["a", "b"]}`},
			[]string{"network.zonse: no such setting; did you mean network.zones?"}},
		{"misspelt deep key", map[string]string{"bluegreen:access": `{"github": {"repository": "example/website", "repo": "x"}}`},
			[]string{"access.github.repo: no such setting; remove it"}},
		{"setting of another section", map[string]string{"bluegreen:network": `{"slowStart": 30, "protect": false}`},
			[]string{"network.slowStart: no such setting; did you mean edge.slowStart?", "network.protect: no such setting; remove it"}},
		{"like another section's setting", map[string]string{"bluegreen:access": `{"github": {"repository": "example/website"}, "imageIds": 1}`},
			[]string{"access.imageIds: no such setting; remove it"}},
		{"misspelt key of a named object", map[string]string{"bluegreen:fleet": `{"schedules": {"night": {"recurrence": "0 22 * * *", "minsize": 1}}}`},
			[]string{"fleet.schedules.night.minsize: no such setting; did you mean fleet.schedules.night.minSize?", "fleet.schedules.night: changes nothing"}},
		{"wrong shape in a named object", map[string]string{"bluegreen:fleet": `{"schedules": {"night": {"recurrence": [], "minSize": "one"}}, "targetTracking": {"cpu": {"metric": "ASGAverageCPUUtilization", "target": "half"}}}`},
			[]string{"fleet.schedules.night.recurrence: want text, got a list", "fleet.schedules.night.minSize: want a whole number, got text", "fleet.targetTracking.cpu.target: want a number, got text"}},
		{"wrong case", map[string]string{"bluegreen:network": `{"Zones": ["a", "b"]}`},
			[]string{"network.Zones: no such setting; did you mean network.zones?"}},
		{"nothing like it", map[string]string{"bluegreen:zzzzzzzzzz": "1"},
			[]string{"zzzzzzzzzz: no such setting; remove it"}},
		{"text for a list", map[string]string{"bluegreen:network": `{"zones": "a"}`},
			[]string{"network.zones: want a list, got something else"}},
		{"text for a number", map[string]string{"bluegreen:edge": `{"domain": "example.com", "idleTimeout": "60"}`},
			[]string{"edge.idleTimeout: want a whole number, got text"}},
		{"fraction", map[string]string{"bluegreen:edge": `{"domain": "example.com", "idleTimeout": 60.5}`},
			[]string{"edge.idleTimeout:"}},
		{"number for text",
			map[string]string{
				"bluegreen:account": "12345678901", // 012345678901 without quotes
				"bluegreen:cache":   `{"engineVersion": 8}`, "bluegreen:fleet": `{"ubuntu": 24.04, "imageId": 1e3}`,
				"bluegreen:environment": `{"MAILGUN_DOMAIN": 1.5}`, "bluegreen:tags": `{"A": 1.5, "B": 2}`,
			},
			[]string{
				`account: want 12 digits in quotes, got "12345678901"`, `cache.engineVersion: want a version of valkey (7.2, 8.0, 8.1, 8.2, 9.0), got "8"; choose one of them and write it in quotes`,
				"fleet.ubuntu: want text, got a number; write it in quotes", "fleet.imageId: want text, got a number; write it in quotes",
				"environment.MAILGUN_DOMAIN: want text, got a number; write it in quotes", "tags.A: want text, got a number; write it in quotes",
			}},
		{"text for a switch", map[string]string{"bluegreen:network": `{"ipv6": "yes"}`},
			[]string{"network.ipv6: want true or false, got text"}},
		{"list for an object", map[string]string{"bluegreen:network": `[]`},
			[]string{"network: want an object"}},
		{"not even JSON", map[string]string{"bluegreen:network": `10.0.0.0/16`},
			[]string{"network: want an object"}},
		{"no such block", map[string]string{"bluegreen:network": `{"cidr": "10.0.0.0"}`},
			[]string{"network.cidr:"}},
		{"another namespace", map[string]string{"blugreen:network": "{}", "aws:region": "eu-west-1"},
			[]string{"blugreen:network: no such namespace; did you mean bluegreen:network?", "aws:region: not read"}},
		{"many wrong shapes",
			map[string]string{
				"bluegreen:network":  `{"ipv6": "true", "zones": {"x": 1}, "zonse": []}`,
				"bluegreen:database": `{"multiAz": 3}`,
				"bluegreen:fleet":    `{"minSize": "2", "maxSize": 2.5, "volumeSize": true}`,
				"bluegreen:edge":     `{"domain": "example.com", "names": "x.example.com", "slowStart": 99999999999999999999}`,
				"bluegreen:tags":     `{"A": [1], "B": {"c": "d"}}`,
			},
			[]string{
				"network.ipv6: want true or false, got text", "network.zones: want a list", "network.zonse: no such setting",
				"database.multiAz: want true or false, got a number", "fleet.minSize: want a whole number, got text",
				"fleet.maxSize:", "fleet.volumeSize: want a whole number, got true or false",
				"edge.names: want a list", "edge.slowStart:", "tags.A: want text", "tags.B: want text",
			}},
		{"GitHub revisions of no repository",
			map[string]string{"bluegreen:access": `{"ci": "none"}`, "bluegreen:release": `{"revision": "github"}`},
			[]string{"release.revision: github needs access.github.repository, which is empty; set it, or set release.revision to s3"}},
		{"what wakes the idle one of a pair",
			map[string]string{"bluegreen:release": `{"mode": "pair"}`, "bluegreen:fleet": `{"targetTracking": {"requests": {"metric": "ALBRequestCountPerTarget", "target": 9}}, "schedules": {"night": {"recurrence": "0 22 * * *", "minSize": 1}}}`},
			[]string{"fleet.schedules: want none with release.mode pair", "fleet.targetTracking.requests.metric: ALBRequestCountPerTarget counts for both groups"}},
		{"too small for its configuration",
			map[string]string{"bluegreen:release": `{"customConfiguration": {"enabled": true}}`},
			[]string{"release.customConfiguration.minimumHealthyPercent: 80% of a fleet of 1, rounded up, leaves no instance to deploy to; raise the fleet's minSize to 5"}},
		{"fleets of Celery that could do nothing",
			map[string]string{"bluegreen:celery": `{"mode": "workerFleet", "worker": {"instanceTypes": ["t4g.micro"]}, "beat": {"instanceTypes": ["large"]}}`},
			[]string{
				"celery.mode: workerFleet needs a broker; set cache.enabled to true, or environment.CELERY_BROKER_URL",
				"celery.worker.instanceTypes: t4g.micro is arm64, but the web fleet is amd64", `celery.beat.instanceTypes[0]: want a type like t3.micro, got "large"`,
			}},
		{"further workers without their mode", map[string]string{"bluegreen:celery": `{"workers": ["mail"]}`},
			[]string{"celery.workers: want none with mode single, got 1; remove them, or set mode to supervised"}},
		{"boundary of another account",
			map[string]string{"bluegreen:access": `{"github": {"repository": "example/website"}, "permissionsBoundary": "arn:aws:iam::210987654321:policy/boundary"}`},
			[]string{"access.permissionsBoundary: a policy of account 210987654321, but the stack's account is 123456789012; name a policy of that account"}},
		{"no such region", map[string]string{"bluegreen:region": "eu-west-9"},
			[]string{`region: want a region of AWS like us-east-2, got "eu-west-9"; did you mean eu-west-1?`}},
		{"nothing like a region", map[string]string{"bluegreen:region": "Ohio"},
			[]string{`region: want a region of AWS like us-east-2, got "Ohio"; run: pulumi config set region us-east-2`}},
		{"everything at once",
			map[string]string{
				"bluegreen:project": "Example Site", "bluegreen:account": "12", "bluegreen:region": "Ohio",
				"bluegreen:network": `{"cidr": "8.8.0.0/16", "zones": ["a"]}`,
				"bluegreen:edge":    `{}`, "bluegreen:tags": `{"aws:x": "1", "Name": "n"}`, "bluegreen:typo": "1",
			},
			[]string{
				"project: want lower-case letters", "account: want 12 digits", "region: want a region of AWS like us-east-2",
				"network.cidr: 8.8.0.0/16 is not a private range", "network.zones: want at least 2",
				"edge.domain:", "tags.aws:x: keys that begin with aws:", "tags.Name: set by the program", "typo: no such setting",
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(with(test.change), "prod")
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			for _, want := range test.want {
				found := 0
				for _, line := range lines {
					if strings.HasPrefix(line, want) {
						found++
					}
				}
				assert.Equal(t, 1, found, "want one line %q in:\n%s", want, err)
			}
		})
	}
}

func TestStackNameIsChecked(t *testing.T) {
	for _, stack := range []string{"Prod", "a_b", "prod-", "-prod", "prod-eu", strings.Repeat("a", 21), ""} {
		_, err := Parse(small(), stack)
		assert.ErrorContains(t, err, "stack name: want lower-case letters", stack)
	}
}

// A value may be secret, so no error about its shape repeats it.
func TestErrorsDoNotRepeatSecrets(t *testing.T) {
	for _, value := range []string{
		`{"MAILGUN_API_KEY": ["hunter2"]}`, `{"MAILGUN_API_KEY": {"hunter2": "hunter2"}}`, `"hunter2"`, `hunter2`,
	} {
		_, err := Parse(with(map[string]string{"bluegreen:environment": value}), "prod")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

// What the language host hands over is checked whole.
func TestMisspeltKeyStopsTheProgram(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, `{"bluegreen:project": "example", "aws:region": "us-east-1", "bluegreen:typo": "1"}`)
	var recorder infratest.Recorder
	err := recorder.Run(Run, infratest.Root(".."))
	require.ErrorContains(t, err, "typo: no such setting")
	assert.ErrorContains(t, err, "aws:region: not read")
	assert.Empty(t, recorder.Resources())

	t.Setenv(pulumi.EnvConfig, "{")
	assert.ErrorContains(t, recorder.Run(Run, infratest.Root("..")), "configuration from the engine")
}

// Whatever a stack's file says: no panic, and never settings that fail their
// own check.
func FuzzParse(f *testing.F) {
	f.Add("network", `{"cidr": "10.0.0.0/16", "zones": ["a", "b"], "ipv6": true}`)
	f.Add("edge", `{"domain": "example.com", "names": ["*.example.com"], "slowStart": 30}`)
	f.Add("fleet", `{"instanceTypes": ["t4g.micro"], "minSize": 3, "maxSize": 1}`)
	f.Add("database", `{"backupWindow": "23:45-00:30", "maintenanceWindow": "sun:23:30-mon:00:30"}`)
	f.Add("access", `{"github": {"repository": "a/b"}, "ci": "keys"}`)
	f.Add("environment", `{"A": "1"}`)
	f.Add("tags", `{"": null}`)
	f.Add("project", "example")
	f.Fuzz(func(t *testing.T, key, value string) {
		settings, err := Parse(with(map[string]string{namespace + key: value}), "prod")
		if err == nil {
			assert.NoError(t, settings.Validate())
		}
	})
}
