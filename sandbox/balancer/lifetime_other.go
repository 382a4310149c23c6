//go:build !linux

package balancer

import "syscall"

// childOfThis is for Linux alone, as Check says.
func childOfThis() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
