package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"bluegreen/internal/release"
	"bluegreen/sandbox"
	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/machines"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	awscodedeploy "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// waits multiplies CodeDeploy's waits: of the 10 minutes that the old fleet stays,
// 6 seconds are left, enough to lose a machine of it.
const waits = 0.01

// Live is a Stage that is a sandbox with machines.
type Live struct {
	*sandbox.Sandbox
	versions *versions
	site     *url.URL
	host     string
	project  string
	group    string // deployment group
	targets  string // target group
	app      string // CodeDeploy application

	scaling   *autoscaling.Client
	deploy    *awscodedeploy.Client
	balancing *elasticloadbalancingv2.Client
}

// Up makes the platform, and looks up its names.
func (l *Live) Up(ctx context.Context) error {
	if _, err := l.Sandbox.Up(ctx); err != nil {
		return err
	}
	if err := l.Control(ctx, map[string]any{"waits": waits}); err != nil {
		return err
	}
	access, err := l.Access(ctx)
	if err != nil {
		return err
	}
	text := func(name string) string { value, _ := access.Outputs[name].(string); return value }
	if l.site, err = url.Parse(access.Site); err != nil {
		return err
	}
	l.host = strings.TrimPrefix(text("siteUrl"), "https://")
	l.project = strings.Split(text("parameterPath"), "/")[1]
	l.app, l.group, l.targets = text(release.ApplicationVariable), text(release.GroupVariable), text("targetGroupName")
	l.scaling = autoscaling.NewFromConfig(access.AWS)
	l.deploy = awscodedeploy.NewFromConfig(access.AWS)
	l.balancing = elasticloadbalancingv2.NewFromConfig(access.AWS)
	return nil
}

// Site is where the load balancer listens, and the site's name.
func (l *Live) Site() (*url.URL, string) { return l.site, l.host }

// Release releases a commit of the versions.
func (l *Live) Release(ctx context.Context, what Revision, tell func(release.Event)) (release.Result, error) {
	order := sandbox.Release{Options: release.Options{Source: release.Source{Folder: l.versions.folder, Commit: what.Commit, Paths: bundled, Unbuilt: true}}}
	if what.Fail != "" {
		order.Failures = []codedeploy.Failure{{Event: what.Fail, Log: "ordered by the rehearsal"}}
	}
	return l.deployed(ctx, order, release.Run, tell)
}

// Redeploy releases the revision of the last success again.
func (l *Live) Redeploy(ctx context.Context, tell func(release.Event)) (release.Result, error) {
	return l.deployed(ctx, sandbox.Release{}, release.RedeployLastGood, tell)
}

func (l *Live) deployed(ctx context.Context, order sandbox.Release, do func(context.Context, release.Options) (release.Result, error), tell func(release.Event)) (result release.Result, err error) {
	order.Output, order.JSON, order.WaitForTermination = &events{told: tell}, true, true
	err = l.Sandbox.Release(ctx, order, func(ctx context.Context, options release.Options) (err error) {
		result, err = do(ctx, options)
		return err
	})
	return result, err
}

// events reads what a release prints with JSON, a line each.
type events struct{ told func(release.Event) }

// Write takes a whole line, as a JSON encoder writes it.
func (e *events) Write(line []byte) (int, error) {
	var event release.Event
	if err := json.Unmarshal(line, &event); err != nil {
		return 0, fmt.Errorf("an event of the release: %w", err)
	}
	if event.Kind != release.KindResult {
		e.told(event)
	}
	return len(line), nil
}

// identityTag is the tag that all groups of a fleet have, with the same value.
const identityTag = "bluegreen:fleet"

