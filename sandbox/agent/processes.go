package agent

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	endTime  = 10 * time.Second      // from the request to end to the end itself
	endCheck = 20 * time.Millisecond // between looks whether they have ended
)

// endGroup ends a script that took too long, and what it started in its process
// group: asked first, as AWS's agent does, and killed if that is not enough.
func endGroup(pid int) {
	end(func() []int {
		if syscall.Kill(-pid, 0) != nil {
			return nil
		}
		return []int{-pid}
	})
}

// endAll ends a script and everything that it has started, wherever that went: a
// process has the event's variables in its environment, whatever became of its
// parent. What systemd runs has not.
func endAll(pid int, d deployment) {
	marks := [][]byte{[]byte("\x00DEPLOYMENT_ID=" + d.DeploymentID + "\x00"), []byte("\x00LIFECYCLE_EVENT=" + d.Event + "\x00")}
	end(func() (all []int) {
		if syscall.Kill(-pid, 0) == nil {
			all = append(all, -pid)
		}
		environments, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right
		for _, path := range environments {
			content, err := os.ReadFile(path)
			if err != nil {
				continue // it has ended, or is nobody that we could have started
			}
			content = append([]byte{0}, content...)
			id, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err == nil && bytes.Contains(content, marks[0]) && bytes.Contains(content, marks[1]) {
				all = append(all, id)
			}
		}
		return all
	})
}

// end asks processes to end, once, so that they can tidy up with more processes,
// and kills all that is left after a while. Negative ones are groups.
func end(find func() []int) {
	left := find()
	signal := syscall.SIGTERM
	for begun := time.Now(); len(left) > 0 && time.Since(begun) < 2*endTime; left = find() {
		if time.Since(begun) > endTime {
			signal = syscall.SIGKILL
		}
		if signal != 0 {
			for _, pid := range left {
				_ = syscall.Kill(pid, signal) // it may have ended since
			}
		}
		signal = 0
		time.Sleep(endCheck)
	}
}

// serviceEnvironment is what AWS's systemd unit gives its agent, and the agent its
// scripts: a shell that exports every variable, its own too, and has read
// /etc/profile. The agent's own AWS settings are not among it, nor a home.
func serviceEnvironment() ([]string, error) {
	shell := exec.Command("/bin/bash", "-a", "-c", "[ -f /etc/profile ] && source /etc/profile; exec /usr/bin/env -0")
	shell.Dir = "/"
	shell.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"} // of systemd
	for _, name := range []string{"LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"} {
		if value, ok := os.LookupEnv(name); ok { // from systemd, too
			shell.Env = append(shell.Env, name+"="+value)
		}
	}
	output, err := shell.Output()
	if err != nil {
		return nil, fmt.Errorf("the environment of scripts: bash with /etc/profile: %w", err)
	}
	var all []string
	for variable := range bytes.SplitSeq(bytes.TrimSuffix(output, []byte{0}), []byte{0}) {
		all = append(all, string(variable))
	}
	return all, nil
}
