package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// gitlabJob is a job of .gitlab-ci.yml.
type gitlabJob struct {
	Stage         string   `yaml:"stage"`
	Script        []string `yaml:"script"`
	Needs         []string `yaml:"needs"`
	Environment   string   `yaml:"environment"`
	ResourceGroup string   `yaml:"resource_group"`
	Interruptible *bool    `yaml:"interruptible"`
	Rules         []struct {
		If   string `yaml:"if"`
		When string `yaml:"when"`
	} `yaml:"rules"`
}

func TestGitLab(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(checkout, "docs", "gitlab-ci.yml"))
	require.NoError(t, err)
	var nodes map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal(content, &nodes))
	var stages []string
	stagesNode := nodes["stages"]
	require.NoError(t, stagesNode.Decode(&stages))
	jobs := map[string]gitlabJob{}
	for name, node := range nodes {
		if name == "stages" || name == "default" || name == "variables" || strings.HasPrefix(name, ".") {
			continue
		}
		var job gitlabJob
		require.NoError(t, node.Decode(&job), name)
		jobs[name] = job
		assert.Contains(t, stages, job.Stage, name)
		for _, line := range job.Script {
			assert.Contains(t, facts(t).Targets, target(line), "%s: %s", name, line)
		}
	}
	require.Len(t, jobs, 4)
	assert.Equal(t, []string{"make check"}, jobs["lint"].Script)
	assert.Equal(t, []string{"make test"}, jobs["test"].Script)
	assert.Equal(t, []string{"lint", "test"}, jobs["release"].Needs)
	for _, name := range []string{"release", "redeploy"} {
		job := jobs[name]
		assert.Equal(t, name, target(job.Script[0]))
		assert.Contains(t, facts(t).Stacks, job.Environment)
		assert.Equal(t, "stack-"+job.Environment, job.ResourceGroup)
		require.NotNil(t, job.Interruptible)
		assert.False(t, *job.Interruptible)
		require.Len(t, job.Rules, 1)
		assert.Equal(t, `$CI_PIPELINE_SOURCE != "merge_request_event" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH`, job.Rules[0].If)
	}
	assert.Empty(t, jobs["release"].Rules[0].When)
	assert.Equal(t, "manual", jobs["redeploy"].Rules[0].When)
	assert.NotContains(t, string(content), "AWS_SECRET_ACCESS_KEY:", "credentials are GitLab's to keep")
}
