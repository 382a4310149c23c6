package codedeploy

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDeploymentConfigs(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	create := func(name string, kind types.MinimumHealthyHostsType, value int32) error {
		_, err := w.client.CreateDeploymentConfig(w.ctx, &codedeploy.CreateDeploymentConfigInput{
			DeploymentConfigName: &name, MinimumHealthyHosts: &types.MinimumHealthyHosts{Type: kind, Value: value},
		})
		return err
	}
	require.NoError(t, create("eighty", types.MinimumHealthyHostsTypeFleetPercent, 80))
	assert.Equal(t, "DeploymentConfigAlreadyExistsException", code(t, create("eighty", types.MinimumHealthyHostsTypeHostCount, 1)))
	assert.Equal(t, "InvalidDeploymentConfigNameException", code(t, create("CodeDeployDefault.Mine", types.MinimumHealthyHostsTypeHostCount, 1)))
	assert.Equal(t, "InvalidMinimumHealthyHostValueException", code(t, create("all", types.MinimumHealthyHostsTypeFleetPercent, 100)))
	got, err := w.client.GetDeploymentConfig(w.ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: aws.String("eighty")})
	require.NoError(t, err)
	assert.Equal(t, &types.MinimumHealthyHosts{Type: types.MinimumHealthyHostsTypeFleetPercent, Value: 80}, got.DeploymentConfigInfo.MinimumHealthyHosts)
	assert.Equal(t, types.ComputePlatformServer, got.DeploymentConfigInfo.ComputePlatform)
	assert.WithinDuration(t, time.Now(), *got.DeploymentConfigInfo.CreateTime, time.Minute)

	_, err = w.client.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), CurrentDeploymentGroupName: aws.String("web"), DeploymentConfigName: aws.String("eighty"),
	})
	require.NoError(t, err)
	remove := func(name string) error {
		_, err := w.client.DeleteDeploymentConfig(w.ctx, &codedeploy.DeleteDeploymentConfigInput{DeploymentConfigName: &name})
		return err
	}
	assert.Equal(t, "DeploymentConfigInUseException", code(t, remove("eighty")))
	assert.Equal(t, "InvalidOperationException", code(t, remove(oneAtATime)))
	_, err = w.client.DeleteDeploymentGroup(w.ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web")})
	require.NoError(t, err)
	require.NoError(t, remove("eighty"))
	_, err = w.client.GetDeploymentConfig(w.ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: aws.String("eighty")})
	assert.Equal(t, "DeploymentConfigDoesNotExistException", code(t, err))
	list, err := w.client.ListDeploymentConfigs(w.ctx, &codedeploy.ListDeploymentConfigsInput{})
	require.NoError(t, err)
	assert.Len(t, list.DeploymentConfigsList, 17)
}

func TestMinimumHealthyHosts(t *testing.T) {
	percent := func(value int32) hosts {
		return hosts{rule: types.MinimumHealthyHosts{Type: types.MinimumHealthyHostsTypeFleetPercent, Value: value}}
	}
	count := hosts{rule: types.MinimumHealthyHosts{Type: types.MinimumHealthyHostsTypeHostCount, Value: 2}}
	for _, test := range []struct {
		rule       hosts
		all, spare int
	}{
		{percent(0), 3, 3}, {percent(50), 1, 0}, {percent(50), 3, 1}, {percent(50), 4, 2}, {percent(80), 4, 0}, {percent(80), 10, 2},
		{count, 2, 0}, {count, 5, 3}, {hosts{name: oneAtATime}, 1, 1}, {hosts{name: oneAtATime}, 9, 1},
	} {
		assert.Equal(t, test.spare, test.rule.spare(test.all), "%+v of %d", test.rule, test.all)
	}
}

