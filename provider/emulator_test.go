package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

// account is an emulated AWS account: moto, with a small CodeDeploy in front.
type account struct {
	url string

	lock        sync.Mutex
	group       string                    // what the deployment group names
	exists      bool                      // whether there is a deployment group
	deployments map[string]map[string]any // DeploymentInfo by id
	throttle    int                       // how many calls to refuse first
	refused     int

	template, targetGroup string
	subnets               []string
	config                aws.Config
}

// emulated starts an account with a launch template, subnets and a target
// group.
func emulated(t *testing.T) *account {
	t.Helper()
	python := partstest.Tools(t).Python
	credentials(t)
	moto := startMoto(t, python)
	a := &account{deployments: map[string]map[string]any{}}
	forward := httputil.NewSingleHostReverseProxy(moto)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "CodeDeploy_20141006."); ok {
			a.codeDeploy(w, r, operation)
			return
		}
		if a.refuse() {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	a.furnish(t)
	return a
}

// credentials are none that AWS would take.
func credentials(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "") // puts back what was there, afterwards
		require.NoError(t, os.Unsetenv(name))
	}
}

func startMoto(t *testing.T, python string) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().(*net.TCPAddr)
	require.NoError(t, listener.Close())
	moto := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", fmt.Sprint(address.Port))
	require.NoError(t, moto.Start())
	t.Cleanup(func() {
		_ = moto.Process.Kill()
		_ = moto.Wait()
	})
	at := &url.URL{Scheme: "http", Host: address.String()}
	require.Eventually(t, func() bool {
		answer, err := http.Get(at.String() + "/moto-api/")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "moto does not answer")
	return at
}

func (a *account) refuse() bool {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.throttle == 0 {
		return false
	}
	a.throttle--
	a.refused++
	return true
}

func (a *account) furnish(t *testing.T) {
	t.Helper()
	var err error
	a.config, err = config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-2"), config.WithBaseEndpoint(a.url))
	require.NoError(t, err)
	compute := ec2.NewFromConfig(a.config)
	networks, err := compute.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
	require.NoError(t, err)
	for _, subnet := range networks.Subnets[:2] {
		a.subnets = append(a.subnets, aws.ToString(subnet.SubnetId))
	}
	images, err := compute.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
	require.NoError(t, err)
	template, err := compute.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: images.Images[0].ImageId, InstanceType: ec2types.InstanceTypeT3Micro},
	})
	require.NoError(t, err)
	a.template = aws.ToString(template.LaunchTemplate.LaunchTemplateId)
	made, err := elasticloadbalancingv2.NewFromConfig(a.config).CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: networks.Subnets[0].VpcId,
	})
	require.NoError(t, err)
	a.targetGroup = aws.ToString(made.TargetGroups[0].TargetGroupArn)
}

// codeDeploy answers the operations that the provider uses.
func (a *account) codeDeploy(w http.ResponseWriter, r *http.Request, operation string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	var input struct {
		ApplicationName, DeploymentID string
		DeploymentIDs                 []string
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &input)
	answer, err := a.answer(operation, input.ApplicationName, input.DeploymentID, input.DeploymentIDs)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": err.Error(), "message": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (a *account) answer(operation, application, id string, ids []string) (map[string]any, error) {
	gone := application != "" && !a.exists
	switch operation {
	case "GetDeploymentGroup":
		if gone {
			return nil, errors.New("DeploymentGroupDoesNotExistException")
		}
		return map[string]any{"deploymentGroupInfo": map[string]any{"autoScalingGroups": []any{map[string]any{"name": a.group}}}}, nil
	case "ListDeployments":
		if gone {
			return nil, errors.New("DeploymentGroupDoesNotExistException")
		}
		found := []string{}
		for id, d := range a.deployments {
			if d["status"] == "InProgress" {
				found = append(found, id)
			}
		}
		return map[string]any{"deployments": found}, nil
	case "BatchGetDeployments":
		var found []any
		for _, id := range ids {
			found = append(found, a.deployments[id])
		}
		return map[string]any{"deploymentsInfo": found}, nil
	case "GetDeployment":
		if d, ok := a.deployments[id]; ok {
			return map[string]any{"deploymentInfo": d}, nil
		}
		return nil, errors.New("DeploymentDoesNotExistException")
	case "StopDeployment":
		a.deployments[id]["status"] = "Stopped"
		return map[string]any{"status": "Succeeded"}, nil
	}
	return nil, fmt.Errorf("UnknownOperation%s", operation)
}

// point makes the deployment group name a group.
func (a *account) point(group string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.group, a.exists = group, group != ""
}

func (a *account) record(id, status string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.deployments[id] = map[string]any{
		"deploymentId": id, "applicationName": "site", "deploymentGroupName": "site-group", "status": status,
		"completeTime": float64(time.Now().Add(-time.Hour).Unix()),
	}
}

// all are the groups of the account, and its instances that are not
// terminated.
func (a *account) all(t *testing.T) (groups []astypes.AutoScalingGroup, instances int) {
	t.Helper()
	found, err := autoscaling.NewFromConfig(a.config).DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(t, err)
	launched, err := ec2.NewFromConfig(a.config).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	for _, reservation := range launched.Reservations {
		for _, i := range reservation.Instances {
			if i.State.Name != ec2types.InstanceStateNameTerminated {
				instances++
			}
		}
	}
	return found.AutoScalingGroups, instances
}

// copyGroup does what CodeDeploy does, with tags and target groups or without.
func (a *account) copyGroup(t *testing.T, source, id string, whole bool) string {
	t.Helper()
	groups := autoscaling.NewFromConfig(a.config)
	found, err := groups.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{source}})
	require.NoError(t, err)
	require.Len(t, found.AutoScalingGroups, 1)
	g := found.AutoScalingGroups[0]
	name := "CodeDeploy_site-group_" + id
	g.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName = nil // id or name, not both
	input := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MixedInstancesPolicy: g.MixedInstancesPolicy, MinSize: g.MinSize, MaxSize: g.MaxSize,
		DesiredCapacity: g.DesiredCapacity, VPCZoneIdentifier: g.VPCZoneIdentifier, CapacityRebalance: g.CapacityRebalance,
		HealthCheckType: g.HealthCheckType, HealthCheckGracePeriod: aws.Int32(aws.ToInt32(g.HealthCheckGracePeriod)), TerminationPolicies: g.TerminationPolicies,
	}
	if whole {
		input.TargetGroupARNs = g.TargetGroupARNs
		for _, tag := range g.Tags {
			input.Tags = append(input.Tags, astypes.Tag{ResourceId: aws.String(name), ResourceType: tag.ResourceType, Key: tag.Key, Value: tag.Value, PropagateAtLaunch: tag.PropagateAtLaunch})
		}
	}
	_, err = groups.CreateAutoScalingGroup(t.Context(), input)
	require.NoError(t, err)
	return name
}

// release is a whole successful deployment.
func (a *account) release(t *testing.T, source, id string, whole bool) string {
	t.Helper()
	green := a.copyGroup(t, source, id, whole)
	a.record(id, "Succeeded")
	a.point(green)
	_, err := autoscaling.NewFromConfig(a.config).DeleteAutoScalingGroup(context.WithoutCancel(t.Context()), &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(source), ForceDelete: aws.Bool(true),
	})
	require.NoError(t, err)
	return green
}
