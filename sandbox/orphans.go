package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// orphans are the provider plugins of this sandbox whose engine was killed: they
// were started from this run folder, and no engine is above them. Plugins of a
// pulumi in the user's own shell have one. Without /proc, none are found.
func (s *Sandbox) orphans() (found []*os.Process) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		process, err := os.FindProcess(pid) // before looking, so that it cannot become another's
		if err != nil {
			continue
		}
		line, err := os.ReadFile(file)
		command, _, _ := bytes.Cut(line, []byte{0})
		ours := strings.HasPrefix(string(command), s.path("home", "plugins")+string(filepath.Separator))
		if err != nil || !ours || underEngine(pid) {
			_ = process.Release()
			continue
		}
		found = append(found, process)
	}
	return found
}

// underEngine tells whether a process is the child of a Pulumi engine, or has
// just ended.
func underEngine(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	// After the name in parentheses: state ppid …
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return true
	}
	parent, err := os.Readlink("/proc/" + fields[1] + "/exe")
	return err == nil && strings.HasPrefix(filepath.Base(parent), "pulumi")
}

// endOrphans ends them as their engine would have done.
func (s *Sandbox) endOrphans() {
	for _, process := range s.orphans() {
		_ = process.Kill() // it may just have ended
		_ = process.Release()
	}
}
