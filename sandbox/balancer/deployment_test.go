package balancer

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fleet has an application on each instance that anybody asks the address of, as
// machines would, all at the same port.
type fleet struct {
	t    *testing.T
	port uint16

	mu   sync.Mutex
	apps map[string]*app
}

func newFleet(t *testing.T) *fleet {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return &fleet{t: t, port: uint16(listener.Addr().(*net.TCPAddr).Port), apps: map[string]*app{}}
}

// at is where an instance answers.
func (f *fleet) at(instance string) (netip.Addr, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.apps[instance]
	if a == nil {
		a = &app{instance: instance}
		a.status.Store(http.StatusOK)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:%d", 1+os.Getpid()%250, 1+os.Getpid()/250%250, 1+len(f.apps), f.port))
		if err != nil {
			f.t.Error(err)
			return netip.Addr{}, false
		}
		a.server = httptest.NewUnstartedServer(a)
		_ = a.server.Listener.Close()
		a.server.Listener = listener
		a.server.Start()
		f.t.Cleanup(a.server.Close)
		f.apps[instance] = a
	}
	return netip.MustParseAddrPort(a.server.Listener.Addr().String()).Addr(), true
}

// Run ends an instance's application with all its connections once its traffic is
// blocked, as its termination does.
func (f *fleet) Run(_ context.Context, instance string, command codedeploy.Command) (string, error) {
	if command.Event == "AfterBlockTraffic" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.apps[instance].server.CloseClientConnections()
		f.apps[instance].server.Close()
	}
	return "", nil
}

func TestNoRequestFailsWhileCodeDeployReplacesTheFleet(t *testing.T) {
	f := newFleet(t)
	w := newWorldAt(t, int32(f.port), func(o *Options) { o.Address = f.at })
	w.delay(300)
	deploy := w.codeDeploy(f)
	require.NoError(t, deploy("1")) // its original instances have no revision yet
	stop := w.load()
	before := f.instances()
	for _, digit := range []string{"2", "3"} {
		require.NoError(t, deploy(digit))
	}
	made, failures := stop()
	assert.Empty(t, failures)
	assert.Greater(t, made, 100)
	t.Logf("%d requests", made)

	health, err := w.elb.DescribeTargetHealth(w.ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.group})
	require.NoError(t, err)
	states := map[string]int{}
	for _, d := range health.TargetHealthDescriptions {
		states[string(d.TargetHealth.State)]++
		if d.TargetHealth.State == "healthy" {
			assert.NotContains(t, before, *d.Target.Id)
		}
	}
	assert.Equal(t, 2, states["healthy"], "%v", states)
	assert.Zero(t, states["unhealthy"]+states["initial"], "%v", states)
}

func (f *fleet) instances() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.apps))
}

// codeDeploy makes an Auto Scaling group of two, with a deployment group that
// replaces it, and returns what deploys to it.
func (w *world) codeDeploy(f *fleet) (deploy func(digit string) error) {
	w.Helper()
	moto, err := sharedMoto()
	require.NoError(w, err)
	region := w.balancer.options.Region
	w.scale(moto.Endpoint(), region)
	service, err := codedeploy.New(codedeploy.Options{Account: "123456789012", Region: region, Machines: f, Traffic: w.balancer})
	require.NoError(w, err)
	w.Cleanup(service.Close)
	service.Connect(moto.Endpoint())
	server := httptest.NewServer(service)
	w.Cleanup(server.Close)
	client := api.NewFromConfig(aws.Config{BaseEndpoint: &server.URL, Region: region, Credentials: aws.CredentialsProviderFunc(emulatedCredentials)})
	_, err = client.CreateApplication(w.ctx, &api.CreateApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(w, err)
	_, err = client.CreateDeploymentGroup(w.ctx, &api.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		AutoScalingGroups: []string{"fleet"}, DeploymentConfigName: aws.String("CodeDeployDefault.AllAtOnce"),
		DeploymentStyle:  &types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl},
		LoadBalancerInfo: &types.LoadBalancerInfo{TargetGroupInfoList: []types.TargetGroupInfo{{Name: aws.String(testGroup)}}},
		BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment},
			GreenFleetProvisioningOption:              &types.GreenFleetProvisioningOption{Action: types.GreenFleetProvisioningActionCopyAutoScalingGroup},
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{Action: types.InstanceActionTerminate},
		},
	})
	require.NoError(w, err)
	return func(digit string) error {
		started, err := client.CreateDeployment(w.ctx, &api.CreateDeploymentInput{
			ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"),
			Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeGitHub, GitHubLocation: &types.GitHubLocation{
				Repository: aws.String("example/website"), CommitId: aws.String(strings.Repeat(digit, 40)),
			}},
		})
		if err != nil {
			return err
		}
		return api.NewDeploymentSuccessfulWaiter(client, func(o *api.DeploymentSuccessfulWaiterOptions) {
			o.MinDelay, o.MaxDelay = 50*time.Millisecond, 50*time.Millisecond
		}).Wait(w.ctx, &api.GetDeploymentInput{DeploymentId: started.DeploymentId}, longest)
	}
}

// scale makes an Auto Scaling group of two that registers with the target group.
func (w *world) scale(endpoint, region string) {
	w.Helper()
	client := autoscaling.NewFromConfig(aws.Config{BaseEndpoint: &endpoint, Region: region, Credentials: aws.CredentialsProviderFunc(emulatedCredentials)})
	images, err := w.machines.DescribeImages(w.ctx, &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	require.NoError(w, err)
	template, err := w.machines.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("fleet"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: images.Images[0].ImageId, InstanceType: ec2types.InstanceTypeT3Micro},
	})
	require.NoError(w, err)
	w.Cleanup(func() {
		_, _ = w.machines.DeleteLaunchTemplate(context.Background(), &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId})
		groups, _ := client.DescribeAutoScalingGroups(context.Background(), nil)
		for _, group := range groups.AutoScalingGroups {
			_, _ = client.DeleteAutoScalingGroup(context.Background(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: group.AutoScalingGroupName, ForceDelete: aws.Bool(true)})
		}
	})
	_, err = client.CreateAutoScalingGroup(w.ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(2), MaxSize: aws.Int32(4), DesiredCapacity: aws.Int32(2),
		VPCZoneIdentifier: &w.subnet, TargetGroupARNs: []string{w.group},
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("$Latest")},
	})
	require.NoError(w, err)
}
