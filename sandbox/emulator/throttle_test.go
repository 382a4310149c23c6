package emulator

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusedCallsAreThrottlingToTheSDK(t *testing.T) {
	e := start(t, fakeConfig(t.TempDir()))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, e.Endpoint()+ThrottlePath,
		strings.NewReader(`{"autoscaling": 1, "ec2": 1, "s3": 1, "codedeploy": 1}`))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	config := client(e.Endpoint())
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	throttles := retry.IsErrorThrottles(retry.DefaultThrottles)
	for service, ask := range map[string]func() error{
		"autoscaling": func() error {
			_, err := autoscaling.NewFromConfig(config).DescribeAutoScalingGroups(t.Context(), nil)
			return err
		},
		"ec2": func() error { _, err := ec2.NewFromConfig(config).DescribeVpcs(t.Context(), nil); return err },
		"s3":  func() error { _, err := s3.NewFromConfig(config).ListBuckets(t.Context(), nil); return err },
		"codedeploy": func() error {
			_, err := codedeploy.NewFromConfig(config).ListApplications(t.Context(), nil)
			return err
		},
	} {
		assert.Equal(t, aws.TrueTernary, throttles.IsErrorThrottle(ask()), service)
		assert.NotEqual(t, aws.TrueTernary, throttles.IsErrorThrottle(ask()), "%s: as often as was said", service)
	}
}
