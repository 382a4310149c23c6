package machines

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/infra/fleet"
	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testRegion = "us-east-2"
	testFleet  = "fleet"
	patience   = 3 * time.Minute // more than enough on a busy computer
)

// need skips a test where machines cannot run. Where BLUEGREEN_REQUIRE_MACHINES
// is 1 they have to.
func need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs machines, which are booted for the whole suite only")
	}
	if err := Check(t.Context()); err != nil {
		if os.Getenv("BLUEGREEN_REQUIRE_MACHINES") == "1" {
			require.NoError(t, err, "BLUEGREEN_REQUIRE_MACHINES=1")
		}
		t.Skip(err)
	}
}

// tree is made once for all tests and kept with the checkout's parts.
var tree = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	return Tree(context.Background(), root, os.Stderr)
})

// world is an emulated AWS with a fleet, and the machines that follow it.
type world struct {
	*testing.T
	host   *Host
	cloud  *cloud
	target string // ARN of the target group that the fleet is in
}

// newWorld makes an AWS with a fleet of so many instances, connected to a Host.
func newWorld(t *testing.T, size int32) *world {
	t.Helper()
	need(t)
	endpoint := startEmulator(t)
	w := &world{T: t, cloud: newCloud(endpoint, testRegion)}
	w.makeFleet(size)
	w.host = startHost(t)
	w.host.Connect(endpoint)
	return w
}

func startEmulator(t *testing.T) (endpoint string) {
	t.Helper()
	running, err := emulator.Start(t.Context(), emulator.Config{
		Python: partstest.Tools(t).Python, Address: "127.0.0.1:0", Account: "123456789012", Region: testRegion,
		Dir: t.TempDir(), Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	return running.Endpoint()
}

func testOptions(t *testing.T, folder string) Options {
	t.Helper()
	from, err := tree()
	require.NoError(t, err)
	agent, err := filepath.Abs("testdata/agent")
	require.NoError(t, err)
	return Options{
		Folder: folder, Tree: from, Region: testRegion,
		Agent: agent, Client: func(socket string) Agent { return testAgent(socket) },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func startHost(t *testing.T) *Host {
	t.Helper()
	folder := t.TempDir()
	host, err := Start(t.Context(), testOptions(t, folder))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, host.Close())
		assertGone(t, folder, host.Namespace())
	})
	return host
}

// assertGone looks for what a Host leaves behind when it leaves something.
func assertGone(t *testing.T, folder, name string) {
	t.Helper()
	assert.NoFileExists(t, filepath.Join("/run/netns", name))
	for _, hierarchy := range hierarchies() {
		assert.NoDirExists(t, filepath.Join(hierarchy, name))
	}
	assert.NoDirExists(t, filepath.Join(folder, diskFolder))
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), folder)
	out, err := exec.Command("ps", "-eo", "args").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), name)
}

// testAgent is the client of testdata/agent, which answers a line with a line.
type testAgent string

func (a testAgent) Run(ctx context.Context, command codedeploy.Command) (string, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", string(a))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if _, err := fmt.Fprintln(connection, command.Event); err != nil {
		return "", err
	}
	return bufio.NewReader(connection).ReadString('\n')
}

func (w *world) makeFleet(size int32) {
	w.Helper()
	ctx := w.Context()
	vpc, err := w.cloud.machines.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	require.NoError(w, err)
	var subnets []string
	for i, block := range []string{"10.0.0.0/20", "10.0.16.0/20"} {
		subnet, err := w.cloud.machines.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: &block, AvailabilityZone: aws.String(testRegion + string(rune('a'+i))),
		})
		require.NoError(w, err)
		subnets = append(subnets, *subnet.Subnet.SubnetId)
	}
	group, err := w.cloud.balancing.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String(testFleet), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: vpc.Vpc.VpcId,
	})
	require.NoError(w, err)
	w.target = *group.TargetGroups[0].TargetGroupArn
	_, err = w.cloud.balancing.ModifyTargetGroupAttributes(ctx, &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &w.target, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("1")}},
	})
	require.NoError(w, err)
	w.makeTemplate()
	_, err = w.cloud.scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(testFleet), MinSize: aws.Int32(0), MaxSize: aws.Int32(6), DesiredCapacity: &size,
		VPCZoneIdentifier: aws.String(strings.Join(subnets, ",")), TargetGroupARNs: []string{w.target},
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String(testFleet), Version: aws.String("$Latest")},
	})
	require.NoError(w, err)
}

