package codedeploy

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// sharedMoto is one emulated AWS for all tests. Its own CodeDeploy is not asked.
var sharedMoto = sync.OnceValues(func() (*emulator.Emulator, error) {
	tools, err := partstest.Find()
	if err != nil {
		return nil, err
	}
	if motoFolder, err = os.MkdirTemp("", "codedeploy-test-"); err != nil {
		return nil, err
	}
	return emulator.Start(context.Background(), emulator.Config{
		Python: tools.Python, Address: "127.0.0.1:0", Account: testAccount, Region: testRegion, Dir: motoFolder,
		Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
})

// motoFolder has sharedMoto's logs; empty until that is started.
var motoFolder string

func TestMain(m *testing.M) {
	code := m.Run()
	if motoFolder != "" {
		if moto, err := sharedMoto(); err == nil {
			_ = moto.Close() // what is left of it goes with this process
		}
		_ = os.RemoveAll(motoFolder)
	}
	os.Exit(code)
}

// emptyMoto returns where a moto answers that holds nothing.
func emptyMoto(t *testing.T) string {
	t.Helper()
	partstest.Tools(t)
	moto, err := sharedMoto()
	require.NoError(t, err)
	response, err := http.Post(moto.Endpoint()+"/moto-api/reset", "", nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	return moto.Endpoint()
}

// motoWorld is a world in front of moto.
type motoWorld struct {
	*world
	aws      *emulated
	url      string
	target   string // resource name of the target group
	template string // id of the launch template
}

// newMotoWorld makes a network, a launch template, a target group, a bucket with
// bundles, and a fleet of three with everything that a copy can get.
func newMotoWorld(t *testing.T, settings Settings) *motoWorld {
	t.Helper()
	return newMotoWorldOf(t, Options{Settings: settings})
}

func newMotoWorldOf(t *testing.T, options Options) *motoWorld {
	t.Helper()
	url := emptyMoto(t)
	w := &motoWorld{world: serveWorld(t, options), url: url, aws: newEmulated(url, testRegion)}
	w.service.Connect(url)
	vpc, err := w.aws.machines.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	require.NoError(t, err)
	var subnets []string
	for i, block := range []string{"10.0.0.0/24", "10.0.1.0/24"} {
		subnet, err := w.aws.machines.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: &block, AvailabilityZone: aws.String(testRegion + string(rune('a'+i))),
		})
		require.NoError(t, err)
		subnets = append(subnets, *subnet.Subnet.SubnetId)
	}
	target, err := w.aws.balancing.CreateTargetGroup(w.ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String(testBalance), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: vpc.Vpc.VpcId,
	})
	require.NoError(t, err)
	w.target = *target.TargetGroups[0].TargetGroupArn
	images, err := w.aws.machines.DescribeImages(w.ctx, &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	require.NoError(t, err)
	template, err := w.aws.machines.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("fleet"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: images.Images[0].ImageId, InstanceType: ec2types.InstanceTypeT3Micro},
	})
	require.NoError(t, err)
	w.template = *template.LaunchTemplate.LaunchTemplateId
	_, err = w.aws.objects.CreateBucket(w.ctx, &s3.CreateBucketInput{
		Bucket:                    aws.String("releases"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testRegion},
	})
	require.NoError(t, err)
	w.upload("v1")
	w.fleet(subnets)
	_, err = w.client.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(t, err)
	return w
}

func (w *motoWorld) upload(key string) {
	w.Helper()
	_, err := w.aws.objects.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("releases"), Key: &key, Body: strings.NewReader("bundle " + key)})
	require.NoError(w, err)
}

