package newcomer

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bluegreen/internal/github/githubtest"
	"bluegreen/internal/workflows"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the newcomer chooses.
const (
	repositoryName = "baker/bakery"
	stateBucket    = "bakery-pulumi-state"
	passphrase     = "correct-horse-battery-staple"
	typed          = "key-0123456789abcdef" // at the prompt for a value that only a newcomer knows
)

// newcomer is somebody with a repository, an account, and GitHub.
type newcomer struct {
	*repository
	account   account
	hub       *githubtest.Server
	workflows map[string]workflows.Workflow
	machine   map[string]string // the environment of a job's machine
	temp      string            // its RUNNER_TEMP
	prepared  bool              // a job has prepared it
}

// The whole life of a site, as docs/first-hour.md tells it.
func TestNewcomer(t *testing.T) {
	n := arrive(t)
	n.configure()
	n.protect()
	n.look()
	n.create()
	n.connect()
	n.release()
	n.propose()
	n.drift()
	n.useKeys()
	n.page.finished(t)
	secrets := n.secrets()
	n.discreet(secrets)
	n.leave()
	n.discreet(secrets)
}

// arrive makes the repository, builds its tool, and signs in to AWS and GitHub.
func arrive(t *testing.T) *newcomer {
	n := &newcomer{repository: newRepository(t), hub: githubtest.New(repositoryName), temp: t.TempDir()}
	n.run("make build")
	n.account = openAccount(t, n.root)
	n.hub.SetMade(time.Date(2026, time.September, 2, 0, 0, 0, 0, time.UTC))
	github := n.hub.Start()
	t.Cleanup(github.Close)
	var err error
	n.workflows, err = workflows.Load(n.root)
	require.NoError(t, err)

	n.machine = maps.Clone(n.environment)
	maps.Copy(n.machine, n.account.environment)
	n.environment = maps.Clone(n.machine)
	maps.Copy(n.environment, signedIn())
	maps.Copy(n.environment, map[string]string{
		"GITHUB_API_URL": github.URL, "GH_TOKEN": githubtest.Token, // the address as Actions says it
		"PULUMI_CONFIG_PASSPHRASE": passphrase, "PULUMI_BACKEND_URL": n.account.backend(stateBucket),
	})
	return n
}

// configure keeps Pulumi's state in a bucket, and says what the site is to be.
func (n *newcomer) configure() {
	n.account.makeBucket(n.T, stateBucket)
	n.page.told(n.T, "aws s3 mb s3://"+stateBucket+" --region us-east-2")
	n.run("pulumi stack init prod")
	n.run("pulumi config set project bakery")
	n.run("pulumi config set account " + accountID)
	n.run("pulumi config set --path edge.domain " + domain)
	n.run("pulumi config set --path access.github.repository " + repositoryName)
	n.run("pulumi config set --path access.stateBucket " + stateBucket)
	const ask = "pulumi config set --secret --path environment.MAILGUN_API_KEY"
	n.runAs(ask, ask, typed)
}

// protect makes the environment on GitHub, and learns which numbers the
// repository has.
func (n *newcomer) protect() {
	n.run("bin/bluegreen github setup --stack prod --yes")
	n.run("pulumi config set --path access.github.ownerId 815")
	n.run("pulumi config set --path access.github.repositoryId 4711")
	assert.Equal(n, repositoryName+", environment prod: all is set up\n", n.run("bin/bluegreen github setup --stack prod"))
	n.run("git diff --stat")
	n.commit("Say what the site is to be")
}

// look asks for mistakes, for what would be made, and for what that costs.
func (n *newcomer) look() {
	n.run("bin/bluegreen doctor --stack prod --offline")
	n.run("bin/bluegreen sandbox preview --stack-file Pulumi.prod.yaml")
	n.run("bin/bluegreen cost --stack-file Pulumi.prod.yaml")
	n.run("bin/bluegreen doctor --stack prod") // of what does not exist yet
}

