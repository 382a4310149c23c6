package release

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// maxBatch is how many targets CodeDeploy tells about in one answer (CodeDeploy
// API Reference, "BatchGetDeploymentTargets").
const maxBatch = 25

// snapshot is how a deployment is at a moment.
type snapshot struct {
	info    types.DeploymentInfo
	targets []types.InstanceTarget // green first, then by id
}

func (n snapshot) id() string    { return aws.ToString(n.info.DeploymentId) }
func (n snapshot) group() string { return aws.ToString(n.info.DeploymentGroupName) }

// look takes a snapshot.
func (s *session) look(ctx context.Context, id string) (snapshot, error) {
	info, err := s.deployment(ctx, id)
	if err != nil {
		return snapshot{}, err
	}
	now := snapshot{info: info}
	ids, err := s.targetIDs(ctx, id)
	if err != nil {
		return snapshot{}, err
	}
	for some := range slices.Chunk(ids, maxBatch) {
		out, err := s.deploying.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: some})
		if coded(err, "DeploymentTargetDoesNotExistException", "DeploymentNotStartedException") {
			continue // it was there a moment ago; the next look knows better
		}
		if err != nil {
			return snapshot{}, fmt.Errorf("targets of deployment %s: %w", id, err)
		}
		for _, target := range out.DeploymentTargets {
			if target.InstanceTarget != nil {
				now.targets = append(now.targets, *target.InstanceTarget)
			}
		}
	}
	slices.SortFunc(now.targets, func(a, b types.InstanceTarget) int {
		return cmp.Or(-strings.Compare(string(a.InstanceLabel), string(b.InstanceLabel)), strings.Compare(*a.TargetId, *b.TargetId))
	})
	return now, nil
}

// targetIDs lists the instances of a deployment, none before it has started.
func (s *session) targetIDs(ctx context.Context, id string) (ids []string, err error) {
	for request := (&codedeploy.ListDeploymentTargetsInput{DeploymentId: &id}); ; {
		out, err := s.deploying.ListDeploymentTargets(ctx, request)
		if coded(err, "DeploymentNotStartedException") {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("targets of deployment %s: %w", id, err)
		}
		ids = append(ids, out.TargetIds...)
		if request.NextToken = out.NextToken; aws.ToString(out.NextToken) == "" {
			return ids, nil
		}
	}
}

// instances lists the targets of a fleet; of a deployment in place, all.
func (n snapshot) instances(label types.TargetLabel) (ids []string) {
	for _, target := range n.targets {
		if target.InstanceLabel == label || target.InstanceLabel == "" {
			ids = append(ids, *target.TargetId)
		}
	}
	return ids
}

// rerouted tells whether traffic is on the new instances and the old ones go.
func (n snapshot) rerouted() bool {
	return !ended(n.info) && n.info.InstanceTerminationWaitTimeStarted
}

// step is a lifecycle event of a fleet in one status.
type step struct {
	fleet  types.TargetLabel
	event  string
	status types.LifecycleEventStatus
}