func (w *motoWorld) fleet(subnets []string) {
	w.Helper()
	name := aws.String("fleet")
	_, err := w.aws.scaling.CreateAutoScalingGroup(w.ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: name, MinSize: aws.Int32(1), MaxSize: aws.Int32(6), DesiredCapacity: aws.Int32(3),
		VPCZoneIdentifier: aws.String(strings.Join(subnets, ",")), HealthCheckType: aws.String("EC2"), HealthCheckGracePeriod: aws.Int32(90),
		CapacityRebalance: aws.Bool(true), TerminationPolicies: []string{"OldestInstance"}, TargetGroupARNs: []string{w.target},
		MixedInstancesPolicy: &asgtypes.MixedInstancesPolicy{
			InstancesDistribution: &asgtypes.InstancesDistribution{OnDemandBaseCapacity: aws.Int32(1), OnDemandPercentageAboveBaseCapacity: aws.Int32(100)},
			LaunchTemplate: &asgtypes.LaunchTemplate{
				LaunchTemplateSpecification: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: &w.template, Version: aws.String("$Latest")},
				Overrides:                   []asgtypes.LaunchTemplateOverrides{{InstanceType: aws.String("t3.micro")}, {InstanceType: aws.String("t3a.micro")}},
			},
		},
		Tags: []asgtypes.Tag{
			{Key: aws.String("bluegreen:fleet"), Value: aws.String("shop/web"), PropagateAtLaunch: aws.Bool(true)},
			{Key: aws.String("owner"), Value: aws.String("ops"), PropagateAtLaunch: aws.Bool(false)},
		},
	})
	require.NoError(w, err)
	_, err = w.aws.scaling.PutScalingPolicy(w.ctx, &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: name, PolicyName: aws.String("cpu"), PolicyType: aws.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: &asgtypes.TargetTrackingConfiguration{
			TargetValue: aws.Float64(60), PredefinedMetricSpecification: &asgtypes.PredefinedMetricSpecification{PredefinedMetricType: asgtypes.MetricTypeASGAverageCPUUtilization},
		},
	})
	require.NoError(w, err)
	_, err = w.aws.scaling.PutScheduledUpdateGroupAction(w.ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: name, ScheduledActionName: aws.String("evening"), MinSize: aws.Int32(1), Recurrence: aws.String("0 20 * * *"),
	})
	require.NoError(w, err)
	_, err = w.aws.scaling.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: name, LifecycleHookName: aws.String("drain"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"),
	})
	require.NoError(w, err)
	_, err = w.aws.scaling.EnableMetricsCollection(w.ctx, &autoscaling.EnableMetricsCollectionInput{
		AutoScalingGroupName: name, Granularity: aws.String("1Minute"), Metrics: []string{"GroupDesiredCapacity"},
	})
	require.NoError(w, err)
}

// groups lists every Auto Scaling group in moto.
func (w *motoWorld) groups() []asgtypes.AutoScalingGroup {
	w.Helper()
	out, err := w.aws.scaling.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(w, err)
	return out.AutoScalingGroups
}

// one returns the Auto Scaling group that is alone in moto.
func (w *motoWorld) one() asgtypes.AutoScalingGroup {
	w.Helper()
	groups := w.groups()
	require.Len(w, groups, 1)
	return groups[0]
}

// routed lists the instances that the target group sends traffic to.
func (w *motoWorld) routed() []string {
	w.Helper()
	out, err := w.aws.balancing.DescribeTargetHealth(w.ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.target})
	require.NoError(w, err)
	ids := []string{}
	for _, description := range out.TargetHealthDescriptions {
		ids = append(ids, *description.Target.Id)
	}
	return ids
}

func members(group asgtypes.AutoScalingGroup) []string {
	ids := []string{}
	for _, instance := range group.Instances {
		ids = append(ids, *instance.InstanceId)
	}
	return ids
}

// cloudWatch calls CloudWatch in its query protocol.
func (w *motoWorld) cloudWatch(form url.Values) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.url+"/", strings.NewReader(form.Encode()))
	require.NoError(w, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+testRegion+"/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	require.NoError(w, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(w, err)
	require.Equal(w, http.StatusOK, response.StatusCode, string(body))
}
