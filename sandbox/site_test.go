package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"bluegreen/internal/release"
	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	codedeployapi "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	codedeploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const (
	siteApplication     = "web-sandbox"
	siteDeploymentGroup = "web-sandbox-DeploymentGroup-01"
	siteFirstGroup      = "web-sandbox-EC2AutoScalingGroup"
)

// site is the repository's own program in a sandbox of its own: a small stack,
// so that its tests are about releases.
type site struct {
	t *testing.T
	*Sandbox
	settings map[string]map[string]any // of the stack's file, by section
	record   server

	scaling   *autoscaling.Client
	deploying *codedeployapi.Client
	machines  *ec2.Client
	balancing *elasticloadbalancingv2.Client
	roles     *iam.Client
	tagged    *resourcegroupstaggingapi.Client
}

// planned is a site that is configured and not made yet.
func planned(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	s := &site{t: t, settings: map[string]map[string]any{
		"network":     {"zones": []string{"a", "b"}},
		"edge":        {"domain": "example.com", "www": false, "protect": false},
		"access":      {"ci": "none", "customerManagedKey": false},
		"database":    {"enabled": false},
		"storage":     {"protect": false},
		"environment": {"DATABASE_URL": "postgresql://elsewhere/site"},
		"fleet":       {"minSize": 2, "maxSize": 4},
		"release":     {"waitForDeploymentMinutes": 0},
	}}
	s.Sandbox = stand(t, Platform(), s.text())
	s.Progress = io.Discard
	return s
}

// built is a site that is up.
func built(t *testing.T) *site {
	t.Helper()
	s := planned(t)
	s.up()
	return s
}

// run is a test of its own on the same site.
func (s *site) run(name string, test func(t *testing.T)) {
	whole := s.t
	defer func() { s.t = whole }()
	whole.Run(name, func(t *testing.T) {
		s.t = t
		test(t)
	})
}

func (s *site) text() string {
	config := map[string]any{
		"pulumi:disable-default-providers": []string{"aws"},
		"bluegreen:project":                "web", "bluegreen:account": "123456789012", "bluegreen:region": "us-east-2",
	}
	for section, settings := range s.settings {
		config["bluegreen:"+section] = settings
	}
	text, err := yaml.Marshal(map[string]any{"config": config})
	require.NoError(s.t, err)
	return string(text)
}

// set changes a setting of the stack's file.
func (s *site) set(section, name string, value any) {
	s.t.Helper()
	s.settings[section][name] = value
	configure(s.t, s.Sandbox, s.text())
}

func (s *site) up() Summary {
	s.t.Helper()
	summary, err := s.Up(s.t.Context())
	require.NoError(s.t, err)
	s.connect()
	return summary
}

func (s *site) connect() {
	s.t.Helper()
	record, now, err := s.lookup()
	require.NoError(s.t, err)
	require.Equal(s.t, serving, now)
	s.record = record
	config := s.account(record)
	s.scaling, s.deploying = autoscaling.NewFromConfig(config), codedeployapi.NewFromConfig(config)
	s.machines, s.balancing = ec2.NewFromConfig(config), elasticloadbalancingv2.NewFromConfig(config)
	s.roles, s.tagged = iam.NewFromConfig(config), resourcegroupstaggingapi.NewFromConfig(config)
}

// unchanged is the promise: a preview finds nothing to do, by the state alone
// and after a look at what exists.
func (s *site) unchanged(when string) {
	s.t.Helper()
	for name, refresh := range map[string]Refresh{"without a refresh": RefreshNever, "with a refresh": RefreshAlways} {
		changes, err := s.Preview(s.t.Context(), refresh)
		require.NoError(s.t, err, "%s, %s", when, name)
		require.Empty(s.t, changes.Steps, "%s, %s", when, name)
	}
}

// release releases the checkout; failures are lifecycle events to fail.
func (s *site) release(failures ...string) release.Deployment {
	s.t.Helper()
	order := Release{Options: release.Options{Output: io.Discard, Source: release.Source{AllowDirty: true}}}
	for _, event := range failures {
		order.Failures = append(order.Failures, codedeploy.Failure{Event: event, Log: "ordered by a test"})
	}
	var result release.Result
	err := s.Release(s.t.Context(), order, func(ctx context.Context, options release.Options) (err error) {
		result, err = release.Run(ctx, options)
		return err
	})
	require.NoError(s.t, err)
	require.Len(s.t, result.Deployments, 1)
	return result.Deployments[0]
}

