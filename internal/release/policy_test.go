package release

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// releaseDocument is the release role's policy as infra/access writes it, which a
// test there compares with what it renders.
const (
	releaseDocument = "../../infra/access/testdata/release.golden.json"
	pairDocument    = "../../infra/access/testdata/release-pair.golden.json"
)

// permission is an action on a resource.
type permission struct{ action, resource string }

// recorder notes what every call needs.
type recorder struct {
	world *world
	mu    sync.Mutex
	all   []permission
}

func (r *recorder) record(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("record", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		needed := r.needs(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), in.Parameters)
		r.mu.Lock()
		r.all = append(r.all, needed)
		r.mu.Unlock()
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}

// needs is the permission of a call (Service Authorization Reference).
func (r *recorder) needs(service, operation string, input any) permission {
	prefix := map[string]string{"CodeDeploy": "codedeploy", "Auto Scaling": "autoscaling", "Elastic Load Balancing v2": "elasticloadbalancing", "S3": "s3"}[service]
	needed := permission{prefix + ":" + operation, "*"}
	group := func(name *string) string {
		return "arn:aws:codedeploy:us-east-2:123456789012:deploymentgroup:" + r.world.application + "/" + aws.ToString(name)
	}
	fleet := func(name *string) string {
		return "arn:aws:autoscaling:us-east-2:123456789012:autoScalingGroup:11111111-2222:autoScalingGroupName/" + aws.ToString(name)
	}
	switch in := input.(type) {
	case *codedeploy.CreateDeploymentInput:
		needed.resource = group(in.DeploymentGroupName)
	case *codedeploy.ListDeploymentsInput:
		needed.resource = group(in.DeploymentGroupName)
	case *codedeploy.GetDeploymentGroupInput:
		needed.resource = group(in.DeploymentGroupName)
	case *codedeploy.GetDeploymentInput:
		needed.resource = group(&r.world.group)
	case *autoscaling.DeleteAutoScalingGroupInput:
		needed.resource = fleet(in.AutoScalingGroupName)
	case *autoscaling.UpdateAutoScalingGroupInput:
		needed.resource = fleet(in.AutoScalingGroupName)
	case *autoscaling.AttachLoadBalancerTargetGroupsInput:
		needed.resource = fleet(in.AutoScalingGroupName)
	case *autoscaling.DetachLoadBalancerTargetGroupsInput:
		needed.resource = fleet(in.AutoScalingGroupName)
	case *s3.HeadObjectInput:
		needed = permission{"s3:GetObject", "arn:aws:s3:::" + *in.Bucket + "/" + *in.Key}
	case *s3.PutObjectInput:
		needed.resource = "arn:aws:s3:::" + *in.Bucket + "/" + *in.Key
	}
	return needed
}

// list is one text, or several, in a policy document.
type list []string

func (l *list) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

type document struct {
	Statement []struct {
		Effect           string
		Action, Resource list
		Condition        map[string]map[string]list
	}
}

func (d document) allows(p permission) bool {
	match := func(patterns list, text string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(text)
		})
	}
	for _, s := range d.Statement {
		if s.Effect == "Allow" && match(s.Action, p.action) && match(s.Resource, p.resource) {
			return true
		}
	}
	return false
}

// documentOf is the policy for the names of a world.
func documentOf(t *testing.T, w *world, file string) (d document) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	fitted := strings.NewReplacer(
		"example-prod-DeploymentGroup-01", w.group, "example-prod-releases-0123456", w.bucket,
		"example-prod-EC2AutoScalingGroup-a", w.fleet, "example-prod-EC2AutoScalingGroup-b", w.fleet+"b",
	).Replace(string(text))
	require.NoError(t, json.Unmarshal([]byte(fitted), &d))
	require.NotEmpty(t, d.Statement)
	for _, s := range d.Statement {
		for _, conditions := range s.Condition {
			assert.Equal(t, map[string]list{"aws:RequestedRegion": {testRegion}}, conditions, "the only condition that the tests stand in for")
		}
	}
	return d
}

func TestReleasesNeedNoMoreThanTheReleaseRole(t *testing.T) {
	for name, act := range map[string]func(w *world, folder string){
		"success":              func(w *world, folder string) { w.run(Succeeded, folder); w.run(Succeeded, folder) },
		"failure and rollback": failedRelease,
		"failure and leftover": func(w *world, folder string) {
			w.change(func(s *standin.Settings) { s.KeepGreen = true })
			failedRelease(w, folder)
		},
		"stop":   stoppedRelease,
		"resume": resumedRelease,
		"status": func(w *world, folder string) {
			w.run(Succeeded, folder)
			_, err := ReadStatus(w.ctx, w.options(""))
			require.NoError(w, err)
		},
		"redeploy": func(w *world, folder string) {
			w.run(Succeeded, folder)
			_, err := RedeployLastGood(w.ctx, w.options(""))
			require.NoError(w, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, standin.Settings{})
			w.make()
			recorded(t, w, releaseDocument, func() { act(w, checkout(t)) })
		})
	}
	t.Run("pair", func(t *testing.T) {
		w, _ := newPair(t, standin.Settings{})
		recorded(t, w, pairDocument, func() { failedRelease(w, checkout(t)) })
	})
}

// recorded does something and checks that the document allows each call of it.
func recorded(t *testing.T, w *world, file string, act func()) {
	t.Helper()
	r := &recorder{world: w}
	w.config.APIOptions = append(w.config.APIOptions, r.record)
	act()
	require.NotEmpty(t, r.all)
	allowed := documentOf(t, w, file)
	for _, needed := range r.all {
		assert.True(t, allowed.allows(needed), "%s on %s", needed.action, needed.resource)
	}
}

func failedRelease(w *world, folder string) {
	w.run(Succeeded, folder)
	w.fail("ValidateService")
	w.run(RolledBack, folder)
}

func stoppedRelease(w *world, folder string) {
	w.run(Succeeded, folder)
	w.change(func(s *standin.Settings) { s.Waits = 1 })
	w.run(Succeeded, folder, func(o *Options) { o.WaitForTermination = false })
	result, err := Stop(w.ctx, w.options(""), "")
	w.as(RolledBack, result, err)
}

func resumedRelease(w *world, folder string) {
	w.run(Succeeded, folder)
	result, err := Resume(w.ctx, w.options(""), "last")
	w.as(Succeeded, result, err)
}