func TestListDeployments(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make(noRollback)
	first := *w.succeed("v1").DeploymentId
	w.order(Failure{Event: "Install"})
	failed := *w.end(w.deploy("v2")).DeploymentId
	list := func(change func(*codedeploy.ListDeploymentsInput)) []string {
		in := &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web")}
		change(in)
		out, err := w.client.ListDeployments(w.ctx, in)
		require.NoError(t, err)
		return out.Deployments
	}
	assert.Equal(t, []string{failed, first}, list(func(*codedeploy.ListDeploymentsInput) {}), "the newest first")
	assert.Equal(t, []string{first}, list(func(in *codedeploy.ListDeploymentsInput) {
		in.IncludeOnlyStatuses = []types.DeploymentStatus{types.DeploymentStatusSucceeded}
	}))
	created := *w.get(first).CreateTime
	for end, want := range map[time.Time][]string{created.Add(-time.Second): {}, created.Add(time.Hour): {failed, first}} {
		assert.Equal(t, want, list(func(in *codedeploy.ListDeploymentsInput) { in.CreateTimeRange = &types.TimeRange{End: &end} }))
	}
	assert.Empty(t, list(func(in *codedeploy.ListDeploymentsInput) {
		in.CreateTimeRange = &types.TimeRange{Start: aws.Time(time.Now().Add(time.Hour))}
	}))
	both, err := w.client.BatchGetDeployments(w.ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: []string{first, failed, "d-NOTTHERE1"}})
	require.NoError(t, err)
	assert.Len(t, both.DeploymentsInfo, 2)
	for id, want := range map[string]string{"": "DeploymentIdRequiredException", "x": "InvalidDeploymentIdException", "d-NOTTHERE1": "DeploymentDoesNotExistException"} {
		_, err := w.client.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
		assert.Equal(t, want, code(t, err))
	}
}

func TestListTargets(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	id := *w.succeed("v1").DeploymentId
	for label, group := range map[types.TargetLabel][]string{types.TargetLabelGreen: w.cloud.groups["CodeDeploy_web_"+id].members, types.TargetLabelBlue: {"i-0001", "i-0002", "i-0003", "i-0004"}} {
		list, err := w.client.ListDeploymentTargets(w.ctx, &codedeploy.ListDeploymentTargetsInput{
			DeploymentId: &id, TargetFilters: map[string][]string{"ServerInstanceLabel": {string(label)}, "TargetStatus": {"Succeeded"}},
		})
		require.NoError(t, err)
		assert.Equal(t, group, list.TargetIds)
		batch, err := w.client.BatchGetDeploymentTargets(w.ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: group})
		require.NoError(t, err)
		for i, target := range batch.DeploymentTargets {
			assert.Equal(t, group[i], *target.InstanceTarget.TargetId)
			assert.Equal(t, "arn:aws:ec2:eu-west-1:123456789012:instance/"+group[i], *target.InstanceTarget.TargetArn)
		}
		older, err := w.client.ListDeploymentInstances(w.ctx, &codedeploy.ListDeploymentInstancesInput{ //nolint:staticcheck // emulated, too
			DeploymentId: &id, InstanceTypeFilter: []types.InstanceType{types.InstanceType(label)},
		})
		require.NoError(t, err)
		assert.Equal(t, group, older.InstancesList)
	}
	_, err := w.client.GetDeploymentTarget(w.ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &id, TargetId: aws.String("i-other")})
	assert.Equal(t, "DeploymentTargetDoesNotExistException", code(t, err))
}

