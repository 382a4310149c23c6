package codedeploy

import (
	"cmp"
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testAccount = "123456789012"
	testRegion  = "eu-west-1"
	testRole    = "arn:aws:iam::123456789012:role/codedeploy"
	testBalance = "web" // target group
)

// world is a service, a client of it and the cloud behind it.
type world struct {
	*testing.T
	ctx      context.Context
	service  *Service
	client   *codedeploy.Client
	cloud    *fakeCloud // nil with a real emulator
	machines *scriptedMachines
	url      string
}

// newWorld starts a service in front of a cloud in memory.
func newWorld(t *testing.T, settings Settings) *world {
	t.Helper()
	return optionsWorld(t, Options{Settings: settings})
}

func optionsWorld(t *testing.T, options Options) *world {
	t.Helper()
	w := serveWorld(t, options)
	w.cloud = newFakeCloud()
	w.cloud.balanced[testBalance] = map[string]bool{}
	w.service.mu.Lock()
	w.service.cloud = w.cloud
	w.service.mu.Unlock()
	return w
}

// serveWorld has scripted machines, which nobody looks at, unless there are others.
func serveWorld(t *testing.T, options Options) *world {
	t.Helper()
	machines := &scriptedMachines{ran: map[string][]Command{}}
	options.Account, options.Region = testAccount, testRegion
	if options.Machines == nil {
		options.Machines = machines
	}
	options.LaunchPoll = cmp.Or(options.LaunchPoll, time.Hour)
	service, err := New(options)
	require.NoError(t, err)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	t.Cleanup(service.Close)
	return &world{
		T: t, ctx: t.Context(), service: service, machines: machines, url: server.URL,
		client: codedeploy.NewFromConfig(aws.Config{
			BaseEndpoint: &server.URL, Region: testRegion, Credentials: aws.CredentialsProviderFunc(emulatedCredentials),
		}),
	}
}

// scriptedMachines remember what they ran, and do what a test says.
type scriptedMachines struct {
	mu  sync.Mutex
	ran map[string][]Command // by instance
	do  func(ctx context.Context, instance string, command Command) (string, error)
}

func (m *scriptedMachines) Run(ctx context.Context, instance string, command Command) (string, error) {
	m.mu.Lock()
	m.ran[instance] = append(m.ran[instance], command)
	do := m.do
	m.mu.Unlock()
	if do == nil {
		return "", ctx.Err()
	}
	return do(ctx, instance, command)
}

// holdAt makes an event last until the test lets it go, or its deployment stops.
// It returns a channel that tells when the event has begun.
func (m *scriptedMachines) holdAt(event string) (began <-chan string, release func()) {
	begin, gate := make(chan string, 100), make(chan struct{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.do = func(ctx context.Context, instance string, command Command) (string, error) {
		if command.Event != event {
			return "", nil
		}
		begin <- instance
		select {
		case <-gate:
			return "", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return begin, sync.OnceFunc(func() { close(gate) })
}

// reached waits for an event that is held.
func (w *world) reached(began <-chan string) {
	w.Helper()
	select {
	case <-began:
	case <-time.After(20 * time.Second):
		require.Fail(w, "the event did not begin")
	}
}

func revision(key string) *types.RevisionLocation {
	return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{
		Bucket: aws.String("releases"), Key: &key, BundleType: types.BundleTypeZip,
	}}
}

// copying is a deployment group as the platform makes it: copy the group, reroute
// at once, terminate after ten minutes, half at a time.
func copying(group string) *codedeploy.CreateDeploymentGroupInput {
	return &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String(testRole),
		AutoScalingGroups: []string{group}, DeploymentConfigName: aws.String("CodeDeployDefault.HalfAtATime"),
		DeploymentStyle: &types.DeploymentStyle{
			DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl,
		},
		LoadBalancerInfo: &types.LoadBalancerInfo{TargetGroupInfoList: []types.TargetGroupInfo{{Name: aws.String(testBalance)}}},
		BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:        &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment},
			GreenFleetProvisioningOption: &types.GreenFleetProvisioningOption{Action: types.GreenFleetProvisioningActionCopyAutoScalingGroup},
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{
				Action: types.InstanceActionTerminate, TerminationWaitTimeInMinutes: 10,
			},
		},
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{
			Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure},
		},
	}
}

