// Package agent does on a rehearsal's machine what AWS's CodeDeploy agent does on
// an instance: it fetches a bundle, installs what its appspec.yml says, and runs
// the scripts, with the places, the order, the environment and the time limits of
// the real one, version 1.8. The host tells it through a socket: Client there,
// Serve here.
//
// Where AWS's own codedeploy-local is installed on the machine, that does the
// work instead (local.go).
//
// Not done: revisions in GitHub, SELinux contexts, Windows.
package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Options say how an Agent lives. The zero value is right on a machine.
type Options struct {
	// Root stands for /, for a machine that is only a folder: the agent's own
	// places, where files are installed, and where scripts start.
	Root string
	// Environment is what every script gets besides CodeDeploy's own variables;
	// nil is what AWS's service gives its agent, see serviceEnvironment.
	Environment []string
	// AWS is where bundles come from; nil is the SDK's default chain: on a machine
	// the instance's role, and AWS_ENDPOINT_URL of the agent's environment.
	AWS func(context.Context) (aws.Config, error)
	// EventTime is how long a lifecycle event may take; none is an hour.
	EventTime time.Duration
}

// Agent performs lifecycle events. Its methods may be called at the same time.
type Agent struct {
	Options
	mu     sync.Mutex
	groups map[string]*sync.Mutex // of deployment groups: one event at a time
	done   map[string]*localRun   // what codedeploy-local did, by deployment
}

// New returns an agent. Errors: its environment cannot be made.
func New(o Options) (*Agent, error) {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.EventTime == 0 {
		o.EventTime = appspec.MaxEventTime * time.Second
	}
	if o.AWS == nil {
		o.AWS = instanceConfig
	}
	if o.Environment == nil {
		var err error
		if o.Environment, err = serviceEnvironment(); err != nil {
			return nil, err
		}
	}
	return &Agent{Options: o, groups: map[string]*sync.Mutex{}, done: map[string]*localRun{}}, nil
}

// instanceConfig is what instance metadata says: the region and the role's
// credentials. It is asked patiently, since what the SDK gives it, a quarter of a
// second to connect and five seconds for everything, is little on a machine that
// has just started among others. The SDK does so with clients of its own kind
// only.
func instanceConfig(ctx context.Context) (aws.Config, error) {
	metadata := imds.New(imds.Options{
		DisableDefaultTimeout: true,
		HTTPClient:            &http.Client{Timeout: metadataTime, Transport: &http.Transport{}},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = metadataAttempts, time.Second
		}),
	})
	return config.LoadDefaultConfig(ctx,
		config.WithEC2IMDSRegion(func(o *config.UseEC2IMDSRegion) { o.Client = metadata }),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = metadata }))
}

const (
	metadataTime     = 10 * time.Second // of one attempt
	metadataAttempts = 6
)

// Run performs a lifecycle event and returns the end of its scripts' log. Errors
// are *lifecycle.ScriptError, but for an ended context: then no process that the
// event has started is left.
func (a *Agent) Run(ctx context.Context, c lifecycle.Command) (log string, err error) {
	if err := checked(c); err != nil {
		return "", failure(err)
	}
	group := a.group(c.DeploymentGroupID)
	group.Lock()
	defer group.Unlock()
	if err := ctx.Err(); err != nil { // given up while another event was under way
		return "", err
	}
	a.note("INFO", "%s of deployment %s: begins", c.Event, c.DeploymentID)
	d := a.deployment(c)
	if _, missing := os.Stat(a.localProgram()); missing == nil {
		log, err = a.local(ctx, d)
	} else {
		log, err = a.perform(ctx, d)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		a.note("WARN", "%s of deployment %s: given up: %s", c.Event, c.DeploymentID, err)
		return log, err
	}
	if err != nil {
		a.note("ERROR", "%s of deployment %s: %s", c.Event, c.DeploymentID, err)
		return log, failure(err)
	}
	a.note("INFO", "%s of deployment %s: succeeded", c.Event, c.DeploymentID)
	return log, nil
}

func (a *Agent) perform(ctx context.Context, d deployment) (string, error) {
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return "", err
	}
	switch d.Event {
	case "DownloadBundle":
		return "", a.download(ctx, d)
	case "Install":
		return "", a.install(d)
	default:
		return a.hook(ctx, d)
	}
}

// group is the lock of a deployment group.
func (a *Agent) group(id string) *sync.Mutex {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.groups[id] == nil {
		a.groups[id] = &sync.Mutex{}
	}
	return a.groups[id]
}

// checked refuses a command that no agent knows, and names that would lead out
// of the agent's folders.
func checked(c lifecycle.Command) error {
	known := append(slices.Clone(appspec.HookEvents), "DownloadBundle", "Install")
	var errs []error
	if !slices.Contains(known, c.Event) {
		errs = append(errs, fmt.Errorf("event: want one of %s, got %q", strings.Join(known, ", "), c.Event))
	}
	for _, id := range []struct{ of, text string }{{"deployment", c.DeploymentID}, {"deployment group", c.DeploymentGroupID}} {
		if filepath.Base(id.text) != id.text || id.text == "." || id.text == ".." {
			errs = append(errs, fmt.Errorf("%s: want an id, got %q", id.of, id.text))
		}
	}
	return errors.Join(errs...)
}

// failure is an error as CodeDeploy has it.
func failure(err error) error {
	if script, ok := errors.AsType[*lifecycle.ScriptError](err); ok {
		return script
	}
	return &lifecycle.ScriptError{Code: types.LifecycleErrorCodeUnknownError, Message: err.Error()}
}
