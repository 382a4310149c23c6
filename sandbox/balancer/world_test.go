package balancer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

const (
	testRegion = "eu-west-1"
	testGroup  = "web"            // target group
	testPace   = 0.02             // checks every 100 ms, of 5 s
	longest    = 30 * time.Second // that a test waits for anything
)

// needsHAProxy skips a test where HAProxy is missing, or fails it where it may not
// be.
func needsHAProxy(t *testing.T) {
	t.Helper()
	lacking(t, Check(t.Context()))
}

func lacking(t *testing.T, what error) {
	t.Helper()
	if what != nil && os.Getenv("BLUEGREEN_REQUIRE_MACHINES") == "1" {
		require.NoError(t, what)
	} else if what != nil {
		t.Skip(what)
	}
}

// sharedMoto is one emulated AWS for all tests; each has a region of its own.
var sharedMoto = sync.OnceValues(func() (*emulator.Emulator, error) {
	tools, err := partstest.Find()
	if err != nil {
		return nil, err
	}
	if motoFolder, err = os.MkdirTemp("", "balancer-test-"); err != nil {
		return nil, err
	}
	return emulator.Start(context.Background(), emulator.Config{
		Python: tools.Python, Address: "127.0.0.1:0", Account: "123456789012", Region: testRegion, Dir: motoFolder,
		Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
})

// motoFolder has sharedMoto's logs; empty until that is started.
var motoFolder string

func TestMain(m *testing.M) {
	if os.Getenv(serveInNamespace) != "" {
		serveHere(os.Getenv(serveInNamespace))
	}
	if os.Getenv(startIn) != "" {
		startHere(os.Getenv(startIn))
	}
	code := m.Run()
	if motoFolder != "" {
		if moto, err := sharedMoto(); err == nil {
			_ = moto.Close() // what is left of it goes with this process
		}
		_ = os.RemoveAll(motoFolder)
	}
	os.Exit(code)
}

// world is a load balancer that follows a target group of an emulated AWS.
type world struct {
	*testing.T
	ctx      context.Context
	elb      *elasticloadbalancingv2.Client
	machines *ec2.Client
	subnet   string
	group    string // resource name of the target group
	balancer *Balancer
	folder   string

	mu        sync.Mutex
	addresses map[string]netip.Addr
}

// regions are moto's; a test takes one, and gives it back without its load
// balancer.
var regions = func() chan string {
	names := strings.Fields("eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ap-south-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 sa-east-1")
	all := make(chan string, len(names))
	for _, name := range names {
		all <- name
	}
	return all
}()

// newWorld makes a load balancer with a target group: checks every 5 s, 2 good or
// 2 bad ones in a row decide, 60 s of deregistration delay, at the test's pace.
func newWorld(t *testing.T, changes ...func(*Options)) *world {
	t.Helper()
	return newWorldAt(t, 80, changes...)
}

// newWorldAt is newWorld with the port of targets that are registered without one.
func newWorldAt(t *testing.T, port int32, changes ...func(*Options)) *world {
	t.Helper()
	needsHAProxy(t)
	partstest.Tools(t)
	moto, err := sharedMoto()
	require.NoError(t, err)
	region := <-regions
	from := newELB(moto.Endpoint(), region, 1)
	w := &world{
		T: t, ctx: t.Context(), elb: from.client, folder: t.TempDir(), addresses: map[string]netip.Addr{},
		machines: ec2.NewFromConfig(aws.Config{
			BaseEndpoint: aws.String(moto.Endpoint()), Region: region, Credentials: aws.CredentialsProviderFunc(emulatedCredentials),
		}),
	}
	w.declare(region, port)
	options := Options{Folder: w.folder, Region: region, Pace: testPace, Address: w.address}
	for _, change := range changes {
		change(&options)
	}
	w.balancer, err = Start(w.ctx, options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.balancer.Close() })
	w.balancer.Connect(moto.Endpoint())
	return w
}

// declare makes network, target group, load balancer and listeners as the platform
// has them.
func (w *world) declare(region string, port int32) {
	w.Helper()
	vpc, err := w.machines.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	require.NoError(w, err)
	var subnets []string
	for i, zone := range []string{"a", "b"} {
		made, err := w.machines.CreateSubnet(w.ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", i)), AvailabilityZone: aws.String(region + zone),
		})
		require.NoError(w, err)
		subnets = append(subnets, *made.Subnet.SubnetId)
	}
	w.subnet = subnets[0]
	group, err := w.elb.CreateTargetGroup(w.ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String(testGroup), Port: &port, Protocol: elbtypes.ProtocolEnumHttp, VpcId: vpc.Vpc.VpcId,
		HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2), Matcher: &elbtypes.Matcher{HttpCode: aws.String("200,202-204")},
	})
	require.NoError(w, err)
	w.group = *group.TargetGroups[0].TargetGroupArn
	w.delay(60)
	balancer, err := w.elb.CreateLoadBalancer(w.ctx, &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: subnets, Type: elbtypes.LoadBalancerTypeEnumApplication,
	})
	require.NoError(w, err)
	w.Cleanup(func() {
		_, _ = w.elb.DeleteLoadBalancer(context.Background(), &elasticloadbalancingv2.DeleteLoadBalancerInput{LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn})
		_, _ = w.elb.DeleteTargetGroup(context.Background(), &elasticloadbalancingv2.DeleteTargetGroupInput{TargetGroupArn: &w.group})
		regions <- region
	})
	for _, listener := range []*elasticloadbalancingv2.CreateListenerInput{
		{Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Protocol: aws.String("HTTPS")},
		}}},
		{Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &w.group,
		}}},
	} {
		listener.LoadBalancerArn = balancer.LoadBalancers[0].LoadBalancerArn
		_, err := w.elb.CreateListener(w.ctx, listener)
		require.NoError(w, err)
	}
}

