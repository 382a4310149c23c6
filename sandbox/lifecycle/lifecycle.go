// Package lifecycle is what CodeDeploy and the agent on a machine say to each
// other: which lifecycle event is to be performed, and how a script failed. It
// stands apart so that the agent's program links nothing of CodeDeploy itself.
package lifecycle

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Command is a lifecycle event to perform: what the agent gets told.
type Command struct {
	Event             string // "ApplicationStart"
	DeploymentID      string
	Application       string
	DeploymentGroup   string
	DeploymentGroupID string
	// Creator and Type decide whose hooks run when a blue/green deployment is
	// rolled back. Empty is a user's deployment in place.
	Creator types.DeploymentCreator
	Type    types.DeploymentType
	// Revision is the one whose hook is to run: for ApplicationStop, and for the
	// traffic events on original instances, the one that was installed there last.
	Revision types.RevisionLocation
	// Target is the revision that the deployment brings: the one to download, and
	// what BUNDLE_KEY and the like in a script's environment are about. It is
	// Revision when it has no type.
	Target              types.RevisionLocation
	FileExistsBehavior  types.FileExistsBehavior
	DeploymentCreatedAt time.Time
}

// Bundle is Target, or Revision where there is none.
func (c Command) Bundle() types.RevisionLocation {
	if c.Target.RevisionType == "" {
		return c.Revision
	}
	return c.Target
}

// ScriptError is the failure of a hook's script, or of the agent's own part of a
// lifecycle event: then Script is empty and Code is UnknownError.
type ScriptError struct {
	Code    types.LifecycleErrorCode `json:"code"`   // ScriptFailed when empty
	Script  string                   `json:"script"` // as appspec.yml names it
	Message string                   `json:"message"`
}

// Error says what happened.
func (e *ScriptError) Error() string { return e.Message }