// State reads AWS and the machines.
func (l *Live) State(ctx context.Context) (State, error) {
	if l.deploy == nil {
		return State{}, errors.New("the platform is not up yet")
	}
	state := State{Targets: map[string]string{}}
	group, err := l.deploy.GetDeploymentGroup(ctx, &awscodedeploy.GetDeploymentGroupInput{ApplicationName: &l.app, DeploymentGroupName: &l.group})
	if err != nil {
		return State{}, err
	}
	for _, named := range group.DeploymentGroupInfo.AutoScalingGroups {
		state.Live = aws.ToString(named.Name)
	}
	if err := l.health(ctx, &state); err != nil {
		return State{}, err
	}
	if err := l.groups(ctx, &state); err != nil {
		return State{}, err
	}
	list, err := l.MachineList(ctx)
	for _, machine := range list.Machines {
		if strings.HasPrefix(machine.Instance, "i-") {
			state.Machines = append(state.Machines, Machine{Instance: machine.Instance, Fleet: machine.Group, State: stateOf[machine.State]})
		}
	}
	return state, err
}

// Revision is where the bundle of a deployment is.
func (l *Live) Revision(ctx context.Context, deployment string) (string, error) {
	found, err := l.deploy.GetDeployment(ctx, &awscodedeploy.GetDeploymentInput{DeploymentId: &deployment})
	if err != nil || found.DeploymentInfo.Revision == nil || found.DeploymentInfo.Revision.S3Location == nil {
		return "", err
	}
	return aws.ToString(found.DeploymentInfo.Revision.S3Location.Key), nil
}

var stateOf = map[machines.State]string{
	machines.Booting: Booting, machines.Running: Ready, machines.Stopping: Gone, machines.Failed: Killed,
}

func (l *Live) health(ctx context.Context, state *State) error {
	found, err := l.balancing.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: []string{l.targets}})
	if err != nil {
		return err
	}
	for _, group := range found.TargetGroups {
		health, err := l.balancing.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn})
		if err != nil {
			return err
		}
		for _, target := range health.TargetHealthDescriptions {
			state.Targets[aws.ToString(target.Target.Id)] = string(target.TargetHealth.State)
		}
	}
	return nil
}

// groups reads the Auto Scaling groups that have the live one's identity.
func (l *Live) groups(ctx context.Context, state *State) error {
	identity := map[string]string{}
	var all []Group
	for pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(l.scaling, nil); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, found := range page.AutoScalingGroups {
			group := Group{Name: aws.ToString(found.AutoScalingGroupName), Attached: len(found.TargetGroupARNs) > 0}
			for _, member := range found.Instances {
				if member.LifecycleState == "InService" {
					group.Instances = append(group.Instances, aws.ToString(member.InstanceId))
				}
			}
			for _, tag := range found.Tags {
				if aws.ToString(tag.Key) == identityTag {
					identity[group.Name] = aws.ToString(tag.Value)
				}
			}
			all = append(all, group)
		}
	}
	state.Groups = slices.DeleteFunc(all, func(group Group) bool { return identity[group.Name] != identity[state.Live] })
	return nil
}

// Kill takes a machine's power away.
func (l *Live) Kill(ctx context.Context, instance string) error { return l.End(ctx, "kill", instance) }

// Interrupt announces to an instance that it ends.
func (l *Live) Interrupt(ctx context.Context, instance string) error {
	return l.End(ctx, "interrupt", instance)
}

// Preview counts what an update would change.
func (l *Live) Preview(ctx context.Context) (int, error) {
	changes, err := l.Sandbox.Preview(ctx, sandbox.RefreshAsConfigured)
	return len(changes.Steps), err
}

// Destroy deletes everything through Pulumi; no process of a machine may be left.
func (l *Live) Destroy(ctx context.Context) error {
	list, err := l.MachineList(ctx)
	if err != nil {
		return err
	}
	if _, err := l.Sandbox.Destroy(ctx, false); err != nil {
		return err
	}
	for _, machine := range list.Machines {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", machine.Leader)); machine.Leader != 0 && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("machine %s still runs, as process %d", machine.Instance, machine.Leader)
		}
	}
	return nil
}

// Close drops what is left of the sandbox.
func (l *Live) Close(ctx context.Context) error {
	_, err := l.Sandbox.Destroy(ctx, true)
	return err
}

// instancesOf is what to build for.
func instancesOf(tree string) (build, error) {
	told, err := machines.BuildEnvironment(tree)
	return build{python: told["PYTHON_VERSION"], machine: told["MACHINE"]}, err
}
