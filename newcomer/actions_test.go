package newcomer

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bluegreen/internal/github/githubtest"
	"bluegreen/internal/workflows"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"
)

const (
	setup  = "./.github/actions/setup"
	signIn = "aws-actions/configure-aws-credentials@"
)

// event is what starts a workflow.
type event struct {
	name   string         // "push"
	ref    string         // "refs/heads/main"
	more   map[string]any // in github.event
	inputs map[string]any
}

// Events of the default branch.
var (
	push  = event{name: "push", ref: "refs/heads/main"}
	night = event{name: "schedule", ref: "refs/heads/main"}
)

func button(inputs map[string]any) event {
	return event{name: "workflow_dispatch", ref: "refs/heads/main", inputs: inputs}
}

// job runs a job for an event, for each value of its matrix, as GitHub would: by
// its condition, and with the variables and secrets that are on GitHub for it.
func (n *newcomer) job(file, id string, of event, needs map[string]map[string]string) (results []workflows.Result) {
	n.Helper()
	job, found := n.workflows[file].Jobs[id]
	require.True(n, found, "%s: %s", file, id)
	n.built(&job)
	runner := workflows.Runner{Root: n.root, Temp: n.temp, Environment: entries(n.machine), Output: n.said, Context: n.context(of, "")}
	runner.Context["needs"] = needsOf(needs)
	passed := map[string]string{}
	for _, needed := range job.Needs {
		passed[needed] = "success"
	}
	wanted, err := runner.Wanted(job, passed)
	require.NoError(n, err)
	require.True(n, wanted, "%s: %s does not run on %s", file, id, of.name)
	values, err := runner.Matrix(job)
	require.NoError(n, err)
	require.NotEmpty(n, values)
	for _, matrix := range values {
		inside := workflows.Context{"matrix": matrix}
		environment, err := inside.Expand(job.Environment)
		require.NoError(n, err)
		runner.Context = n.context(of, environment)
		runner.Variables = n.credentials(job, runner.Context, matrix, subject(of, environment))
		began := time.Now()
		result, err := runner.Job(n.Context(), job, matrix, needs)
		require.NoError(n, err, "%s: %s %v\n%s", file, id, matrix, n.said.all()["the logs of jobs"])
		n.Logf("%6.1fs  %s: %s %v", time.Since(began).Seconds(), file, id, matrix)
		n.said.add("the page of "+file, result.Summary)
		results = append(results, result)
	}
	return results
}

// built leaves the preparation of a job's machine to the first job: what it makes
// is still there.
func (n *newcomer) built(job *workflows.Job) {
	if !n.prepared {
		n.prepared = slices.ContainsFunc(job.Steps, func(step workflows.Step) bool { return step.Uses == setup })
		return
	}
	job.Steps = slices.DeleteFunc(slices.Clone(job.Steps), func(step workflows.Step) bool { return step.Uses == setup })
}

func needsOf(outputs map[string]map[string]string) map[string]any {
	all := map[string]any{}
	for id, of := range outputs {
		all[id] = map[string]any{"outputs": of, "result": "success"}
	}
	return all
}

// context is what a job knows: what is on GitHub for the repository, and with an
// environment what is there for that.
func (n *newcomer) context(of event, environment string) workflows.Context {
	vars, secrets := map[string]any{}, map[string]any{}
	levels := []string{""}
	if environment != "" {
		levels = append(levels, environment)
	}
	for _, level := range levels {
		for name, value := range n.hub.Variables(level) {
			vars[name] = value
		}
		for _, name := range n.hub.Secrets(level) {
			secrets[name], _ = n.hub.Secret(level, name)
		}
	}
	return workflows.Context{"vars": vars, "secrets": secrets, "inputs": of.inputs, "github": map[string]any{
		"event_name": of.name, "ref": of.ref, "repository": repositoryName, "actor": "newcomer", "token": githubtest.Token, "event": of.more,
	}}
}

// subject is who GitHub's token for a job says that it is, for a repository that
// is new (GitHub Docs, "OpenID Connect reference").
func subject(of event, environment string) string {
	owner, name, _ := strings.Cut(repositoryName, "/")
	begin := fmt.Sprintf("repo:%s@%d/%s@%d:", owner, githubtest.OwnerID, name, githubtest.RepositoryID)
	switch {
	case environment != "":
		return begin + "environment:" + environment
	case of.name == "pull_request":
		return begin + "pull_request"
	}
	return begin + "ref:" + of.ref
}

// credentials are what the actions of a job leave in its environment: those of
// AWS, if the role that it asks for exists and trusts the job, or the key exists.
func (n *newcomer) credentials(job workflows.Job, context workflows.Context, matrix map[string]any, who string) map[string]string {
	n.Helper()
	variables := map[string]string{"GITHUB_API_URL": n.environment["GITHUB_API_URL"], "GITHUB_REPOSITORY": repositoryName}
	context = maps.Clone(context)
	context["matrix"] = matrix
	for _, step := range job.Steps {
		if !strings.HasPrefix(step.Uses, signIn) {
			continue
		}
		wanted, err := context.True(step.If)
		require.NoError(n, err)
		if !wanted {
			continue
		}
		given := map[string]string{}
		for name, text := range step.With {
			given[name], err = context.Expand(text)
			require.NoError(n, err)
		}
		require.NotEmpty(n, given["aws-region"])
		key, secret := given["aws-access-key-id"], given["aws-secret-access-key"]
		if given["role-to-assume"] != "" || key == "" {
			n.trusts(given["role-to-assume"], who)
			key, secret = "role", "role"
		} else {
			n.exists(key)
		}
		maps.Copy(variables, map[string]string{
			"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": given["aws-region"], "AWS_DEFAULT_REGION": given["aws-region"],
		})
	}
	return variables
}

// trusts checks that there is such a role, and that the job may take it.
func (n *newcomer) trusts(arn, who string) {
	n.Helper()
	name := arn[strings.LastIndex(arn, "/")+1:]
	require.NotEmpty(n, name, "no role for %s", who)
	found, err := iam.NewFromConfig(n.account.Config).GetRole(n.Context(), &iam.GetRoleInput{RoleName: &name})
	require.NoError(n, err)
	require.Equal(n, arn, *found.Role.Arn)
	document, err := url.QueryUnescape(*found.Role.AssumeRolePolicyDocument)
	require.NoError(n, err)
	quoted, err := json.Marshal(who)
	require.NoError(n, err)
	require.Contains(n, document, string(quoted), "%s does not trust %s", arn, who)
}

// exists checks that an access key is of the stack's user.
func (n *newcomer) exists(key string) {
	n.Helper()
	used, err := iam.NewFromConfig(n.account.Config).GetAccessKeyLastUsed(n.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key})
	require.NoError(n, err)
	require.Contains(n, *used.UserName, "bakery-prod")
}

// previews is where jobs leave digests.
func (n *newcomer) previews() string { return filepath.Join(n.temp, "previews") }
