package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// hook runs the scripts of a lifecycle event, one after the other.
func (a *Agent) hook(ctx context.Context, d deployment) (string, error) {
	folder, err := d.revision()
	if err != nil || folder == "" {
		return "", err
	}
	spec, err := readSpec(folder)
	if err != nil {
		return "", err
	}
	scripts := spec.Hooks[d.Event]
	if len(scripts) == 0 {
		return "", nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.EventTime, errEventTime)
	defer cancel()
	log := a.scriptLog(d)
	log.write("LifecycleEvent - " + d.Event + "\n")
	for _, s := range scripts {
		s.Location, s.RunAs = strings.TrimSpace(s.Location), strings.TrimSpace(s.RunAs)
		path := filepath.Join(archive(folder), s.Location)
		if err := a.runnable(path, s); err != nil {
			return log.text(), err
		}
		log.write("Script - " + s.Location + "\n")
		if err := a.script(ctx, d, s, path, log); err != nil {
			return log.text(), err
		}
	}
	return log.text(), log.err
}

// revision is the folder of the deployment whose hooks are to run, empty for
// none. A deployment that never came to this instance has hooks of an earlier
// one, for those events that are about what is there already.
func (d deployment) revision() (string, error) {
	if _, err := os.Stat(archive(d.folder)); err == nil {
		return d.folder, nil
	}
	rollback := d.Creator == types.DeploymentCreatorCodeDeployRollback && d.Type == types.DeploymentTypeBlueGreen
	switch d.Event {
	case "ApplicationStop":
		return d.earlier(lastSuccessful)
	case "BeforeBlockTraffic", "AfterBlockTraffic":
		if rollback { // the replacement instances leave, whose install may have failed
			return d.earlier(mostRecent)
		}
		return d.earlier(lastSuccessful)
	case "BeforeAllowTraffic", "AfterAllowTraffic":
		if rollback { // the original instances come back
			return d.earlier(lastSuccessful)
		}
	}
	return d.folder, nil
}

// runnable makes a script executable that is not, as AWS's agent does.
func (a *Agent) runnable(path string, s appspec.Script) error {
	info, err := os.Stat(path)
	if err != nil {
		return &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptMissing, Script: s.Location,
			Message: "Script does not exist at specified location: " + path}
	}
	if info.Mode().Perm()&0o111 != 0 {
		return nil
	}
	a.note("WARN", "Script at specified location: %s is not executable.  Trying to make it executable.", s.Location)
	if err := os.Chmod(path, info.Mode()|0o111); err != nil {
		return &lifecycle.ScriptError{Code: types.LifecycleErrorCodeScriptNotExecutable, Script: s.Location,
			Message: "Unable to set script at specified location: " + s.Location + " as executable"}
	}
	return nil
}

// environment is what a script gets: what the service gives the agent, and what
// CodeDeploy tells about the deployment (CodeDeploy User Guide, "AppSpec 'hooks'
// section", "Environment variable availability for hooks").
func (a *Agent) environment(d deployment) []string {
	all := append(slices.Clone(a.Environment),
		"LIFECYCLE_EVENT="+d.Event, "DEPLOYMENT_ID="+d.DeploymentID, "APPLICATION_NAME="+d.Application,
		"DEPLOYMENT_GROUP_NAME="+d.DeploymentGroup, "DEPLOYMENT_GROUP_ID="+d.DeploymentGroupID)
	bundle := d.Bundle()
	if at := bundle.GitHubLocation; at != nil {
		return append(all, "BUNDLE_COMMIT="+aws.ToString(at.CommitId))
	}
	at := bundle.S3Location
	if at == nil {
		return all
	}
	for _, variable := range []struct {
		name  string
		value *string
	}{{"BUNDLE_BUCKET", at.Bucket}, {"BUNDLE_KEY", at.Key}, {"BUNDLE_VERSION", at.Version}, {"BUNDLE_ETAG", at.ETag}} {
		if variable.value != nil {
			all = append(all, variable.name+"="+*variable.value)
		}
	}
	return all
}

// command is what AWS's agent types for a script.
func command(s appspec.Script, path string) []string {
	switch {
	case s.RunAs != "" && s.Sudo:
		return []string{"sudo", "su", s.RunAs, "-c", path}
	case s.RunAs != "":
		return []string{"su", s.RunAs, "-c", path}
	case s.Sudo:
		return []string{"sudo", path}
	default:
		return []string{path}
	}
}

// named begins what is said of a script that failed.
func named(s appspec.Script) string {
	text := "Script at specified location: " + s.Location
	if s.RunAs != "" {
		text += fmt.Sprintf(" run as user %s", s.RunAs)
	}
	return text
}
