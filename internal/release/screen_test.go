package release

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEventsForPrograms(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	w.run(Succeeded, folder)
	w.out.Reset()
	w.fail("ValidateService")
	result := w.run(RolledBack, folder, func(o *Options) { o.JSON = true })

	var events []Event
	for lines := bufio.NewScanner(&w.out); lines.Scan(); {
		var e Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e), lines.Text())
		assert.False(t, e.Time.IsZero())
		events = append(events, e)
	}
	last := events[len(events)-1]
	assert.Equal(t, KindResult, last.Kind)
	assert.Equal(t, "rolledBack", last.Status)
	result.Bundle.content = nil
	assert.Equal(t, result.Deployments, last.Result.Deployments)
	assert.Equal(t, result.Bundle, last.Result.Bundle)
	d := result.Deployments[0]
	kinds := map[Kind]int{}
	failed := 0
	for _, e := range events {
		kinds[e.Kind]++
		if e.Kind == KindLifecycle && e.Status == "Failed" {
			failed += len(e.Instances)
			assert.Equal(t, []string{"Green", "ValidateService", d.ID}, []string{e.Fleet, e.Lifecycle, e.Deployment})
		}
	}
	assert.Equal(t, 2, failed)
	assert.Equal(t, 1, kinds[KindRollback])
	assert.Equal(t, 1, kinds[KindResult])
	assert.NotContains(t, w.out.String(), "\x1b")
}

// at builds a snapshot: an instance's events with their status.
func at(status types.DeploymentStatus, targets ...types.InstanceTarget) snapshot {
	created := time.Now().Add(-90 * time.Second)
	completed := created.Add(90 * time.Second)
	return snapshot{targets: targets, info: types.DeploymentInfo{
		DeploymentId: aws.String("d-1"), DeploymentGroupName: aws.String("web"), Status: status, CreateTime: &created, CompleteTime: &completed,
	}}
}

func on(id string, label types.TargetLabel, events ...types.LifecycleEvent) types.InstanceTarget {
	return types.InstanceTarget{TargetId: &id, InstanceLabel: label, Status: types.TargetStatusInProgress, LifecycleEvents: events}
}

func lifecycle(name string, status types.LifecycleEventStatus, took time.Duration) types.LifecycleEvent {
	e := types.LifecycleEvent{LifecycleEventName: &name, Status: status}
	if status != types.LifecycleEventStatusPending && status != types.LifecycleEventStatusSkipped {
		began := time.Now().Add(-took)
		ended := began.Add(took)
		e.StartTime = &began
		if status != types.LifecycleEventStatusInProgress {
			e.EndTime = &ended
		}
	}
	return e
}

func TestOnlyChangesAreTold(t *testing.T) {
	const done, under, ahead = types.LifecycleEventStatusSucceeded, types.LifecycleEventStatusInProgress, types.LifecycleEventStatusPending
	before := at(types.DeploymentStatusInProgress,
		on("i-1", types.TargetLabelGreen, lifecycle("Install", done, time.Second), lifecycle("ApplicationStart", under, 0)),
		on("i-2", types.TargetLabelGreen, lifecycle("Install", under, 0), lifecycle("ApplicationStart", ahead, 0)))
	now := at(types.DeploymentStatusInProgress,
		on("i-1", types.TargetLabelGreen, lifecycle("Install", done, time.Second), lifecycle("ApplicationStart", done, 3*time.Second)),
		on("i-2", types.TargetLabelGreen, lifecycle("Install", done, 2*time.Second), lifecycle("ApplicationStart", done, 7*time.Second)))
	var told []string
	for _, e := range now.changes(before) {
		told = append(told, e.Message)
	}
	assert.Equal(t, []string{"green: ApplicationStart Succeeded on i-1, i-2, 7s", "green: Install Succeeded on i-2, 2s"}, told)
	assert.Empty(t, now.changes(now))
	assert.Len(t, now.changes(snapshot{}), 3, "and the deployment's own status")
}

