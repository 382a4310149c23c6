package balancer

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestsArriveAsFromAnApplicationLoadBalancer(t *testing.T) {
	w := newWorld(t)
	a := w.launch()
	w.live(a)
	request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.balancer.URL()+"/page?token=hidden", nil)
	require.NoError(t, err)
	request.Host = "www.example.com"
	request.Header.Set("X-Forwarded-For", "192.0.2.7")
	request.Header.Set("X-Forwarded-Proto", "gopher")
	request.Header.Set("Cookie", "session=hidden")
	request.Header.Set("Authorization", "hidden")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(t, response.Body.Close())
	seen := a.last.Load()
	assert.Equal(t, "www.example.com", seen.Host)
	assert.Equal(t, []string{"192.0.2.7, 127.0.0.1"}, seen.Header.Values("X-Forwarded-For"))
	assert.Equal(t, []string{"https"}, seen.Header.Values("X-Forwarded-Proto"))
	assert.Equal(t, []string{"443"}, seen.Header.Values("X-Forwarded-Port"))
	assert.Equal(t, "hidden", seen.Header.Get("Authorization"))
	w.get("/")
	assert.Equal(t, []string{"127.0.0.1"}, a.last.Load().Header.Values("X-Forwarded-For"))

	checked := a.checked.Load()
	assert.Equal(t, strings.TrimPrefix(a.server.URL, "http://"), checked.Host)
	assert.Equal(t, "ELB-HealthChecker/2.0", checked.UserAgent())

	require.Eventually(t, func() bool { return strings.Contains(w.log(accessName), "/page") }, longest, lookInterval)
	assert.Contains(t, w.log(accessName), `method=GET path="/page" status=200 target=`+checked.Host)
	for _, path := range []string{accessName, outputName, configName} {
		assert.NotContains(t, w.log(path), "hidden", path)
		info, err := os.Stat(filepath.Join(w.folder, path))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
	}
}

func TestTwoLoadBalancersAtOnce(t *testing.T) {
	first, second := newWorld(t), newWorld(t)
	one, other := first.launch(), second.launch()
	first.live(one)
	second.live(other)
	_, body := first.get("/")
	assert.Equal(t, one.instance, body)
	require.NoError(t, first.balancer.Close())
	_, body = second.get("/")
	assert.Equal(t, other.instance, body)
}

func TestKilledHAProxyStartsAgain(t *testing.T) {
	w := newWorld(t)
	a := w.launch()
	w.live(a)
	before, _ := w.balancer.proxy.now()
	require.NoError(t, syscall.Kill(before.command.Process.Pid, syscall.SIGKILL))
	status, body := w.get("/") // waits in the socket that outlives HAProxy
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, a.instance, body)
	w.await(w.balancer.AwaitHealthy, a)
	require.NoError(t, w.balancer.Err())
	assert.Contains(t, w.log(outputName), fmt.Sprintf("(process %d) ended by itself: signal: killed", before.command.Process.Pid))
	after, _ := w.balancer.proxy.now()
	assert.NotEqual(t, before.command.Process.Pid, after.command.Process.Pid)

	moved := w.folder + ".away"
	require.NoError(t, os.Rename(w.folder, moved))
	require.NoError(t, syscall.Kill(after.command.Process.Pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return w.balancer.Err() != nil }, longest, lookInterval)
	require.NoError(t, os.Rename(moved, w.folder))
	require.Eventually(t, func() bool { return w.balancer.Err() == nil }, longest, lookInterval)
	status, _ = w.get("/")
	assert.Equal(t, http.StatusOK, status)
}

func TestCloseLeavesNothing(t *testing.T) {
	w := newWorld(t)
	a, bad := w.launch(), w.launch()
	bad.status.Store(http.StatusInternalServerError)
	w.live(a)
	w.register(bad)
	w.until(bad, "unhealthy Target.ResponseCodeMismatch")
	answer := w.held(a)
	_, err := w.elb.ModifyTargetGroup(w.ctx, checkPath(w.group, "/other"))
	require.NoError(t, err)
	before, _ := w.balancer.proxy.now()
	require.Eventually(t, func() bool { now, _ := w.balancer.proxy.now(); return now != nil && now != before }, longest, lookInterval)
	after, _ := w.balancer.proxy.now()
	require.NoError(t, w.balancer.Close())
	for _, p := range []*process{before, after} {
		assert.ErrorIs(t, syscall.Kill(p.command.Process.Pid, 0), syscall.ESRCH)
	}
	assert.NotEqual(t, "200 "+a.instance, <-answer)
	_, err = http.Get(w.balancer.URL())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Equal(t, "healthy", w.health(bad), "without a load balancer, the emulated AWS says as before")
	sockets, err := filepath.Glob(filepath.Join(w.folder, "*.sock"))
	require.NoError(t, err)
	assert.Empty(t, sockets)
}

func TestStartNamesEveryMistake(t *testing.T) {
	_, err := Start(t.Context(), Options{Listen: "0.0.0.0:80", Pace: 2})
	for _, part := range []string{"folder", "listen", "region", "address", "pace"} {
		assert.ErrorContains(t, err, part)
	}
}

func TestFailedRequestIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	good, dead := w.launch(), w.launch()
	w.live(good, dead)
	_, err := w.elb.ModifyTargetGroup(w.ctx, &elasticloadbalancingv2.ModifyTargetGroupInput{
		TargetGroupArn: &w.group, HealthCheckIntervalSeconds: aws.Int32(300), // 6 s here: longer than the requests take
	})
	require.NoError(t, err)
	before, _ := w.balancer.proxy.now()
	require.Eventually(t, func() bool { now, _ := w.balancer.proxy.now(); return now != nil && now != before }, longest, lookInterval)
	dead.server.CloseClientConnections()
	dead.server.Close()
	statuses := map[int]int{}
	for range 10 {
		status, _ := w.get("/")
		statuses[status]++
	}
	assert.Equal(t, map[int]int{http.StatusOK: 5, http.StatusBadGateway: 5}, statuses)
}

func TestFixedResponse(t *testing.T) {
	w := newWorld(t)
	listeners, err := w.elb.DescribeListeners(w.ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: w.loadBalancer()})
	require.NoError(t, err)
	for _, listener := range listeners.Listeners {
		if listener.Protocol == elbtypes.ProtocolEnumHttps { // the certificate is pending
			_, err := w.elb.DeleteListener(w.ctx, &elasticloadbalancingv2.DeleteListenerInput{ListenerArn: listener.ListenerArn})
			require.NoError(t, err)
			continue
		}
		_, err := w.elb.ModifyListener(w.ctx, &elasticloadbalancingv2.ModifyListenerInput{ListenerArn: listener.ListenerArn, DefaultActions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
				StatusCode: aws.String("503"), ContentType: aws.String("text/plain"), MessageBody: aws.String(`it's "100%" $HOME`),
			},
		}}})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		status, body := w.get("/")
		return status == http.StatusServiceUnavailable && body == `it's "100%" $HOME`
	}, longest, lookInterval)
}
