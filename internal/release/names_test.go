package release

import (
	"os"
	"path/filepath"
	"testing"

	"bluegreen/sandbox/parts"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// playPulumi puts a pulumi on PATH that answers what a test says.
func playPulumi(t *testing.T, script string) {
	t.Helper()
	folder := t.TempDir()
	text := "#!/bin/sh\nif [ \"$1\" = version ]; then echo v" + parts.PulumiVersion + "; exit; fi\n" + script
	require.NoError(t, os.WriteFile(filepath.Join(folder, "pulumi"), []byte(text), 0o755))
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestWhereNamesComeFrom(t *testing.T) {
	playPulumi(t, `[ "$*" = "stack output --json --stack prod" ] || exit 1
echo '{"AWS_CODEDEPLOY_APPLICATION_NAME": "of-stack", "AWS_CODEDEPLOY_DEPLOYMENT_GROUP": "one", "AWS_CODEDEPLOY_REGION": "eu-west-1", "releaseBucket": "bundles", "zones": [1]}'
`)
	set := environment(map[string]string{GroupVariable: "one", BucketVariable: "bundles"})
	given := Names{Application: "of-flag", Groups: []string{"b", "a"}}

	found, err := FindNames(t.Context(), given, "prod", set)
	require.NoError(t, err)
	assert.Equal(t, Names{Application: "of-flag", Groups: []string{"b", "a"}, Region: "eu-west-1", Bucket: "bundles"}, found)

	found, err = FindNames(t.Context(), Names{}, "prod", environment(nil))
	require.NoError(t, err)
	assert.Equal(t, Names{Application: "of-stack", Groups: []string{"one"}, Region: "eu-west-1", Bucket: "bundles"}, found)

	found, err = FindNames(t.Context(), Names{Region: "us-east-1"}, "", environment(map[string]string{
		ApplicationVariable: "of-environment", GroupVariable: "web, workers,", RegionVariable: "us-east-2",
	}))
	require.NoError(t, err)
	assert.Equal(t, Names{Application: "of-environment", Groups: []string{"web", "workers"}, Region: "us-east-1"}, found)

	_, err = FindNames(t.Context(), Names{}, "prod", environment(map[string]string{ApplicationVariable: "other", RegionVariable: "us-east-1"}))
	require.ErrorContains(t, err, "AWS_CODEDEPLOY_APPLICATION_NAME is other in the environment and of-stack in stack prod; unset it")
	require.ErrorContains(t, err, "AWS_CODEDEPLOY_REGION is us-east-1 in the environment and eu-west-1 in stack prod")
}

// Those of Celery come after the web fleet's, wherever either is named.
func TestDeploymentGroupsOfCelery(t *testing.T) {
	playPulumi(t, `echo '{"AWS_CODEDEPLOY_DEPLOYMENT_GROUP": "web", "celeryDeploymentGroups": ["worker", "beat"]}'`)
	for _, test := range []struct {
		given Names
		stack string
		set   map[string]string
		want  []string
	}{
		{Names{}, "prod", nil, []string{"web", "worker", "beat"}},
		{Names{}, "prod", map[string]string{CeleryVariable: "worker, beat"}, []string{"web", "worker", "beat"}},
		{Names{}, "", map[string]string{GroupVariable: "web", CeleryVariable: "worker,beat"}, []string{"web", "worker", "beat"}},
		{Names{}, "", map[string]string{GroupVariable: "web,beat", CeleryVariable: "worker,beat"}, []string{"web", "beat", "worker"}},
		{Names{}, "", map[string]string{GroupVariable: "web"}, []string{"web"}},
		{Names{Groups: []string{"beat"}}, "prod", map[string]string{CeleryVariable: "worker,beat"}, []string{"beat"}},
	} {
		found, err := FindNames(t.Context(), test.given, test.stack, environment(test.set))
		require.NoError(t, err)
		assert.Equal(t, test.want, found.Groups, "%+v", test)
	}
	_, err := FindNames(t.Context(), Names{}, "prod", environment(map[string]string{CeleryVariable: "worker"}))
	require.ErrorContains(t, err, "AWS_CODEDEPLOY_CELERY_DEPLOYMENT_GROUPS is worker in the environment and worker, beat in stack prod; unset it")

	playPulumi(t, `echo '{"AWS_CODEDEPLOY_DEPLOYMENT_GROUP": "web"}'`)
	_, err = FindNames(t.Context(), Names{}, "prod", environment(map[string]string{CeleryVariable: "worker"}))
	require.ErrorContains(t, err, "is worker in the environment and none in stack prod")
}

// A stack that releases commits of GitHub says so; a bucket on the command line
// is meant all the same.
func TestWhatIsReleased(t *testing.T) {
	playPulumi(t, `echo '{"releaseBucket": "bundles", "releaseRepository": "example/site"}'`)
	for _, test := range []struct{ given, want Names }{
		{Names{}, Names{Bucket: "bundles", Repository: "example/site"}},
		{Names{Bucket: "mine"}, Names{Bucket: "mine"}},
		{Names{Repository: "example/other"}, Names{Bucket: "bundles", Repository: "example/other"}},
	} {
		found, err := FindNames(t.Context(), test.given, "prod", environment(nil))
		require.NoError(t, err)
		assert.Equal(t, test.want, found)
	}
	found, err := FindNames(t.Context(), Names{}, "", environment(map[string]string{RepositoryVariable: "example/site"}))
	require.NoError(t, err)
	assert.Equal(t, "example/site", found.Repository)
}

func TestAStackThatCannotBeRead(t *testing.T) {
	for script, said := range map[string]string{
		"echo \"no stack named 'prod'\" >&2; exit 255": "stack prod: pulumi stack output: exit status 255: no stack named 'prod'",
		"echo no JSON":                             "stack prod: pulumi stack output: invalid character",
		`echo '{"releaseBucket": ["a"]}'`:          "stack prod: output releaseBucket: want text, got [a]",
		`echo '{"celeryDeploymentGroups": [1]}'`:   "stack prod: output celeryDeploymentGroups: want a list of text, got [1]",
		`echo '{"celeryDeploymentGroups": "a,b"}'`: "stack prod: output celeryDeploymentGroups: want a list of text, got a,b",
	} {
		playPulumi(t, script)
		_, err := FindNames(t.Context(), Names{}, "prod", environment(nil))
		require.ErrorContains(t, err, said)
	}
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir()) // the checkout may have a pulumi of its own
	_, err := FindNames(t.Context(), Names{}, "prod", environment(nil))
	require.ErrorContains(t, err, "pulumi is not installed")
}
