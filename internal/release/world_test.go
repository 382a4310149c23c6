package release

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testAccount = "123456789012"
	testRegion  = "us-east-2"
	testTime    = 5 * time.Minute // more than any test takes
)

// world is a site on an emulated AWS with a CodeDeploy of its own.
type world struct {
	*testing.T
	ctx      context.Context
	service  *standin.Service
	machines *scripted
	config   aws.Config
	clients
	computing *ec2.Client

	application, group string // of CodeDeploy
	fleet              string // first Auto Scaling group
	template           string
	subnet, vpc        string
	targetGroup        string // name
	targetARN          string
	bucket             string

	mu     sync.Mutex
	before func(w http.ResponseWriter, operation string) (answered bool) // of CodeDeploy's operations

	out bytes.Buffer // of releases
}

// newWorld makes a network, a launch template, a target group, a bucket, a fleet
// of two, and an application without deployment groups.
func newWorld(t *testing.T, settings standin.Settings, changes ...func(*standin.Options)) *world {
	t.Helper()
	t.Parallel()
	used.Store(true)
	emulated, err := account()
	require.NoError(t, err)
	n := worlds.Add(1)
	w := &world{
		T: t, ctx: t.Context(), machines: &scripted{}, application: "example-prod", group: fmt.Sprintf("web%d", n),
		fleet: fmt.Sprintf("fleet%d", n), targetGroup: fmt.Sprintf("balance%d", n), bucket: fmt.Sprintf("example-prod-releases-%d", n),
	}
	options := standin.Options{Account: testAccount, Region: testRegion, Machines: w.machines, Settings: settings, LaunchPoll: time.Hour}
	for _, change := range changes {
		change(&options)
	}
	w.service, err = standin.New(options)
	require.NoError(t, err)
	w.service.Connect(emulated.Endpoint())
	w.serve(emulated.Endpoint())
	w.furnish()
	return w
}

// serve puts the stand-in and the emulator behind one endpoint.
func (w *world) serve(emulated string) {
	target, err := url.Parse(emulated)
	require.NoError(w, err)
	rest := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		operation, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "CodeDeploy_20141006.")
		if !ours {
			rest.ServeHTTP(out, r)
			return
		}
		w.mu.Lock()
		before := w.before
		w.mu.Unlock()
		if before == nil || !before(out, operation) {
			w.service.ServeHTTP(out, r)
		}
	}))
	w.Cleanup(server.Close)
	w.Cleanup(w.service.Close)
	w.config = aws.Config{BaseEndpoint: &server.URL, Region: testRegion, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	w.clients, w.computing = newClients(w.config), ec2.NewFromConfig(w.config)
}

func (w *world) furnish() {
	vpc, err := w.computing.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	require.NoError(w, err)
	w.vpc = *vpc.Vpc.VpcId
	subnet, err := w.computing.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{VpcId: &w.vpc, CidrBlock: aws.String("10.0.0.0/24")})
	require.NoError(w, err)
	w.subnet = *subnet.Subnet.SubnetId
	target, err := w.balancing.CreateTargetGroup(w.ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &w.targetGroup, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: &w.vpc,
	})
	require.NoError(w, err)
	w.targetARN = *target.TargetGroups[0].TargetGroupArn
	images, err := w.computing.DescribeImages(w.ctx, &ec2.DescribeImagesInput{})
	require.NoError(w, err)
	template, err := w.computing.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &w.fleet,
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: images.Images[0].ImageId, InstanceType: ec2types.InstanceTypeT3Micro},
	})
	require.NoError(w, err)
	w.template = *template.LaunchTemplate.LaunchTemplateId
	_, err = w.objects.CreateBucket(w.ctx, &s3.CreateBucketInput{
		Bucket: &w.bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testRegion},
	})
	require.NoError(w, err)
	w.launch(w.fleet, 2, w.targetARN)
	_, err = w.deploying.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: &w.application})
	require.NoError(w, err)
}

// launch makes an Auto Scaling group.
func (w *world) launch(name string, size int32, targetARN string, tags ...asgtypes.Tag) {
	w.Helper()
	request := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: &size, MaxSize: aws.Int32(max(size, 4)), DesiredCapacity: &size, VPCZoneIdentifier: &w.subnet, Tags: tags,
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: &w.template, Version: aws.String("$Latest")},
	}
	if targetARN != "" {
		request.TargetGroupARNs = []string{targetARN}
	}
	_, err := w.scaling.CreateAutoScalingGroup(w.ctx, request)
	require.NoError(w, err)
}

