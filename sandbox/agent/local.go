package agent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// installPart are the events that a deployment brings to an instance at a stretch.
var installPart = []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService"}

// localRun is what one call of codedeploy-local did.
type localRun struct {
	logs   map[string]string // by event
	failed string            // event; empty: none, or nobody knows which
	err    error
}

// local has codedeploy-local of AWS's agent perform an event. It knows no single
// event, only whole deployments, each with an id of its own making, and whatever
// it is told, it downloads and installs. So the first event of an installation
// has it perform the whole, and the others tell how theirs went. A traffic event
// is a call of its own, which installs once more (CodeDeploy User Guide, "Use the
// CodeDeploy agent to validate a deployment package on a local machine").
func (a *Agent) local(ctx context.Context, d deployment) (string, error) {
	events, key := []string{d.Event, "DownloadBundle", "Install"}, ""
	switch {
	case slices.Contains(installPart, d.Event):
		events, key = installPart, d.DeploymentGroupID+"/"+d.DeploymentID
	case strings.HasSuffix(d.Event, "AllowTraffic"):
		events = []string{"DownloadBundle", "Install", d.Event}
	}
	a.mu.Lock()
	done := a.done[key]
	a.mu.Unlock()
	if done == nil || key == "" {
		done = a.callLocal(ctx, d, events)
		a.mu.Lock()
		a.done[key] = done
		a.mu.Unlock()
	}
	if key == "" || done.failed == d.Event || done.failed == "" {
		return done.logs[d.Event], done.err
	}
	return done.logs[d.Event], nil
}

func (a *Agent) callLocal(ctx context.Context, d deployment, events []string) *localRun {
	ran := &localRun{logs: map[string]string{}}
	arguments, err := a.localArguments(d, events)
	if err != nil {
		ran.err = err
		return ran
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.EventTime, errEventTime)
	defer cancel()
	a.note("INFO", "%s %s", localProgram, strings.Join(arguments, " "))
	call := exec.CommandContext(ctx, a.localProgram(), arguments...)
	call.Dir, call.Env = a.Root, a.Environment
	call.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	call.Cancel = func() error { endGroup(call.Process.Pid); return nil }
	var output bytes.Buffer
	call.Stdout, call.Stderr = &output, &output
	err = call.Run()
	said := output.String()
	last := ran.read(said)
	if err == nil {
		return ran
	}
	ran.failed = last
	problem := &lifecycle.ScriptError{Code: types.LifecycleErrorCodeUnknownError, Message: fmt.Sprintf("%s: %s: %s", localProgram, err, strings.TrimSpace(said))}
	if errors.Is(context.Cause(ctx), errEventTime) {
		problem.Code = types.LifecycleErrorCodeScriptTimedOut
	} else if _, script, ok := strings.Cut(said, "/deployment-archive/"); ok {
		problem.Code, problem.Script = types.LifecycleErrorCodeScriptFailed, strings.TrimSpace(strings.SplitN(script, "\n", 2)[0])
	} else if slices.Index(events, last) < slices.Index(events, "DownloadBundle") { // it was no script
		ran.failed = "DownloadBundle"
	} else {
		ran.failed = "Install"
	}
	ran.err = problem
	return ran
}

// read finds the log of the deployment in what codedeploy-local says, and parts
// it by event. It returns the last event that began.
func (r *localRun) read(said string) (last string) {
	_, folder, ok := strings.Cut(said, "from within folder ")
	if !ok {
		return ""
	}
	folder, _, _ = strings.Cut(folder, "\n")
	content, err := os.ReadFile(filepath.Join(strings.TrimSpace(folder), "logs", "scripts.log"))
	if err != nil {
		return "" // no event had a script
	}
	for line := range strings.Lines(string(content)) {
		if len(line) > len("2006-01-02 15:04:05 ") {
			line = line[len("2006-01-02 15:04:05 "):]
		}
		if event, ok := strings.CutPrefix(line, "LifecycleEvent - "); ok {
			last = strings.TrimSpace(event)
		}
		r.logs[last] += line
	}
	return last
}

// localArguments are the options of codedeploy-local that its help documents.
func (a *Agent) localArguments(d deployment, events []string) ([]string, error) {
	at := d.Bundle().S3Location
	if at == nil {
		return nil, fmt.Errorf("a revision of type %q; want S3", d.Bundle().RevisionType)
	}
	query := url.Values{}
	if at.Version != nil {
		query.Set("versionId", *at.Version)
	}
	if at.ETag != nil {
		query.Set("etag", bare(*at.ETag))
	}
	location := url.URL{Scheme: "s3", Host: aws.ToString(at.Bucket), Path: "/" + aws.ToString(at.Key), RawQuery: query.Encode()}
	configuration, err := a.localConfiguration()
	if err != nil {
		return nil, err
	}
	return []string{
		"--bundle-location", location.String(), "--type", string(at.BundleType),
		"--file-exists-behavior", string(cmp.Or(d.FileExistsBehavior, types.FileExistsBehaviorDisallow)),
		"--deployment-group", d.DeploymentGroupID, "--deployment-group-name", d.DeploymentGroup, "--application-name", d.Application,
		"--events", strings.Join(events, ","), "--agent-configuration-file", configuration,
	}, nil
}

// localConfiguration writes the configuration with which AWS's agent has its usual
// places, and its bundles from the emulated AWS.
func (a *Agent) localConfiguration() (string, error) {
	text := fmt.Sprintf("---\n:program_name: codedeploy-agent\n:root_dir: '%s'\n:log_dir: '%s'\n:max_revisions: %d\n",
		filepath.Join(a.Root, deploymentRoot), filepath.Join(a.Root, filepath.Dir(agentLog)), keptRevisions)
	if endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		text += fmt.Sprintf(":s3_endpoint_override: '%s'\n", endpoint)
	}
	path := filepath.Join(a.Root, "/run/codedeploy-agent/codedeployagent.yml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(text), 0o644)
}
