package codedeploy

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Lifecycle events (CodeDeploy User Guide, "AppSpec 'hooks' section").
const (
	applicationStop = "ApplicationStop"
	downloadBundle  = "DownloadBundle"
	install         = "Install"
	blockTraffic    = "BlockTraffic"
	allowTraffic    = "AllowTraffic"
)

// The three parts that the events of a deployment are made of, in their order.
func installEvents() []string {
	return []string{applicationStop, downloadBundle, "BeforeInstall", install, "AfterInstall", "ApplicationStart", "ValidateService"}
}

func blockEvents() []string {
	return []string{"BeforeBlockTraffic", blockTraffic, "AfterBlockTraffic"}
}

func allowEvents() []string {
	return []string{"BeforeAllowTraffic", allowTraffic, "AfterAllowTraffic"}
}

func allEvents() []string { return slices.Concat(blockEvents(), installEvents(), allowEvents()) }

// target is an instance of a deployment.
type target struct {
	info     types.InstanceTarget
	installs bool // whether the deployment's revision comes to it
}

// newTarget returns an instance with its events before it.
func (s *Service) newTarget(d *deployment, instance string, label types.TargetLabel, events ...[]string) *target {
	arn := fmt.Sprintf("arn:aws:ec2:%s:%s:instance/%s", s.region, s.account, instance)
	t := &target{info: types.InstanceTarget{
		DeploymentId: d.info.DeploymentId, InstanceLabel: label, LastUpdatedAt: now(), Status: types.TargetStatusPending,
		TargetArn: &arn, TargetId: &instance, LifecycleEvents: []types.LifecycleEvent{},
	}}
	for _, name := range slices.Concat(events...) {
		t.installs = t.installs || name == downloadBundle
		t.info.LifecycleEvents = append(t.info.LifecycleEvents, types.LifecycleEvent{
			LifecycleEventName: &name, Status: types.LifecycleEventStatusPending,
		})
	}
	return t
}

func (t *target) id() string { return *t.info.TargetId }

func (t *target) event(name string) *types.LifecycleEvent {
	for i := range t.info.LifecycleEvents {
		if event := &t.info.LifecycleEvents[i]; *event.LifecycleEventName == name {
			return event
		}
	}
	return nil
}

// met tells whether the instance got as far as an event.
func (t *target) met(name string) bool {
	event := t.event(name)
	return event != nil && event.StartTime != nil
}

func (t *target) failed() bool { return t.info.Status == types.TargetStatusFailed }

func (t *target) set(status types.TargetStatus) {
	t.info.Status, t.info.LastUpdatedAt = status, now()
}

// skipRest marks what did not happen when the deployment ended.
func (t *target) skipRest() {
	open, failed := false, t.failed()
	for i := range t.info.LifecycleEvents {
		event := &t.info.LifecycleEvents[i]
		switch event.Status {
		case types.LifecycleEventStatusPending, types.LifecycleEventStatusInProgress:
			event.Status, open = types.LifecycleEventStatusSkipped, true
		}
	}
	if open && !failed {
		t.set(types.TargetStatusSkipped)
	}
}

// settle gives an instance its status between two parts of a deployment.
func (t *target) settle() {
	if t.failed() {
		return
	}
	for _, event := range t.info.LifecycleEvents {
		if event.Status == types.LifecycleEventStatusPending {
			t.set(types.TargetStatusReady) // the rest comes when it is the fleet's turn
			return
		}
	}
	t.set(types.TargetStatusSucceeded)
}