func TestRevisions(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	application := aws.String("shop")
	_, err := w.client.GetApplicationRevision(w.ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: application, Revision: revision("v0")})
	assert.Equal(t, "RevisionDoesNotExistException", code(t, err))
	github := &types.RevisionLocation{RevisionType: types.RevisionLocationTypeGitHub, GitHubLocation: &types.GitHubLocation{
		Repository: aws.String("acme/shop"), CommitId: aws.String(strings.Repeat("a", 40)),
	}}
	for _, at := range []*types.RevisionLocation{revision("v0"), github} {
		_, err = w.client.RegisterApplicationRevision(w.ctx, &codedeploy.RegisterApplicationRevisionInput{ApplicationName: application, Revision: at, Description: aws.String("built")})
		require.NoError(t, err)
	}
	w.succeed("v1")
	got, err := w.client.GetApplicationRevision(w.ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: application, Revision: revision("v1")})
	require.NoError(t, err)
	assert.Equal(t, []string{"web"}, got.RevisionInfo.DeploymentGroups)
	assert.NotNil(t, got.RevisionInfo.FirstUsedTime)
	list, err := w.client.ListApplicationRevisions(w.ctx, &codedeploy.ListApplicationRevisionsInput{
		ApplicationName: application, S3Bucket: aws.String("releases"), SortBy: types.ApplicationRevisionSortByRegisterTime, SortOrder: types.SortOrderDescending,
	})
	require.NoError(t, err)
	assert.Equal(t, []types.RevisionLocation{*revision("v1"), *revision("v0")}, list.Revisions)
	list, err = w.client.ListApplicationRevisions(w.ctx, &codedeploy.ListApplicationRevisionsInput{ApplicationName: application, Deployed: types.ListStateFilterActionExclude})
	require.NoError(t, err)
	assert.ElementsMatch(t, []types.RevisionLocation{*revision("v0"), *github}, list.Revisions)
	github.GitHubLocation.CommitId = aws.String("main")
	_, err = w.client.RegisterApplicationRevision(w.ctx, &codedeploy.RegisterApplicationRevisionInput{ApplicationName: application, Revision: github})
	assert.Equal(t, "InvalidRevisionException", code(t, err))

	// A deployment that names no revision gets the deployment group's.
	out, err := w.client.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: application, DeploymentGroupName: aws.String("web")})
	require.NoError(t, err)
	assert.Equal(t, revision("v1"), w.end(*out.DeploymentId).Revision)
}

func TestPages(t *testing.T) {
	list := make([]int, 250)
	var seen int
	var token *string
	for range 3 {
		part, next, err := page(list, token)
		require.NoError(t, err)
		seen += len(part)
		token = next
	}
	assert.Equal(t, 250, seen)
	assert.Nil(t, token)
	_, _, err := page(list, aws.String("300"))
	assert.Equal(t, "InvalidNextTokenException", code(t, err))
}

func TestControl(t *testing.T) {
	w := newWorld(t, Settings{})
	call := func(method, body string) (int, string) {
		request, err := http.NewRequest(method, w.url+ControlPath, strings.NewReader(body))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	status, _ := call(http.MethodPatch, `{"waits": 0.01, "copy": {"targetGroups": false}, "failures": [{"event": "Install", "log": "full"}]}`)
	require.Equal(t, http.StatusOK, status)
	want := CopyAll()
	want.TargetGroups = false
	status, text := call(http.MethodGet, "")
	require.Equal(t, http.StatusOK, status)
	var got Settings
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	assert.Equal(t, Settings{Waits: 0.01, Copy: &want, Failures: []Failure{{Event: "Install", Log: "full"}}}, got)

	for body, problem := range map[string]string{
		`{"wait": 1}`:                         "unknown field",
		`{"waits": -1}`:                       "waits: want 0 or more, got -1",
		`{"failures": [{"event": "Instal"}]}`: `failures[0].event: no lifecycle event is named "Instal"`,
	} {
		status, text := call(http.MethodPatch, body)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Contains(t, text, problem)
	}
	assert.Equal(t, got, w.service.Settings(), "errors change nothing")
	status, _ = call(http.MethodPatch, `{"failures": []}`)
	require.Equal(t, http.StatusOK, status)
	assert.Empty(t, w.service.Settings().Failures)
	status, _ = call(http.MethodDelete, "")
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	_, err := New(Options{Settings: Settings{Waits: -1}})
	require.ErrorContains(t, err, "waits")
}

func TestNotConnected(t *testing.T) {
	w := serveWorld(t, Options{})
	_, err := w.client.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(t, err)
	_, err = w.client.CreateDeploymentGroup(w.ctx, copying("fleet"))
	assert.Equal(t, emulatorFault, code(t, err))
	assert.ErrorContains(t, err, "not connected")
}