func (s *site) released() release.Deployment {
	s.t.Helper()
	deployment := s.release()
	require.Equal(s.t, release.Succeeded, deployment.Outcome, "%+v", deployment)
	return deployment
}

// deploy starts a deployment of the revision that was last released, and does
// not wait for it.
func (s *site) deploy() string {
	s.t.Helper()
	group := s.deploymentGroup()
	require.NotNil(s.t, group.TargetRevision)
	made, err := s.deploying.CreateDeployment(s.t.Context(), &codedeployapi.CreateDeploymentInput{
		ApplicationName: aws.String(siteApplication), DeploymentGroupName: aws.String(siteDeploymentGroup), Revision: group.TargetRevision,
	})
	require.NoError(s.t, err)
	return aws.ToString(made.DeploymentId)
}

func (s *site) deployment(id string) *codedeploytypes.DeploymentInfo {
	s.t.Helper()
	found, err := s.deploying.GetDeployment(s.t.Context(), &codedeployapi.GetDeploymentInput{DeploymentId: &id})
	require.NoError(s.t, err)
	return found.DeploymentInfo
}

func (s *site) deploymentGroup() *codedeploytypes.DeploymentGroupInfo {
	s.t.Helper()
	found, err := s.deploying.GetDeploymentGroup(s.t.Context(), &codedeployapi.GetDeploymentGroupInput{
		ApplicationName: aws.String(siteApplication), DeploymentGroupName: aws.String(siteDeploymentGroup),
	})
	require.NoError(s.t, err)
	return found.DeploymentGroupInfo
}

// order changes settings of the sandbox's CodeDeploy.
func (s *site) order(settings map[string]any) {
	s.t.Helper()
	require.NoError(s.t, s.control(s.t.Context(), s.record, settings))
}

func (s *site) groups() map[string]autoscalingtypes.AutoScalingGroup {
	s.t.Helper()
	all := map[string]autoscalingtypes.AutoScalingGroup{}
	found, err := s.scaling.DescribeAutoScalingGroups(s.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(s.t, err)
	for _, group := range found.AutoScalingGroups {
		all[aws.ToString(group.AutoScalingGroupName)] = group
	}
	return all
}

// live is the one group that there is, which the deployment group names.
func (s *site) live() autoscalingtypes.AutoScalingGroup {
	s.t.Helper()
	groups := s.groups()
	require.Len(s.t, groups, 1, "%v", slices.Collect(maps.Keys(groups)))
	named := s.deploymentGroup().AutoScalingGroups
	require.Len(s.t, named, 1)
	require.Contains(s.t, groups, aws.ToString(named[0].Name))
	return groups[aws.ToString(named[0].Name)]
}

// served are the instances that the load balancer knows.
func (s *site) served() (instances []string) {
	s.t.Helper()
	targets, err := s.balancing.DescribeTargetGroups(s.t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	require.NoError(s.t, err)
	require.Len(s.t, targets.TargetGroups, 1)
	health, err := s.balancing.DescribeTargetHealth(s.t.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: targets.TargetGroups[0].TargetGroupArn})
	require.NoError(s.t, err)
	for _, target := range health.TargetHealthDescriptions {
		instances = append(instances, aws.ToString(target.Target.Id))
	}
	return instances
}

func ids(group autoscalingtypes.AutoScalingGroup) (all []string) {
	for _, instance := range group.Instances {
		all = append(all, aws.ToString(instance.InstanceId))
	}
	return all
}

// children are the processes below one, by /proc.
func children(t *testing.T, of int) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		var pid, parent int
		var state string
		after := string(text[bytes.LastIndexByte(text, ')')+1:])
		if _, err := fmt.Sscan(after, &state, &parent); err != nil || parent != of {
			continue
		}
		_, err = fmt.Sscan(string(text), &pid)
		require.NoError(t, err)
		pids = append(pids, append(children(t, pid), pid)...)
	}
	return pids
}

// throttle makes the next calls of services fail.
func (s *site) throttle(calls map[string]int) {
	s.t.Helper()
	body, err := json.Marshal(calls)
	require.NoError(s.t, err)
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, s.record.Endpoint+emulator.ThrottlePath, bytes.NewReader(body))
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	require.Equal(s.t, http.StatusOK, response.StatusCode)
}

// stopping stops a deployment as bluegreen release --stop does.
func stopping(result *release.Result, id string) func(context.Context, release.Options) error {
	return func(ctx context.Context, options release.Options) (err error) {
		*result, err = release.Stop(ctx, options, id)
		return err
	}
}

// logged is what is said by more than one goroutine.
type logged struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *logged) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(text)
}

func (l *logged) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}