// create makes it all.
func (n *newcomer) create() {
	n.run("make up STACK=prod")
}

// connect lets GitHub work on it.
func (n *newcomer) connect() {
	n.run("bin/bluegreen github secrets --stack prod --yes")
	n.run("bin/bluegreen github secrets --stack prod --check")
	n.hub.SetVariable("", "STACKS", `["prod"]`)
	n.page.told(n.T, `gh variable set STACKS --body '["prod"]'`)
	n.hub.SetVariable("", "PULUMI_BACKEND_URL", n.environment["PULUMI_BACKEND_URL"])
	n.page.told(n.T, "gh variable set PULUMI_BACKEND_URL --body s3://"+stateBucket)
	n.hub.SetSecret("", "PULUMI_CONFIG_PASSPHRASE", passphrase)
	n.page.told(n.T, "gh secret set PULUMI_CONFIG_PASSPHRASE")
}

// release releases from here, pushes twice, and then presses the button for the
// last good revision. Instances of the emulated AWS install nothing, so that
// nothing is built for them.
func (n *newcomer) release() {
	n.runAs("bin/bluegreen release --stack prod", "bin/bluegreen release --stack prod --no-build", "")
	n.run("bin/bluegreen doctor --stack prod")
	first := n.live()
	n.page.told(n.T, "git push")
	asked, address := n.serve()
	n.hub.SetVariable("prod", "RELEASE_FLAGS", "--no-build --once-over-http --site-url "+address)
	n.pushed()
	assert.Equal(n, []string{"/migrate/", "/collectstatic/"}, asked.asked, "with the token from GitHub")
	second := n.live()
	assert.NotEqual(n, first, second, "a release replaces the fleet")
	n.hub.SetVariable("prod", "RELEASE_FLAGS", "--no-build")
	n.pushed()
	third := n.live()
	assert.NotEqual(n, second, third)
	again := n.job("release.yml", "redeploy", button(map[string]any{"stack": "prod", "redeploy": true}), nil)
	assert.Contains(n, again[0].Summary, "## ✅ Released")
	assert.NotEqual(n, third, n.live())
	n.run("bin/bluegreen release --stack prod --status")
}

// pushed commits a change of the application and has it released.
func (n *newcomer) pushed() {
	file := filepath.Join(n.root, "app", "bakery.txt")
	text, err := os.ReadFile(file)
	if !os.IsNotExist(err) {
		require.NoError(n, err)
	}
	require.NoError(n, os.WriteFile(file, append(text, "more bread\n"...), 0o600))
	commit := n.commit("Bake")
	released := n.job("release.yml", "release", push, nil)
	require.Len(n, released, 1)
	assert.Contains(n, released[0].Summary, "## ✅ Released")
	assert.Contains(n, released[0].Summary, commit[:8])
}

// propose opens a pull request for a larger fleet, which is previewed and
// commented on, once.
func (n *newcomer) propose() {
	n.run("git checkout --quiet -b larger")
	n.run("pulumi config set --path fleet.maxSize 6")
	head := n.commit("Let the fleet be larger")
	pull := event{name: "pull_request", ref: "refs/pull/1/merge", more: map[string]any{
		"pull_request": map[string]any{"number": 1.0, "head": map[string]any{"repo": map[string]any{"full_name": repositoryName}}},
	}}
	listed := n.job("preview.yml", "stacks", pull, nil)
	needs := map[string]map[string]string{"stacks": listed[0].Outputs}
	offline := n.job("preview.yml", "offline", pull, needs)
	require.Len(n, offline, 2, "the template has two stacks")
	live := n.job("preview.yml", "live", pull, needs)
	require.Len(n, live, 1)
	assert.Contains(n, live[0].Summary, "<!-- bluegreen:preview:prod -->")
	digests, err := filepath.Glob(filepath.Join(n.previews(), "*.json"))
	require.NoError(n, err)
	require.Len(n, digests, 3)
	for _, file := range digests {
		text, err := os.ReadFile(file)
		require.NoError(n, err)
		n.said.add(file, string(text))
	}

	number := n.hub.AddPullRequest()
	n.hub.SetHead(number, head)
	n.run("git checkout --quiet main")
	done := event{name: "workflow_run", ref: "refs/heads/main", more: map[string]any{
		"repository": map[string]any{"default_branch": "main"},
		"workflow_run": map[string]any{
			"event": "pull_request", "conclusion": "success", "head_sha": head, "head_repository": map[string]any{"full_name": repositoryName},
		},
	}}
	for range 2 {
		n.job("comment.yml", "comment", done, nil)
		comments := n.hub.Issues()[number-1].Comments
		require.Len(n, comments, 2, "one for each stack")
		assert.True(n, strings.HasPrefix(comments[0].Body, "<!-- bluegreen:preview:prod -->"))
		assert.Contains(n, comments[0].Body, "bakery-prod-fleet", "what would change")
		assert.NotContains(n, comments[0].Body, "bakery-prod-alb-01", "of the account, where the rest exists")
	}
}

