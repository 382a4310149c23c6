package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/lifecycle"
)

// Where the agent keeps what it keeps (CodeDeploy User Guide, "Working with the
// CodeDeploy agent"; the files in deployment-instructions are from its source).
const (
	deploymentRoot = "/opt/codedeploy-agent/deployment-root"
	agentLog       = "/var/log/aws/codedeploy-agent/codedeploy-agent.log"
	localProgram   = "/opt/codedeploy-agent/bin/codedeploy-local"
)

// deployment is a command, and the places of its deployment.
type deployment struct {
	lifecycle.Command
	group        string // folder of the deployment group
	folder       string // of the deployment
	instructions string // folder of the files that outlive a deployment
}

func (a *Agent) deployment(c lifecycle.Command) deployment {
	group := filepath.Join(a.Root, deploymentRoot, c.DeploymentGroupID)
	return deployment{
		Command: c, group: group, folder: filepath.Join(group, c.DeploymentID),
		instructions: filepath.Join(a.Root, deploymentRoot, "deployment-instructions"),
	}
}

func (a *Agent) localProgram() string { return filepath.Join(a.Root, localProgram) }

// archive is where a deployment's bundle is unpacked.
func archive(folder string) string { return filepath.Join(folder, "deployment-archive") }

func (d deployment) bundle() string     { return filepath.Join(d.folder, "bundle.tar") } // whatever its format
func (d deployment) scriptsLog() string { return filepath.Join(d.folder, "logs", "scripts.log") }
func (d deployment) cleanup() string    { return d.instruction("-cleanup") }
func (d deployment) instruction(name string) string {
	return filepath.Join(d.instructions, d.DeploymentGroupID+name)
}

// Names of the files that hold the folder of an earlier deployment.
const (
	lastSuccessful = "_last_successful_install" // whose Install succeeded last
	mostRecent     = "_most_recent_install"     // whose bundle came last
)

// remember makes this deployment the last one of a kind.
func (d deployment) remember(kind string) error {
	if err := os.MkdirAll(d.instructions, 0o755); err != nil {
		return err
	}
	return os.WriteFile(d.instruction(kind), []byte(d.folder), 0o644)
}

// earlier is the folder of the last deployment of a kind, empty for none.
func (d deployment) earlier(kind string) (string, error) {
	content, err := os.ReadFile(d.instruction(kind))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}

// readSpec reads the application specification of an unpacked bundle.
func readSpec(folder string) (appspec.Spec, error) {
	path := filepath.Join(archive(folder), appspec.Name)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return appspec.Spec{}, fmt.Errorf("%s: the revision has no AppSpec file in its root; it is to be there, under that very name", path)
	}
	if err != nil {
		return appspec.Spec{}, err
	}
	spec, err := appspec.Read(content)
	if err == nil {
		err = errors.Join(spec.Problems()...)
	}
	if err != nil {
		return appspec.Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}

// note writes a line to the agent's log. A log that cannot be written is no
// reason to fail a deployment.
func (a *Agent) note(severity, format string, arguments ...any) {
	line := fmt.Sprintf("%s %-5s [codedeploy-agent(%d)]: %s\n", time.Now().Format("2006-01-02T15:04:05"), severity, os.Getpid(), fmt.Sprintf(format, arguments...))
	_ = appendTo(filepath.Join(a.Root, agentLog), line)
}

func appendTo(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