// make creates application and deployment group, of a fleet of four.
func (w *world) make(changes ...func(*codedeploy.CreateDeploymentGroupInput)) {
	w.Helper()
	w.cloud.launch("fleet", 4)
	_, err := w.client.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(w, err)
	in := copying("fleet")
	for _, change := range changes {
		change(in)
	}
	_, err = w.client.CreateDeploymentGroup(w.ctx, in)
	require.NoError(w, err)
}

func noRollback(in *codedeploy.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration = nil }

func inPlace(in *codedeploy.CreateDeploymentGroupInput) {
	in.DeploymentStyle, in.BlueGreenDeploymentConfiguration, in.LoadBalancerInfo = nil, nil, nil
}

// deploy starts a deployment of a revision and returns its id.
func (w *world) deploy(key string, changes ...func(*codedeploy.CreateDeploymentInput)) string {
	w.Helper()
	in := &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), Revision: revision(key)}
	for _, change := range changes {
		change(in)
	}
	out, err := w.client.CreateDeployment(w.ctx, in)
	require.NoError(w, err)
	return *out.DeploymentId
}

func (w *world) get(id string) types.DeploymentInfo {
	w.Helper()
	out, err := w.client.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	require.NoError(w, err)
	return *out.DeploymentInfo
}

// until waits for a deployment to be in a status.
func (w *world) until(id string, statuses ...types.DeploymentStatus) types.DeploymentInfo {
	w.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		info := w.get(id)
		if slices.Contains(statuses, info.Status) {
			return info
		}
		require.True(w, time.Now().Before(deadline), "deployment %s is %s: %+v", id, info.Status, info.ErrorInformation)
	}
}

func (w *world) end(id string) types.DeploymentInfo {
	w.Helper()
	return w.until(id, types.DeploymentStatusSucceeded, types.DeploymentStatusFailed, types.DeploymentStatusStopped)
}

func (w *world) succeed(key string, changes ...func(*codedeploy.CreateDeploymentInput)) types.DeploymentInfo {
	w.Helper()
	info := w.end(w.deploy(key, changes...))
	require.Equal(w, types.DeploymentStatusSucceeded, info.Status, "%+v", aws.ToString(message(info)))
	return info
}

func message(info types.DeploymentInfo) *string {
	if info.ErrorInformation == nil {
		return nil
	}
	return info.ErrorInformation.Message
}

func (w *world) group() types.DeploymentGroupInfo {
	w.Helper()
	out, err := w.client.GetDeploymentGroup(w.ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"),
	})
	require.NoError(w, err)
	return *out.DeploymentGroupInfo
}

// follows returns the one Auto Scaling group that the deployment group names.
func (w *world) follows() string {
	w.Helper()
	groups := w.group().AutoScalingGroups
	require.Len(w, groups, 1)
	return *groups[0].Name
}

func (w *world) targets(id string) []types.InstanceTarget {
	w.Helper()
	list, err := w.client.ListDeploymentTargets(w.ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id})
	require.NoError(w, err)
	var all []types.InstanceTarget
	for _, target := range list.TargetIds {
		out, err := w.client.GetDeploymentTarget(w.ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &id, TargetId: &target})
		require.NoError(w, err)
		assert.Equal(w, types.DeploymentTargetTypeInstanceTarget, out.DeploymentTarget.DeploymentTargetType)
		all = append(all, *out.DeploymentTarget.InstanceTarget)
	}
	return all
}

func eventNames(target types.InstanceTarget) (names []string) {
	for _, event := range target.LifecycleEvents {
		names = append(names, *event.LifecycleEventName)
	}
	return names
}

func (w *world) order(failures ...Failure) {
	w.Helper()
	require.NoError(w, w.service.Change(func(s *Settings) { s.Failures = failures }))
}
