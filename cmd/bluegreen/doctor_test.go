package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bluegreen/internal/doctor"
	"bluegreen/internal/github/githubtest"
	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDoctorsTextAndJSONAgree(t *testing.T) {
	t.Setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "")
	file, err := filepath.Abs(filepath.Join(checkoutRoot, "Pulumi.prod.yaml"))
	require.NoError(t, err)
	text, errs, code := invoke(t, ".", "doctor", "--stack", "prod", "--offline")
	assert.Zero(t, code, "%s%s", text, errs)
	out, _, code := invoke(t, ".", "doctor", "--stack-file", file, "--offline", "--json")
	assert.Zero(t, code)
	var found doctor.Diagnosis
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	assert.Equal(t, "prod", found.Stack)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	require.Len(t, lines, len(found.Findings)+1)
	for i, one := range found.Findings {
		pattern := "^" + regexp.QuoteMeta(string(one.Status)) + ` +` + regexp.QuoteMeta(one.Check) + ` +` + regexp.QuoteMeta(one.Found)
		if one.Advice != "" {
			pattern += regexp.QuoteMeta("; " + one.Advice)
		}
		assert.Regexp(t, pattern+"$", lines[i])
	}
	assert.Contains(t, lines[len(lines)-1], "0 failed")
}

func TestDoctorsMistakes(t *testing.T) {
	t.Setenv("PULUMI_STACK", "")
	root, err := filepath.Abs(checkoutRoot)
	require.NoError(t, err)
	for said, arguments := range map[string][]string{
		"which stack? name it with --stack, or its file with --stack-file; there are Pulumi.prod.yaml": {},
		"Pulumi.absent.yaml: no such file or directory; there are Pulumi.prod.yaml":                    {"--stack", "absent"},
		"--stack is staging, --stack-file is of prod":                                                  {"--stack", "staging", "--stack-file", filepath.Join(root, "Pulumi.prod.yaml")},
		"want a file named Pulumi.<stack>.yaml":                                                        {"--stack-file", filepath.Join(root, "main.go")},
	} {
		out, errs, code := invoke(t, root, append([]string{"doctor", "--offline"}, arguments...)...)
		assert.Equal(t, 1, code, arguments)
		assert.Contains(t, errs, said)
		assert.Empty(t, out)
	}
}

// binary is the tool as it is built, since a sandbox outlives the process that
// made it.
func binary(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bluegreen")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

// rehearsed is a sandbox of its own that is up.
type rehearsed struct {
	t           *testing.T
	binary, run string
	environment []string
}

func raise(t *testing.T) *rehearsed {
	t.Helper()
	partstest.Tools(t)
	r := &rehearsed{t: t, binary: binary(t), run: filepath.Join(t.TempDir(), "run"), environment: os.Environ()}
	t.Cleanup(func() {
		command := exec.Command(r.binary, "sandbox", "destroy", "--force", "--run", r.run)
		out, err := command.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	})
	r.tell(0, "sandbox", "up", "--run", r.run)
	shell := exec.Command("bash", "-c", `eval "$("$0" sandbox env --run "$1")" && env -0`, r.binary, r.run)
	out, err := shell.Output()
	require.NoError(t, err)
	r.environment = slices.DeleteFunc(strings.Split(strings.TrimRight(string(out), "\x00"), "\x00"), func(entry string) bool {
		return strings.HasPrefix(entry, "GH_") || strings.HasPrefix(entry, "GITHUB_") // of CI
	})
	return r
}

// tell runs the tool in the sandbox's shell.
func (r *rehearsed) tell(code int, arguments ...string) string {
	r.t.Helper()
	command := exec.Command(r.binary, arguments...)
	command.Env = r.environment
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		require.Equal(r.t, code, failed.ExitCode(), "%s%s", out, failed.Stderr)
		return string(out)
	}
	require.NoError(r.t, err)
	require.Zero(r.t, code, "%s", out)
	return string(out)
}

// doctor returns what it finds, by check.
func (r *rehearsed) doctor(code int) map[string]doctor.Finding {
	r.t.Helper()
	var diagnosis doctor.Diagnosis
	require.NoError(r.t, json.Unmarshal([]byte(r.tell(code, "doctor", "--json")), &diagnosis))
	found := map[string]doctor.Finding{}
	for _, one := range diagnosis.Findings {
		found[one.Check] = one
	}
	return found
}

