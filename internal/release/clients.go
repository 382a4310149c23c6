package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// attempts are for one call. CodeDeploy throttles an account, and a pipeline may
// be one of many in it.
const attempts = 8

// Load configures the AWS SDK from the environment as AWS's own tools do:
// profiles, single sign-on, roles of CI, AWS_ENDPOINT_URL. An empty region is
// the environment's.
func Load(ctx context.Context, region string) (aws.Config, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return aws.Config{}, fmt.Errorf("aws configuration: %w", err)
	}
	return loaded, nil
}

// clients are all that a release calls.
type clients struct {
	deploying *codedeploy.Client
	scaling   *autoscaling.Client
	balancing *elasticloadbalancingv2.Client
	objects   *s3.Client
}

func newClients(c aws.Config) clients {
	if c.Retryer == nil {
		c.Retryer = func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) { o.MaxAttempts = attempts })
			})
		}
	}
	return clients{
		deploying: codedeploy.NewFromConfig(c),
		scaling:   autoscaling.NewFromConfig(c),
		balancing: elasticloadbalancingv2.NewFromConfig(c),
		objects:   s3.NewFromConfig(c),
	}
}

// passing tells whether an error may be gone at the next look: throttling, a
// fault of AWS, a connection.
func passing(err error) bool {
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary ||
		retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// coded tells whether an error is one of AWS's with one of these codes.
func coded(err error, codes ...string) bool {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		for _, code := range codes {
			if api.ErrorCode() == code {
				return true
			}
		}
	}
	return false
}

// pace is the wait between looks: longer and longer while nothing changes.
type pace struct {
	first, now time.Duration
}

// longest is how much longer than the first wait the last one is.
const longest = 5

func (s *session) pace() *pace { return &pace{first: s.Poll, now: s.Poll} }

// quicken is for when something has changed.
func (p *pace) quicken() { p.now = p.first }

// wait waits, or returns the error of a context that has ended.
func (p *pace) wait(ctx context.Context) error {
	timer := time.NewTimer(p.now)
	defer timer.Stop()
	p.now = min(p.now*3/2, longest*p.first)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// within looks again and again until look says that it is enough, at most so
// many times the first interval. Running out of time is no error.
func (s *session) within(ctx context.Context, times int, look func() (enough bool, err error)) error {
	deadline := time.Now().Add(time.Duration(times) * s.Poll)
	for p := s.pace(); ; {
		enough, err := look()
		if err != nil || enough || time.Now().After(deadline) {
			return err
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}
