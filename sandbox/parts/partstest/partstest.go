// Package partstest gives tests the programs that the sandbox is made of.
package partstest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"bluegreen/sandbox/parts"

	"github.com/stretchr/testify/require"
)

// Find returns the parts of the checkout whose tests run, and makes those that
// are missing. It does so once for all tests of a package.
var Find = sync.OnceValues(func() (parts.Tools, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return parts.Tools{}, fmt.Errorf("partstest: the checkout: %w", err)
	}
	policy, err := parts.PolicyFromEnvironment()
	if err != nil {
		return parts.Tools{}, err
	}
	return parts.Ensure(context.Background(), parts.Options{Root: strings.TrimSpace(string(root)), Plugins: policy, Output: os.Stderr})
})

// Tools is Find for a test, which is skipped in short mode: making the parts
// takes minutes.
func Tools(t *testing.T) parts.Tools {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the parts of the sandbox, which are made for the whole suite only")
	}
	tools, err := Find()
	require.NoError(t, err)
	return tools
}