// account is the emulated AWS.
func (r *rehearsed) account() aws.Config {
	config := aws.Config{Region: "us-east-2", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	for _, entry := range r.environment {
		if endpoint, ok := strings.CutPrefix(entry, "AWS_ENDPOINT_URL="); ok {
			config.BaseEndpoint = &endpoint
		}
	}
	return config
}

// What exists in the sandbox is ok; what is taken away behind the stack's back
// is found.
func TestDoctorInTheSandbox(t *testing.T) {
	r := raise(t)
	well := r.doctor(0)
	emulated := []string{"dns: delegation", "dns: names", "health: site", "quotas: spot vCPUs", "quotas: Auto Scaling groups", "quotas: load balancers", "github: secrets", "tools: pulumi's Go"}
	for name, one := range well {
		if !slices.Contains(emulated, name) {
			assert.Equal(t, doctor.OK, one.Status, "%s: %s", name, one.Found)
		} else {
			assert.NotEqual(t, doctor.Failed, one.Status, "%s: %s", name, one.Found)
		}
	}
	r.compareWithGitHub()
	ctx, account := t.Context(), r.account()

	_, err := ssm.NewFromConfig(account).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String("/example/sandbox/DATABASE_URL")})
	require.NoError(t, err)
	_, err = ssm.NewFromConfig(account).PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/example/sandbox/DJANGO_ALLOWED_HOSTS"), Value: aws.String("example.com"), Overwrite: aws.Bool(true),
	})
	require.NoError(t, err)
	_, err = codedeploy.NewFromConfig(account).DeleteDeploymentGroup(ctx, &codedeploy.DeleteDeploymentGroupInput{
		ApplicationName: aws.String("example-sandbox"), DeploymentGroupName: aws.String("example-sandbox-DeploymentGroup-01"),
	})
	require.NoError(t, err)
	forget(ctx, t, route53.NewFromConfig(account), "www.example.com.")

	ill := r.doctor(exitUnwell)
	for name, said := range map[string]string{
		"parameters: registry":   "missing: DATABASE_URL",
		"parameters: host names": "DJANGO_ALLOWED_HOSTS in Parameter Store lacks www.example.com",
		"load balancer: times":   "DeploymentGroupDoesNotExistException",
		"dns: records":           "www.example.com has no record",
	} {
		assert.Equal(t, doctor.Failed, ill[name].Status, name)
		assert.Contains(t, ill[name].Found, said, name)
		assert.Contains(t, ill[name].Advice, "pulumi up", name)
	}
	assert.Equal(t, doctor.OK, ill["certificate: names"].Status)
}

// compareWithGitHub has secrets missing, and then written.
func (r *rehearsed) compareWithGitHub() {
	r.t.Helper()
	hub := githubtest.New("example/website")
	hub.AddEnvironment("sandbox")
	server := hub.Start()
	r.t.Cleanup(server.Close)
	before := r.environment
	defer func() { r.environment = before }()
	r.environment = append(slices.Clone(before), "GITHUB_API_URL="+server.URL, "GH_TOKEN="+githubtest.Token)
	found := r.doctor(exitUnwell)["github: secrets"]
	assert.Equal(r.t, doctor.Failed, found.Status, found.Found)
	assert.Contains(r.t, found.Found, "environment sandbox of example/website: missing: ")
	assert.Contains(r.t, found.Found, "CI_CD_DEPLOYMENT_AUTH_TOKEN")
	r.tell(0, "github", "secrets", "--stack", "sandbox", "--yes")
	found = r.doctor(0)["github: secrets"]
	assert.Equal(r.t, doctor.OK, found.Status, found.Found)
	hub.SetVariable("sandbox", "AWS_CODEDEPLOY_REGION", "eu-west-1")
	found = r.doctor(exitUnwell)["github: secrets"]
	assert.Contains(r.t, found.Found, "not the stack's value: AWS_CODEDEPLOY_REGION")
}

// forget deletes the records of a name.
func forget(ctx context.Context, t *testing.T, dns *route53.Client, name string) {
	t.Helper()
	zones, err := dns.ListHostedZones(ctx, &route53.ListHostedZonesInput{})
	require.NoError(t, err)
	deleted := 0
	for _, zone := range zones.HostedZones {
		records, err := dns.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: zone.Id})
		require.NoError(t, err)
		for _, record := range records.ResourceRecordSets {
			if aws.ToString(record.Name) != name {
				continue
			}
			deleted++
			_, err := dns.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
				HostedZoneId: zone.Id, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionDelete, ResourceRecordSet: &record}}},
			})
			require.NoError(t, err)
		}
	}
	require.Positive(t, deleted)
}
