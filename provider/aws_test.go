package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onAWS is the provider with the real AWS SDK against an emulated account.
func onAWS(t *testing.T, a *account) *engine {
	t.Helper()
	e := &engine{t: t}
	e.server = serve(t, Connect, Pace{Poll: 50 * time.Millisecond, Start: 10 * time.Second, Cleared: 20 * time.Second})
	require.NoError(t, e.server.Configure(p.ConfigureRequest{Args: properties(map[string]any{
		"region": "us-east-2", "endpoint": a.url, "allowedAccountIds": []any{"123456789012"},
	})}))
	return e
}

func (a *account) program(changes map[string]any) map[string]any {
	values := map[string]any{
		"launchTemplateId": a.template, "subnetIds": []any{a.subnets[1], a.subnets[0]}, "targetGroupArns": []any{a.targetGroup},
		"spotAllocationStrategy": "lowest-price",
	}
	for name, value := range changes {
		values[name] = value
	}
	return values
}

func TestAgainstEmulatedAWS(t *testing.T) {
	a := emulated(t)
	e := onAWS(t, a)
	declared := program(a.program(nil))

	a.throttle = 2
	require.NoError(t, e.create(declared))
	assert.Equal(t, 2, a.refused, "the AWS SDK tried again")
	a.point(e.groupName())
	require.NoError(t, e.refresh())
	e.unchanged(declared)
	groups, instances := a.all(t)
	require.Len(t, groups, 1)
	assert.Equal(t, 2, instances)
	assert.Equal(t, []string{a.targetGroup}, groups[0].TargetGroupARNs)

	live := e.groupName()
	for n, whole := range []bool{true, false, true} {
		live = a.release(t, live, fmt.Sprintf("d-%d", n), whole)
		e.unchanged(declared)
		require.NoError(t, e.refresh())
		assert.Equal(t, live, e.groupName())
		e.unchanged(declared)
	}
	edited := program(a.program(map[string]any{"maxSize": 7.0, "instanceTypes": []any{"m5.large"}, "tags": map[string]any{"Team": "web"}, "schedules": []any{}}))
	require.NoError(t, e.update(edited))
	require.NoError(t, e.refresh())
	e.unchanged(edited)
	groups, _ = a.all(t)
	require.Len(t, groups, 1)
	assert.Equal(t, live, *groups[0].AutoScalingGroupName)
	assert.EqualValues(t, 7, *groups[0].MaxSize)
	assert.Equal(t, []string{a.targetGroup}, groups[0].TargetGroupARNs)
	assert.Equal(t, "m5.large", *groups[0].MixedInstancesPolicy.LaunchTemplate.Overrides[0].InstanceType)

	leftover := a.copyGroup(t, live, "d-9", false)
	a.record("d-9", "Failed")
	require.NoError(t, e.refresh())
	assert.Equal(t, []string{leftover}, e.strings("leftovers"))
	e.unchanged(edited)

	a.point("") // pulumi destroy deletes the deployment group first
	require.NoError(t, e.delete())
	groups, instances = a.all(t)
	assert.Empty(t, groups)
	assert.Zero(t, instances)
	require.NoError(t, e.delete(), "again")
}

// What AWS answers decides what the provider may conclude.
func TestAnswersOfAWS(t *testing.T) {
	credentials(t)
	for _, test := range []struct {
		name string
		code string
		ask  func(context.Context, Cloud) error
		err  string // part of it; empty: none
	}{
		{"no deployment group", "DeploymentGroupDoesNotExistException", askDeploymentGroup, ""},
		{"no application", "ApplicationDoesNotExistException", askDeploymentGroup, ""},
		{"no right to see the deployment group", "AccessDeniedException", askDeploymentGroup, "AccessDeniedException"},
		{"no right to see deployments", "AccessDeniedException", func(ctx context.Context, c Cloud) error {
			_, err := c.Running(ctx, "site", "site-group")
			return err
		}, "AccessDeniedException"},
		{"deployment forgotten", "DeploymentDoesNotExistException", func(ctx context.Context, c Cloud) error {
			_, found, err := c.Deployment(ctx, "d-1")
			assert.False(t, found)
			return err
		}, ""},
		{"deployment over already", "DeploymentAlreadyCompletedException", func(ctx context.Context, c Cloud) error { return c.StopDeployment(ctx, "d-1") }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprintf(w, `{"__type": %q, "message": "from the test"}`, test.code)
			}))
			defer server.Close()
			cloud, err := Connect(t.Context(), Config{Region: "us-east-2", Endpoint: server.URL})
			require.NoError(t, err)
			err = test.ask(t.Context(), cloud)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.err)
			}
		})
	}
}

// What CodeDeploy deploys to an instance that Auto Scaling launches or ends is
// nothing to wait for, and nothing to refuse for.
func TestALaunchIsNoRelease(t *testing.T) {
	credentials(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListDeployments") {
			_, _ = fmt.Fprint(w, `{"deployments": ["d-1", "d-2", "d-3", "d-4"]}`)
			return
		}
		var infos []string
		for i, creator := range []string{"autoscaling", "user", "autoscalingTermination", "CodeDeployAutoUpdate"} {
			infos = append(infos, fmt.Sprintf(`{"deploymentId": "d-%d", "applicationName": "site", "deploymentGroupName": "site-group", "status": "InProgress", "creator": %q}`, i+1, creator))
		}
		_, _ = fmt.Fprintf(w, `{"deploymentsInfo": [%s]}`, strings.Join(infos, ","))
	}))
	defer server.Close()
	cloud, err := Connect(t.Context(), Config{Region: "us-east-2", Endpoint: server.URL})
	require.NoError(t, err)
	running, err := cloud.Running(t.Context(), "site", "site-group")
	require.NoError(t, err)
	var ids []string
	for _, d := range running {
		ids = append(ids, d.ID)
	}
	assert.Equal(t, []string{"d-2", "d-4"}, ids)
}

func askDeploymentGroup(ctx context.Context, c Cloud) error {
	_, err := c.DeploymentGroup(ctx, "site", "site-group")
	return err
}

func TestAnotherAccountStopsTheRun(t *testing.T) {
	credentials(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>999999999999</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	}))
	defer server.Close()
	_, err := Connect(t.Context(), Config{Region: "us-east-2", Endpoint: server.URL, AllowedAccountIDs: []string{"123456789012"}})
	require.EqualError(t, err, "aws: the credentials are of account 999999999999, allowed are 123456789012; switch AWS_PROFILE or the credentials")
}

func TestMissingGroupIsToldFromOtherMistakes(t *testing.T) {
	credentials(t)
	for message, gone := range map[string]bool{
		"AutoScalingGroup name not found - no such group": true,
		"1 validation error detected":                     false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>%s</Message></Error></ErrorResponse>", message)
		}))
		cloud, err := Connect(t.Context(), Config{Region: "us-east-2", Endpoint: server.URL})
		require.NoError(t, err)
		err = cloud.DeleteGroup(t.Context(), "web")
		assert.Equal(t, gone, err == nil, "%v", err)
		assert.True(t, gone || strings.Contains(err.Error(), message))
		server.Close()
	}
}