// make creates a deployment group as the platform has it.
func (w *world) make(changes ...func(*codedeploy.CreateDeploymentGroupInput)) {
	w.Helper()
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &w.application, DeploymentGroupName: &w.group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		AutoScalingGroups: []string{w.fleet}, DeploymentConfigName: aws.String("CodeDeployDefault.AllAtOnce"),
		DeploymentStyle: &types.DeploymentStyle{
			DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl,
		},
		LoadBalancerInfo: &types.LoadBalancerInfo{TargetGroupInfoList: []types.TargetGroupInfo{{Name: &w.targetGroup}}},
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
	for _, change := range changes {
		change(in)
	}
	_, err := w.deploying.CreateDeploymentGroup(w.ctx, in)
	require.NoError(w, err)
}

func noRollback(in *codedeploy.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration = nil }

func inPlace(in *codedeploy.CreateDeploymentGroupInput) {
	in.DeploymentStyle, in.BlueGreenDeploymentConfiguration, in.LoadBalancerInfo = nil, nil, nil
}

// options release the commit of a checkout, at a test's pace.
func (w *world) options(folder string) Options {
	return Options{
		AWS: w.config, Output: &w.out, Application: w.application, Groups: []string{w.group}, Poll: 10 * time.Millisecond, Timeout: testTime,
		WaitForTermination: true, // which ends in no time, and leaves nothing that goes on
		Source:             Source{Folder: folder, Bucket: w.bucket, Prefix: "releases/"},
	}
}

// run releases and reports what was said when the outcome is another one.
func (w *world) run(want Outcome, folder string, changes ...func(*Options)) Result {
	w.Helper()
	o := w.options(folder)
	for _, change := range changes {
		change(&o)
	}
	result, err := Run(w.ctx, o)
	return w.as(want, result, err)
}

func (w *world) as(want Outcome, result Result, err error) Result {
	w.Helper()
	require.NoError(w, err, w.out.String())
	require.Equal(w, want, result.Outcome, "%+v\n%s", result, w.out.String())
	return result
}

func (w *world) change(change func(*standin.Settings)) {
	w.Helper()
	require.NoError(w, w.service.Change(change))
}

func (w *world) fail(event string) {
	w.Helper()
	w.change(func(s *standin.Settings) {
		s.Failures = append(s.Failures, standin.Failure{Event: event, Log: "first line\nno such table", DeploymentGroup: w.group})
	})
}

// intercept looks at CodeDeploy's operations before they are performed.
func (w *world) intercept(before func(w http.ResponseWriter, operation string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = before
}

// groups lists the Auto Scaling groups of this world.
func (w *world) groups() (all []string) {
	w.Helper()
	for pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(w.scaling, &autoscaling.DescribeAutoScalingGroupsInput{}); pages.HasMorePages(); {
		out, err := pages.NextPage(w.ctx)
		require.NoError(w, err)
		for _, g := range out.AutoScalingGroups {
			if name := *g.AutoScalingGroupName; name == w.fleet || name == w.fleet+"b" || strings.HasPrefix(name, "CodeDeploy_"+w.group+"_") {
				all = append(all, name)
			}
		}
	}
	return all
}

func (w *world) asg(name string) asgtypes.AutoScalingGroup {
	w.Helper()
	out, err := w.scaling.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	require.NoError(w, err)
	require.Len(w, out.AutoScalingGroups, 1, name)
	return out.AutoScalingGroups[0]
}

// routed lists what the target group sends traffic to.
func (w *world) routed() (ids []string) {
	w.Helper()
	out, err := w.balancing.DescribeTargetHealth(w.ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.targetARN})
	require.NoError(w, err)
	for _, target := range out.TargetHealthDescriptions {
		ids = append(ids, *target.Target.Id)
	}
	return ids
}

// serves checks that one Auto Scaling group alone has the traffic.
func (w *world) serves(name string) {
	w.Helper()
	live := w.asg(name)
	assert.NotEmpty(w, live.Instances)
	assert.ElementsMatch(w, instancesOf(live), w.routed())
	assert.Equal(w, []string{w.targetARN}, live.TargetGroupARNs)
}

// deploy makes a deployment as another pipeline would.
func (w *world) deploy() string {
	w.Helper()
	_, err := w.objects.PutObject(w.ctx, &s3.PutObjectInput{Bucket: &w.bucket, Key: aws.String("other"), Body: strings.NewReader("bundle")})
	require.NoError(w, err)
	out, err := w.deploying.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &w.application, DeploymentGroupName: &w.group, Description: aws.String("of another pipeline"),
		Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{
			Bucket: &w.bucket, Key: aws.String("other"), BundleType: types.BundleTypeZip,
		}},
	})
	require.NoError(w, err)
	return *out.DeploymentId
}
