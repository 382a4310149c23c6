package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"bluegreen/sandbox/codedeploy"
)

// agentSocket is where the agent listens in a machine.
const agentSocket = "/run/codedeploy-agent/agent.sock"

// agentLimit is how long a machine that has booted may take to start its agent.
const agentLimit = time.Minute

// Run has an instance's agent perform a lifecycle event. It waits until the
// machine has booted and its agent listens.
//
// Errors: those of Agent; the context's; the instance has no machine, or none
// any more; the machine has no agent.
func (h *Host) Run(ctx context.Context, instance string, command codedeploy.Command) (log string, err error) {
	if h.Client == nil {
		return "", fmt.Errorf("machine %s: the sandbox was started without an agent", instance)
	}
	m, err := h.awaitAgent(ctx, instance)
	if err != nil {
		return "", err
	}
	socket, err := m.path(agentSocket)
	if err != nil {
		return "", err
	}
	return h.Client(socket).Run(ctx, command)
}

// awaitAgent waits for the machine and its agent, and for the database and the
// cache, which AWS has had ready for long.
func (h *Host) awaitAgent(ctx context.Context, instance string) (*machine, error) {
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	var booted time.Time
	for appears := time.Now().Add(10 * followInterval); ; { // an instance is known to CodeDeploy first
		m, err := h.find(instance)
		switch state, failure := h.state(m); {
		case err != nil && time.Now().After(appears):
			return nil, err
		case err != nil || state == Booting || h.dataBehind():
		case state == Failed:
			return nil, fmt.Errorf("machine %s has failed: %s", instance, failure)
		case m.exists(agentSocket):
			return m, nil
		case booted.IsZero():
			booted = time.Now()
		case time.Since(booted) > agentLimit:
			return nil, fmt.Errorf("machine %s: no agent listens %s after it has booted; see journalctl --unit codedeploy-agent there; user data: %s",
				instance, agentLimit, or(failure, "succeeded"))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-h.life.Done():
			return nil, errors.New("machines: closed")
		case <-tick.C:
		}
	}
}

func (h *Host) state(m *machine) (State, string) {
	if m == nil {
		return "", ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return m.state, m.failure
}

// Kill powers a machine off at once, as a failure of the hardware would: no
// process gets to know of it. Auto Scaling replaces the instance.
func (h *Host) Kill(instance string) error {
	m, err := h.find(instance)
	if err != nil {
		return err
	}
	h.Log.Info("killed", "machine", m.id)
	go m.kill()
	select {
	case <-m.ended:
		return nil
	case <-time.After(powerOffLimit):
		return fmt.Errorf("machine %s: its processes do not end", instance)
	}
}

// capabilities are those that systemd-nspawn(1) leaves to what it boots, with a
// network of its own. Whoever enters from outside has more: it could set the
// clock of this computer.
const capabilities = "-all,+audit_control,+audit_write,+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+ipc_owner," +
	"+kill,+lease,+linux_immutable,+mknod,+net_admin,+net_bind_service,+net_broadcast,+net_raw,+setfcap,+setgid,+setpcap,+setuid," +
	"+sys_admin,+sys_boot,+sys_chroot,+sys_nice,+sys_ptrace,+sys_resource,+sys_tty_config"

// Enter is the command that runs another one in the machine of a leader (see
// Machine), as root, with the rights that root has there and with none of the
// caller's environment but TERM; without a command it is a shell.
func Enter(leader int, command ...string) []string {
	if len(command) == 0 {
		command = []string{"/bin/bash", "--login"}
	}
	return append([]string{
		"nsenter", "--target=" + strconv.Itoa(leader), "--all", "--",
		// nsenter would look up the folder before it is in there.
		"setpriv", "--bounding-set=" + capabilities, "--", "env", "--chdir=/", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"TERM=" + or(os.Getenv("TERM"), "dumb"),
	}, command...)
}

// Command is a command to run in an instance's machine, or in the one with the
// data ("data"), as root.
func (h *Host) Command(ctx context.Context, instance string, command ...string) (*exec.Cmd, error) {
	m, err := h.find(instance)
	if err != nil {
		return nil, err
	}
	leader := m.leader()
	if leader == 0 {
		return nil, fmt.Errorf("machine %s: it does not run", instance)
	}
	entered := Enter(leader, command...)
	return exec.CommandContext(ctx, entered[0], entered[1:]...), nil // #nosec G204 -- what the caller wants
}

// readResult is what cloud-init writes about how the first start went; "" is well.
func readResult(path string) string {
	var result struct {
		V1 struct {
			Errors []string `json:"errors"`
		} `json:"v1"`
	}
	text, err := os.ReadFile(path) // #nosec G304 -- in a machine of ours
	if err == nil {
		err = json.Unmarshal(text, &result)
	}
	if err != nil {
		return err.Error()
	}
	if len(result.V1.Errors) == 0 {
		return ""
	}
	return strings.Join(result.V1.Errors, "; ") + "; see /var/log/cloud-init-output.log there"
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