// changes are the events by which a snapshot differs from the one before.
// Instances on which the same has happened are in one event.
func (n snapshot) changes(before snapshot) []Event {
	var events []Event
	status := Event{Kind: KindDeployment, Status: string(n.info.Status), Message: fmt.Sprintf("deployment %s: %s", n.id(), n.info.Status)}
	if n.info.Status != before.info.Status && !ended(n.info) {
		events = append(events, status)
	}
	was := map[string]types.LifecycleEventStatus{}
	for _, target := range before.targets {
		for _, e := range target.LifecycleEvents {
			was[*target.TargetId+" "+*e.LifecycleEventName] = e.Status
		}
	}
	var order []step
	where, took := map[step][]string{}, map[step]time.Duration{}
	for _, target := range n.targets {
		for _, e := range target.LifecycleEvents {
			if e.Status == was[*target.TargetId+" "+*e.LifecycleEventName] || e.Status == types.LifecycleEventStatusPending || e.Status == types.LifecycleEventStatusSkipped {
				continue
			}
			at := step{target.InstanceLabel, *e.LifecycleEventName, e.Status}
			if _, known := where[at]; !known {
				order = append(order, at)
			}
			where[at] = append(where[at], *target.TargetId)
			if e.EndTime != nil {
				took[at] = max(took[at], between(e.StartTime, e.EndTime))
			}
		}
	}
	for _, at := range order {
		events = append(events, Event{Kind: KindLifecycle, Fleet: string(at.fleet), Lifecycle: at.event, Status: string(at.status),
			Instances: where[at], Seconds: took[at].Seconds(), Message: at.text(where[at], took[at])})
	}
	if n.rerouted() && !before.rerouted() {
		events = append(events, Event{Kind: KindNotice, Message: n.terminationNotice()})
	}
	if n.info.Status != before.info.Status && ended(n.info) {
		events = append(events, status) // after what led to it
	}
	for i := range events {
		events[i].Deployment, events[i].Group = n.id(), n.group()
	}
	return events
}

func (at step) text(where []string, took time.Duration) string {
	fleet := ""
	if at.fleet != "" {
		fleet = strings.ToLower(string(at.fleet)) + ": "
	}
	text := fmt.Sprintf("%s%s %s on %s", fleet, at.event, at.status, some(where))
	if at.status != types.LifecycleEventStatusInProgress {
		text += ", " + span(took)
	}
	return text
}

func (n snapshot) terminationNotice() string {
	wait := ""
	if config := n.info.BlueGreenDeploymentConfiguration; config != nil && config.TerminateBlueInstancesOnDeploymentSuccess != nil {
		wait = fmt.Sprintf(" in %d minutes", config.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes)
	}
	return "traffic is on the new instances; the old ones go" + wait
}

// failure says why a deployment did not succeed: CodeDeploy's own reason, and
// the lifecycle event that failed first, with the end of its script's log.
func (n snapshot) failure() *Failure {
	if n.info.Status == types.DeploymentStatusSucceeded || !ended(n.info) {
		return nil
	}
	f := &Failure{}
	if why := n.info.ErrorInformation; why != nil {
		f.Code, f.Message = string(why.Code), aws.ToString(why.Message)
	}
	var first *types.LifecycleEvent
	on := map[string][]string{}
	for _, target := range n.targets {
		for i, e := range target.LifecycleEvents {
			if e.Status != types.LifecycleEventStatusFailed {
				continue
			}
			on[*e.LifecycleEventName] = append(on[*e.LifecycleEventName], *target.TargetId)
			if first == nil || aws.ToTime(e.EndTime).Before(aws.ToTime(first.EndTime)) {
				first = &target.LifecycleEvents[i]
			}
		}
	}
	if first == nil {
		return f
	}
	f.Event, f.Instances = *first.LifecycleEventName, on[*first.LifecycleEventName]
	if told := first.Diagnostics; told != nil {
		f.Script, f.Log = aws.ToString(told.ScriptName), aws.ToString(told.LogTail)
		f.Reason = strings.TrimSpace(string(told.ErrorCode) + ": " + aws.ToString(told.Message))
	}
	return f
}

// stragglers are problems of a deployment in place that has succeeded although
// instances failed: one at a time, the last one does not count (AWS CodeDeploy
// User Guide, "Predefined deployment configurations").
func (n snapshot) stragglers() (problems []string) {
	for _, target := range n.targets {
		if target.Status == types.TargetStatusFailed {
			problems = append(problems, fmt.Sprintf("the deployment failed on instance %s, which CodeDeploy puts up with; see what it runs, and release again", *target.TargetId))
		}
	}
	return problems
}

// overview counts instances by status.
func (n snapshot) overview() string {
	count := map[string]int{}
	for _, target := range n.targets {
		count[strings.TrimSpace(strings.ToLower(string(target.InstanceLabel))+" "+string(target.Status))]++
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
	}
	if len(parts) == 0 {
		return "no instances yet"
	}
	return strings.Join(parts, ", ")
}
