package machines

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// machine is a systemd-nspawn container, from the decision that there is to be
// one until nothing of it is left.
type machine struct {
	id       string // of its instance, or dataMachine
	address  netip.Addr
	instance instance
	host     *Host
	secret   credentials
	off      chan struct{} // closed to power it off in order
	offOnce  sync.Once
	ended    chan struct{} // closed when its processes have ended

	// Guarded by the host's lock.
	state   State
	failure string
	notice  time.Time // of a spot interruption; zero is none
	began   time.Time
	boot    time.Duration
	process *os.Process // unshare, whose child is systemd-nspawn; nil before it runs
	hosts   string      // /etc/hosts as it was written last
}

func (h *Host) newMachine(id string, address netip.Addr, i instance) *machine {
	return &machine{
		id: id, address: address, instance: i, host: h, state: Booting, began: time.Now(),
		off: make(chan struct{}), ended: make(chan struct{}),
	}
}

// hostname is the name that EC2 gives (Amazon EC2 User Guide, "EC2 instance
// hostnames and domains", IP name).
func (m *machine) hostname() string {
	if m.id == dataMachine {
		return dataMachine
	}
	return "ip-" + strings.ReplaceAll(m.address.String(), ".", "-")
}

func (m *machine) disk() string { return filepath.Join(m.host.Folder, diskFolder, m.id) }

// group is the machine's control group.
func (m *machine) group() string { return filepath.Join(m.host.name, m.id) }

// start boots the machine and returns at once.
func (m *machine) start(extra []file) error {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	err := makeDisk(m.disk(), append(common(m.hostname(), hex.EncodeToString(id), m.address), extra...))
	if err != nil {
		return err
	}
	groups, err := makeGroups(m.host.name, m.id)
	if err != nil {
		return err
	}
	started := make(chan error)
	go m.watch(started, slices.Concat(
		[]string{"--net=" + m.host.namespace.path(), "--", "unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
			"bash", "-c", embedded("boot.sh"), "boot.sh", m.disk(), m.host.Tree},
		groups, []string{"--"}, m.options()))
	return <-started
}

// restart is the status of a systemd-nspawn whose machine is to start again.
const restart = 133

// watch runs a machine until it has ended for good. Its thread stays as long:
// the kernel takes the thread's end for that of the parent. With the parent ends
// unshare, with that what it started, and with that, being the first process of
// a process namespace, the machine.
func (m *machine) watch(started chan<- error, arguments []string) {
	defer close(m.ended)
	runtime.LockOSThread()
	for again := false; ; again = true {
		cmd, err := m.command(arguments)
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			m.host.mu.Lock()
			m.process = cmd.Process
			m.host.mu.Unlock()
		}
		if !again {
			started <- err
		}
		if err != nil {
			return
		}
		_ = cmd.Wait() // however it ended, it ended
		if cmd.ProcessState.ExitCode() != restart {
			return
		}
		m.host.Log.Info("restarts itself", "machine", m.id)
	}
}

func (m *machine) command(arguments []string) (*exec.Cmd, error) {
	console, err := os.OpenFile(filepath.Join(m.disk(), "console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("nsenter", arguments...) // #nosec G204 -- our own
	// The container gets control groups of version 2 only, which systemd wants
	// from version 256 on, even where this computer has version 1 as well.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1"}
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

// options are those of systemd-nspawn.
func (m *machine) options() []string {
	options := []string{
		"--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no",
		"--resolv-conf=off", "--timezone=off", "--machine=" + m.id + "-" + m.host.name, "--hostname=" + m.hostname(),
		"--network-bridge=" + bridge,
	}
	if m.id != dataMachine && m.host.Agent != "" {
		options = append(options, "--bind-ro="+m.host.Agent+":"+agentProgram)
	}
	return options
}

// agentProgram is where AWS's installer puts the agent, and the tree an empty file.
const agentProgram = "/opt/codedeploy-agent/bin/codedeploy-agent"

// leader is the machine's first process as this computer numbers it, 0 when
// there is none. It changes when the machine restarts itself.
func (m *machine) leader() int {
	m.host.mu.Lock()
	defer m.host.mu.Unlock()
	return leaderOf(m.process)
}

func leaderOf(process *os.Process) int {
	if process == nil {
		return 0
	}
	for _, nspawn := range children(process.Pid) {
		for _, child := range children(nspawn) {
			if isFirst(child) {
				return child
			}
		}
	}
	return 0
}

// children lists the processes that another one has started.
func children(pid int) (pids []int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", pid)) // gone with the process
	for child := range strings.FieldsSeq(string(text)) {
		if number, err := strconv.Atoi(child); err == nil {
			pids = append(pids, number)
		}
	}
	return pids
}

// isFirst tells whether a process is the first one of its process namespace.
func isFirst(pid int) bool {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // gone with the process
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			all := strings.Fields(ids)
			return len(all) > 1 && all[len(all)-1] == "1"
		}
	}
	return false
}

// path is a path in the running machine as this computer reaches it.
func (m *machine) path(inside string) (string, error) {
	leader := m.leader()
	if leader == 0 {
		return "", fmt.Errorf("machine %s: it does not run", m.id)
	}
	return filepath.Join("/proc", strconv.Itoa(leader), "root", inside), nil
}

// exists tells whether the running machine has a file.
func (m *machine) exists(inside string) bool {
	path, err := m.path(inside)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// powerOff tells the machine to stop in order; live sees to it.
func (m *machine) powerOff() { m.offOnce.Do(func() { close(m.off) }) }

// kill ends every process of the machine at once, as a power cut would, and
// returns when they have ended.
func (m *machine) kill() {
	m.host.mu.Lock()
	if m.process != nil {
		_ = m.process.Kill() // it may have ended
	}
	m.host.mu.Unlock()
	<-m.ended
}

// shutDown lets the machine's systemd stop everything, and kills it when that
// takes too long. One that still boots is killed: it may not hear yet.
func (m *machine) shutDown(limit time.Duration) {
	m.host.mu.Lock()
	if m.boot == 0 {
		limit = 0
	}
	for _, nspawn := range children(m.process.Pid) {
		_ = syscall.Kill(nspawn, syscall.SIGTERM) // which it passes on as an order to power off
	}
	m.host.mu.Unlock()
	select {
	case <-m.ended:
	case <-time.After(limit):
		if limit > 0 {
			m.host.Log.Warn("does not power off, so it is killed", "machine", m.id, "after", limit)
		}
		m.kill()
	case <-m.host.life.Done():
		m.kill()
	}
}

// clean removes everything of a machine that has ended.
func (m *machine) clean() error {
	return errors.Join(endGroups(m.host.background(), m.group()), os.RemoveAll(m.disk()))
}