func TestTheTable(t *testing.T) {
	var targets []types.InstanceTarget
	for i := range 30 {
		targets = append(targets, on(fmt.Sprintf("i-%02d", i), types.TargetLabelGreen,
			lifecycle("Install", types.LifecycleEventStatusSucceeded, time.Second), lifecycle("ValidateService", types.LifecycleEventStatusFailed, 65*time.Second),
			lifecycle("AllowTraffic", types.LifecycleEventStatusSkipped, 0)))
	}
	now := at(types.DeploymentStatusInProgress, targets...)
	full := now.table(100, 60)
	assert.Contains(t, full, "web  deployment d-1: InProgress, 1m30s\n")
	assert.Regexp(t, `Green +│ i-29 +│ InProgress +│ ValidateService failed +│ 1m5s`, full)
	small := now.table(60, 12)
	assert.LessOrEqual(t, strings.Count(small, "\n"), 12)
	assert.Contains(t, small, "… and 24 more")
	for _, line := range strings.Split(small, "\n") {
		assert.LessOrEqual(t, len([]rune(line)), 60)
	}
}

// terminal keeps what a terminal would show, as far as the board's control
// sequences go.
type terminal struct{ lines []string }

func (o *terminal) Write(text []byte) (int, error) {
	rest := string(text)
	for rest != "" {
		var up int
		if n, _ := fmt.Sscanf(rest, "\x1b[%dA\x1b[J", &up); n == 1 {
			o.lines = o.lines[:len(o.lines)-up]
			_, rest, _ = strings.Cut(rest, "\x1b[J")
			continue
		}
		line, after, _ := strings.Cut(rest, "\n")
		o.lines, rest = append(o.lines, line), after
	}
	return len(text), nil
}

func TestTheBoardStaysBelowWhatIsSaid(t *testing.T) {
	screen := &terminal{}
	b := &board{lines: lines{out: screen}, size: func() (int, int) { return 80, 20 }}
	b.say(Event{Time: time.Now(), Message: "one"})
	target := on("i-1", types.TargetLabelGreen, lifecycle("Install", types.LifecycleEventStatusInProgress, 0))
	b.show(at(types.DeploymentStatusInProgress, target))
	b.say(Event{Time: time.Now(), Message: "two"})
	b.show(at(types.DeploymentStatusSucceeded, target, on("i-2", types.TargetLabelBlue)))
	b.say(Event{Kind: KindResult, Message: "three"})
	shown := strings.Join(screen.lines, "\n")
	assert.Contains(t, screen.lines[0], "one")
	assert.Contains(t, screen.lines[1], "two")
	assert.Contains(t, screen.lines[2], "d-1: Succeeded")
	assert.Equal(t, 1, strings.Count(shown, "deployment d-1"), "one table only")
	assert.NotContains(t, shown, "three")
	assert.NotContains(t, shown, "\x1b")
}

func TestPlainLinesSayThatItGoesOn(t *testing.T) {
	var out bytes.Buffer
	l := &lines{out: &out, last: time.Now()}
	now := at(types.DeploymentStatusInProgress, on("i-1", types.TargetLabelGreen), on("i-2", types.TargetLabelGreen), on("i-3", types.TargetLabelBlue))
	l.show(now)
	assert.Empty(t, out.String())
	l.last = time.Now().Add(-sayEvery)
	l.show(now)
	assert.Contains(t, out.String(), "deployment d-1: InProgress, 1 blue InProgress, 2 green InProgress\n")
}

func TestStatusForPeople(t *testing.T) {
	var out strings.Builder
	Status{Groups: []GroupStatus{{
		Application: "shop", Group: "web", Live: []string{"fleet"}, Running: "d-2", Leftovers: []string{"CodeDeploy_web_d-0"}, Problems: []string{"look here"},
		Deployments: []LastStatus{{ID: "d-2", Status: "InProgress", Seconds: 61, Description: "abc Say hello"}, {ID: "d-1", Status: "Succeeded", Undoes: "d-0"}},
	}}}.Report(&out)
	for _, said := range []string{
		"web of application shop\n", "live: fleet, revision none\n", "bluegreen release --resume d-2", "left over: CodeDeploy_web_d-0;", "attention: look here",
		"abc Say hello", "1m1s", "rolls back d-0",
	} {
		assert.Contains(t, out.String(), said)
	}
	assert.True(t, ours("CodeDeploy_web_d-0ABC", "web"))
	assert.False(t, ours("CodeDeploy_web_2_d-0ABC", "web"), "is of deployment group web_2")
}
