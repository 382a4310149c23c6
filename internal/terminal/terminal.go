// Package terminal keeps libraries from asking the terminal for its colours
// before the program has begun. The Pulumi SDK brings one that does, and waits for
// five seconds where nobody answers: under script, expect, or a runner's terminal.
//
// Go initialises packages in the order of their import paths as soon as what they
// import is ready, so that this one, which imports next to nothing and whose path
// begins with bluegreen, is before any of a host's name.
package terminal

import "os"

// ci is the variable with which that library does not ask (termenv's isTTY).
const ci = "CI"

var value, set = func() (string, bool) {
	before, there := os.LookupEnv(ci)
	_ = os.Setenv(ci, "true")
	return before, there
}()

// Restore gives the environment back as it was. The program calls it first.
func Restore() {
	if set {
		_ = os.Setenv(ci, value)
		return
	}
	_ = os.Unsetenv(ci)
}
