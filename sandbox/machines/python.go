package machines

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// BuildEnvironment is what scripts/build is to be told of machines that start from
// a tree: the version of their Python and their processor, as it names them.
// Errors: the tree has no Python 3.
func BuildEnvironment(tree string) (map[string]string, error) {
	found, err := filepath.Glob(filepath.Join(tree, "usr/lib/python3.[0-9]*"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("%s/usr/lib: the machines have no Python 3", tree)
	}
	return map[string]string{
		"PYTHON_VERSION": strings.TrimPrefix(filepath.Base(found[0]), "python"),
		"MACHINE":        map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH],
	}, nil
}