// drift has somebody change a parameter in the console, and looks each night.
func (n *newcomer) drift() {
	n.job("infrastructure.yml", "drift", night, nil)
	before := n.hub.Issues()
	assert.Len(n, before, 1, "the pull request; releases are no drift")

	const elsewhere = "postgres://somebody:hunter2hunter2@elsewhere.example/db"
	_, err := ssm.NewFromConfig(n.account.Config).PutParameter(n.Context(), &ssm.PutParameterInput{
		Name: aws.String("/bakery/prod/DATABASE_URL"), Value: aws.String(elsewhere), Overwrite: aws.Bool(true),
	})
	require.NoError(n, err)
	n.discreet(n.secrets())
	for range 2 {
		n.job("infrastructure.yml", "drift", night, nil)
		require.Len(n, n.hub.Issues(), 2, "one issue")
	}
	issue := n.hub.Issues()[1]
	assert.Equal(n, "open", issue.State)
	assert.Contains(n, issue.Body, "DATABASE_URL")
	assert.NotContains(n, issue.Body, "hunter2")
	n.discreet(n.secrets())

	n.job("infrastructure.yml", "up", button(map[string]any{"stack": "prod", "what": "up"}), nil)
	n.job("infrastructure.yml", "drift", night, nil)
	assert.Equal(n, "closed", n.hub.Issues()[1].State)
	n.run("bin/bluegreen doctor --stack prod")
}

// useKeys has GitHub release with an access key in the place of roles.
func (n *newcomer) useKeys() {
	n.discreet(n.secrets())
	n.run("pulumi config set --path access.ci keys")
	n.commit("Release with a key")
	n.run("make up STACK=prod")
	n.run("bin/bluegreen github secrets --stack prod --prune --yes")
	assert.NotContains(n, n.hub.Variables("prod"), "AWS_RELEASE_ROLE_ARN")
	assert.Empty(n, n.hub.Variables("")["AWS_PREVIEW_ROLE_ARN_PROD"])
	n.pushed()
}

// leave takes the protection away, and deletes everything.
func (n *newcomer) leave() {
	for _, of := range []string{"edge", "access", "database", "cache", "storage"} {
		set := "pulumi config set --path " + of + ".protect false"
		n.page.told(n.T, set)
		n.run(set)
	}
	n.run("make up STACK=prod")
	assert.NotZero(n, n.left()["roles"], "the search finds what is there")
	n.page.told(n.T, "pulumi destroy --yes --stack prod")
	n.run("tools/pulumi.sh destroy --yes --stack prod")
	const forget = "pulumi stack rm --yes --preserve-config prod"
	n.page.told(n.T, forget)
	n.run(forget)
	left := n.left()
	assert.Equal(n, 1, left["identity providers"], "another stack of the account may need it")
	delete(left, "identity providers")
	for kind, count := range left {
		assert.Zero(n, count, kind)
	}
}