// makeTemplate makes the launch template that the project's own fleet has, as
// far as machines see it.
func (w *world) makeTemplate() {
	w.Helper()
	ctx := w.Context()
	_, err := w.cloud.identity.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("web"), AssumeRolePolicyDocument: aws.String("{}")})
	require.NoError(w, err)
	_, err = w.cloud.identity.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("web-profile")})
	require.NoError(w, err)
	_, err = w.cloud.identity.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{
		InstanceProfileName: aws.String("web-profile"), RoleName: aws.String("web"),
	})
	require.NoError(w, err)
	script, err := fleet.UserData(testRegion, "/example/prod/")
	require.NoError(w, err)
	_, err = w.cloud.machines.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(testFleet),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String(emulator.UbuntuImages()[0].ID), InstanceType: ec2types.InstanceTypeT3Micro,
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("web-profile")},
			UserData:           aws.String(base64.StdEncoding.EncodeToString([]byte(script))),
		},
	})
	require.NoError(w, err)
}

// addStores makes a database and a cache, and tells Parameter Store about them.
func (w *world) addStores() (databaseURL, redisURL string) {
	w.Helper()
	ctx := w.Context()
	database, err := rds.NewFromConfig(w.cloud.config).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("database"), Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.t4g.micro"),
		DBName: aws.String("shop"), MasterUsername: aws.String("owner"), MasterUserPassword: aws.String("it's a p@ss/word"), AllocatedStorage: aws.Int32(20),
	})
	require.NoError(w, err)
	nodes, err := elasticache.NewFromConfig(w.cloud.config).CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("cache"), ReplicationGroupDescription: aws.String("cache"), Engine: aws.String("valkey"),
		NumCacheClusters: aws.Int32(1), TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String("0123456789abcdef"),
	})
	require.NoError(w, err)
	databaseURL = fmt.Sprintf("postgresql://owner:it%%27s%%20a%%20p%%40ss%%2Fword@%s:5432/shop?sslmode=require", *database.DBInstance.Endpoint.Address)
	redisURL = fmt.Sprintf("rediss://:0123456789abcdef@%s:6379/0?ssl_cert_reqs=required", *nodes.ReplicationGroup.NodeGroups[0].PrimaryEndpoint.Address)
	for name, value := range map[string]string{"DATABASE_URL": databaseURL, "REDIS_URL": redisURL} {
		_, err := ssm.NewFromConfig(w.cloud.config).PutParameter(ctx, &ssm.PutParameterInput{
			Name: aws.String("/example/prod/" + name), Value: &value, Type: ssmtypes.ParameterTypeSecureString,
		})
		require.NoError(w, err)
	}
	return databaseURL, redisURL
}

// await waits until exactly so many machines of instances run, and lists them.
func (w *world) await(count int) (running []Machine) {
	w.Helper()
	require.Eventually(w, func() bool {
		running = nil
		for _, m := range w.host.Machines() {
			switch {
			case m.Instance == dataMachine:
			case m.State != Running:
				return false
			default:
				running = append(running, m)
			}
		}
		return len(running) == count
	}, patience, 50*time.Millisecond, "machines: %+v", w.host.Machines())
	for _, m := range running {
		require.Empty(w, m.Failure, w.try(m.Instance, "cat", "/var/log/cloud-init-output.log"))
	}
	return running
}

// awaitData waits until database and cache take connections.
func (w *world) awaitData() {
	w.Helper()
	require.Eventually(w, func() bool {
		w.host.mu.Lock()
		defer w.host.mu.Unlock()
		return w.host.data != nil && w.host.data.ready && len(w.host.data.applied.databases) > 0
	}, patience, 50*time.Millisecond, "the data machine is not ready: %+v", w.host.Machines())
}

// run runs a command in a machine and returns what it prints.
func (w *world) run(instance string, command ...string) string {
	w.Helper()
	cmd, err := w.host.Command(w.Context(), instance, command...)
	require.NoError(w, err)
	out, err := cmd.CombinedOutput()
	require.NoError(w, err, "%s: %s", strings.Join(command, " "), out)
	return strings.TrimSpace(string(out))
}

// try is run for a command that may fail.
func (w *world) try(instance string, command ...string) string {
	cmd, err := w.host.Command(w.Context(), instance, command...)
	if err != nil {
		return err.Error()
	}
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out))
}

// get asks a web server in the machines' network, from outside of the machines.
func (w *world) get(url string) (status int, body string) {
	w.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: w.host.DialContext, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(url)
	require.NoError(w, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(w, err)
	return response.StatusCode, string(text)
}

// targets lists the instances in the target group.
func (w *world) targets() (ids []string) {
	w.Helper()
	out, err := w.cloud.balancing.DescribeTargetHealth(w.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &w.target})
	require.NoError(w, err)
	for _, description := range out.TargetHealthDescriptions {
		ids = append(ids, *description.Target.Id)
	}
	return ids
}

func names(machines []Machine) (ids []string) {
	for _, m := range machines {
		ids = append(ids, m.Instance)
	}
	return ids
}