func (w *world) loadBalancer() *string {
	w.Helper()
	out, err := w.elb.DescribeLoadBalancers(w.ctx, nil)
	require.NoError(w, err)
	require.Len(w, out.LoadBalancers, 1)
	return out.LoadBalancers[0].LoadBalancerArn
}

// delay sets the deregistration delay, in seconds before the test's pace.
func (w *world) delay(seconds int) {
	w.Helper()
	w.set("deregistration_delay.timeout_seconds", fmt.Sprint(seconds))
}

// set sets an attribute of the target group.
func (w *world) set(key, value string) {
	w.Helper()
	_, err := w.elb.ModifyTargetGroupAttributes(w.ctx, &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &w.group, Attributes: []elbtypes.TargetGroupAttribute{{Key: &key, Value: &value}},
	})
	require.NoError(w, err)
}

func (w *world) address(instance string) (netip.Addr, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	address, known := w.addresses[instance]
	return address, known
}

func (w *world) register(apps ...*app) {
	w.Helper()
	for _, a := range apps {
		_, err := w.elb.RegisterTargets(w.ctx, &elasticloadbalancingv2.RegisterTargetsInput{
			TargetGroupArn: &w.group, Targets: []elbtypes.TargetDescription{{Id: &a.instance, Port: &a.port}},
		})
		require.NoError(w, err)
	}
}

func (w *world) deregister(apps ...*app) {
	w.Helper()
	for _, a := range apps {
		_, err := w.elb.DeregisterTargets(w.ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
			TargetGroupArn: &w.group, Targets: []elbtypes.TargetDescription{{Id: &a.instance}},
		})
		require.NoError(w, err)
	}
}

// live registers instances and waits until they are healthy.
func (w *world) live(apps ...*app) {
	w.Helper()
	w.register(apps...)
	for _, a := range apps {
		w.await(w.balancer.AwaitHealthy, a)
	}
}

func (w *world) await(wait func(context.Context, []string, string) error, a *app) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, longest)
	defer cancel()
	require.NoError(w, wait(ctx, []string{testGroup}, a.instance))
}

// health is what aws elbv2 describe-target-health says of an instance: STATE or
// STATE REASON; empty when it is not listed.
func (w *world) health(a *app) string {
	w.Helper()
	out, err := w.elb.DescribeTargetHealth(w.ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.group})
	require.NoError(w, err)
	for _, d := range out.TargetHealthDescriptions {
		if *d.Target.Id == a.instance {
			return strings.TrimSpace(fmt.Sprint(d.TargetHealth.State, " ", d.TargetHealth.Reason))
		}
	}
	return ""
}

// until waits for an instance's health.
func (w *world) until(a *app, health string) {
	w.Helper()
	require.Eventually(w, func() bool { return w.health(a) == health }, longest, 20*time.Millisecond, "%s: %s", health, w.health(a))
}

// get asks the load balancer, and returns status and answer.
func (w *world) get(path string) (int, string) {
	w.Helper()
	response, err := http.Get(w.balancer.URL() + path)
	require.NoError(w, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(w, err)
	return response.StatusCode, string(body)
}

func (w *world) log(name string) string {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(w.folder, name))
	require.NoError(w, err)
	return string(text)
}
