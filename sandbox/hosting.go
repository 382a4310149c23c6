package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"bluegreen/sandbox/agent"
	"bluegreen/sandbox/balancer"
	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/machines"
)

// DefaultPace is how much shorter than on AWS the waits of a sandbox with
// machines are: health check intervals and the like.
const DefaultPace = 0.2

// hosting orders machines for the instances, and a load balancer.
type hosting struct {
	Tree  string  `json:"tree"`  // files that machines start from
	Agent string  `json:"agent"` // the CodeDeploy agent's program
	Pace  float64 `json:"pace"`  // of the load balancer; see balancer.Options
	Port  int     `json:"port"`  // of the load balancer; 0 takes any free one
}

// Folders of the run folder that machines and load balancer have for their own.
const (
	machinesFolder = "machines"
	balancerFolder = "balancer"
	machinesLog    = "machines.log"
	agentFile      = "codedeploy-agent"
)

// CheckMachines says everything that this computer lacks for machines, at once.
func CheckMachines(ctx context.Context) error {
	return errors.Join(machines.Check(ctx), balancer.Check(ctx))
}

// orderMachines makes what machines start from: their files, and the agent.
func (s *Sandbox) orderMachines(ctx context.Context) (*hosting, error) {
	if !s.Machines {
		return nil, nil
	}
	tree, err := machines.Tree(ctx, s.Root, s.Progress)
	if err != nil {
		return nil, err
	}
	ordered := &hosting{Tree: tree, Agent: s.path(agentFile), Pace: s.Pace, Port: s.SitePort}
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return nil, err
	}
	beside := fmt.Sprintf("%s.%d", ordered.Agent, os.Getpid())                                              // a running agent's file cannot be written to
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", beside, "./cmd/codedeploy-agent") // #nosec G204 -- our own program
	command.Dir, command.Env = s.Root, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the machines' CodeDeploy agent: %w\n%s", err, lastLines(string(output), 20))
	}
	return ordered, os.Rename(beside, ordered.Agent)
}

// hosts are the machines of an emulated AWS and the load balancer before them.
type hosts struct {
	*machines.Host
	balancer *balancer.Balancer
	log      *os.File
}

// startHosts starts what is ordered; it works on nothing before connect.
func startHosts(ctx context.Context, folder, region string, ordered hosting) (h *hosts, err error) {
	log, err := os.OpenFile(filepath.Join(folder, logFolder, machinesLog), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- in the run folder
	if err != nil {
		return nil, err
	}
	h = &hosts{log: log}
	h.Host, err = machines.Start(ctx, machines.Options{
		Folder: filepath.Join(folder, machinesFolder), Tree: ordered.Tree, Region: region, Agent: ordered.Agent,
		Client: func(socket string) machines.Agent { return agent.Client{Socket: socket} },
		Log:    slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	h.balancer, err = balancer.Start(ctx, balancer.Options{
		Folder: filepath.Join(folder, balancerFolder), Listen: fmt.Sprintf("127.0.0.1:%d", ordered.Port),
		Region: region, Namespace: h.Namespace(), Address: h.Address, Pace: ordered.Pace,
	})
	if err != nil {
		return nil, errors.Join(err, h.Host.Close(), log.Close())
	}
	return h, nil
}

// connect begins to follow the emulated AWS.
func (h *hosts) connect(endpoint string) {
	h.Connect(endpoint)
	h.balancer.Connect(endpoint)
}

// close ends the load balancer first: what it tells the emulated AWS is of
// machines that are still there.
func (h *hosts) close() error {
	return errors.Join(h.balancer.Close(), h.Host.Close(), h.log.Close())
}

// equip gives CodeDeploy machines, and the emulator their control path.
func (h *hosts) equip(options *codedeploy.Options, config *emulator.Config) {
	options.Machines, options.Traffic = h.Host, h.balancer
	config.Controls = map[string]http.Handler{machines.ControlPath: h.Host}
}
