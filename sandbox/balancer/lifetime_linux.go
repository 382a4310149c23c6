package balancer

import "syscall"

// childOfThis lets a process end with this one, however it ends, and keeps Ctrl-C
// in the terminal from it.
func childOfThis() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
