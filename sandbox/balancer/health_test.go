package balancer

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"bluegreen/sandbox/parts/partstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTargetGetsRequestsOnceItIsHealthy(t *testing.T) {
	w := newWorld(t)
	status, _ := w.get("/")
	assert.Equal(t, http.StatusServiceUnavailable, status, "there is no target")

	one, two := w.launch(), w.launch()
	w.live(one)
	two.status.Store(http.StatusInternalServerError)
	w.register(two)
	assert.Contains(t, []string{"initial Elb.RegistrationInProgress", "initial Elb.InitialHealthChecking"}, w.health(two))
	w.until(two, "unhealthy Target.ResponseCodeMismatch")
	for range 20 {
		status, body := w.get("/")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, one.instance, body)
	}
	assert.Zero(t, two.served.Load())

	two.status.Store(http.StatusNoContent) // within the matcher
	w.await(w.balancer.AwaitHealthy, two)
	assert.Equal(t, "healthy", w.health(two))
	for range 20 {
		w.get("/")
	}
	assert.EqualValues(t, 10, two.served.Load(), "requests go around")
}

func TestUnhealthyTargetGetsNoRequests(t *testing.T) {
	w := newWorld(t)
	good, bad := w.launch(), w.launch()
	w.live(good, bad)
	for _, failure := range []struct {
		health string
		fail   func()
	}{
		{"unhealthy Target.ResponseCodeMismatch", func() { bad.status.Store(http.StatusServiceUnavailable) }},
		{"unhealthy Target.FailedHealthChecks", func() { bad.server.CloseClientConnections(); bad.server.Close() }},
	} {
		failure.fail()
		w.until(bad, failure.health)
		w.looks(2)
		before := bad.served.Load()
		for range 20 {
			status, body := w.get("/")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, good.instance, body)
		}
		assert.Equal(t, before, bad.served.Load())
	}
}

func TestNoAnswerInTimeIsUnhealthy(t *testing.T) {
	w := newWorld(t)
	a := w.launch()
	_, err := w.elb.ModifyTargetGroup(w.ctx, checkPath(w.group, "/hold"))
	require.NoError(t, err)
	w.register(a)
	<-a.holding
	w.until(a, "initial Elb.InitialHealthChecking")
	status, _ := w.get("/")
	assert.Equal(t, http.StatusServiceUnavailable, status, "an initial target gets no requests, even where it is alone")
	assert.Zero(t, a.served.Load())
	w.until(a, "unhealthy Target.Timeout")
	a.release()
	w.await(w.balancer.AwaitHealthy, a)
}

func TestNoHealthyTargetOpensAll(t *testing.T) {
	w := newWorld(t)
	one, two := w.launch(), w.launch()
	w.live(one, two)
	one.status.Store(http.StatusInternalServerError)
	two.status.Store(http.StatusInternalServerError)
	w.until(one, "unhealthy Target.ResponseCodeMismatch")
	w.until(two, "unhealthy Target.ResponseCodeMismatch")
	w.looks(2)
	answered := map[string]bool{}
	for range 10 {
		status, body := w.get("/")
		require.Equal(t, http.StatusOK, status)
		answered[body] = true
	}
	assert.Len(t, answered, 2)

	one.status.Store(http.StatusOK)
	w.await(w.balancer.AwaitHealthy, one)
	w.looks(2)
	before := two.served.Load()
	for range 10 {
		w.get("/")
	}
	assert.Equal(t, before, two.served.Load())
}

func checkPath(group, path string) *elasticloadbalancingv2.ModifyTargetGroupInput {
	return &elasticloadbalancingv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthCheckPath: aws.String(path)}
}

func TestWaitingGivesUp(t *testing.T) {
	w := newWorld(t)
	w.balancer.patience = 0
	a, stranger := w.launch(), w.launch()
	a.status.Store(http.StatusInternalServerError)
	w.register(a)
	err := w.balancer.AwaitHealthy(w.ctx, []string{testGroup}, a.instance)
	assert.ErrorContains(t, err, a.instance+" in target group web: want healthy, it is ")
	err = w.balancer.AwaitHealthy(w.ctx, []string{testGroup}, stranger.instance)
	assert.ErrorContains(t, err, "not registered, or no listener uses the target group")
}

func TestHealthAsBoto3ReadsIt(t *testing.T) {
	w := newWorld(t)
	w.delay(3500) // 70 s here: longer than the test
	a := w.launch()
	w.live(a)
	w.deregister(a)
	w.await(w.balancer.AwaitDrained, a)
	bad := w.launch()
	bad.status.Store(http.StatusTeapot)
	w.register(bad)
	w.until(bad, "unhealthy Target.ResponseCodeMismatch")
	const program = `import boto3, sys
client = boto3.client("elbv2", endpoint_url=sys.argv[1], region_name=sys.argv[2], aws_access_key_id="a", aws_secret_access_key="b")
for each in client.describe_target_health(TargetGroupArn=sys.argv[3])["TargetHealthDescriptions"]:
    health = each["TargetHealth"]
    print(each["Target"]["Id"], health["State"], health["Reason"], health["Description"], sep="|")
`
	moto, err := sharedMoto()
	require.NoError(t, err)
	out, err := exec.Command(partstest.Tools(t).Python, "-c", program, moto.Endpoint(), strings.Split(w.group, ":")[3], w.group).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, bad.instance+"|unhealthy|Target.ResponseCodeMismatch|Health checks failed with these codes: [418]\n"+
		a.instance+"|draining|Target.DeregistrationInProgress|Target deregistration is in progress\n", string(out))
}
