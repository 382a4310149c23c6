package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const goodAppspec = `version: 0.0
os: linux
files:
  - source: app
    destination: /srv/app
file_exists_behavior: OVERWRITE
permissions:
  - object: /srv/app
    owner: web
hooks:
  AfterInstall:
    - location: scripts/install.sh
      timeout: 1800
      runas: root
    - location: scripts/link.sh
      timeout: 1800
  ValidateService:
    - location: scripts/validate.sh
`

// checkout is a git repository with a site in it, and returns its folder.
func checkout(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	git(t, folder, "init", "-q", "-b", "main")
	for file, content := range map[string]string{
		"appspec.yml": goodAppspec, "scripts/install.sh": "#!/bin/sh\n", "scripts/link.sh": "#!/bin/sh\n", "scripts/validate.sh": "#!/bin/sh\n",
		"app/manage.py": "print('hello')\r\n", "app/data.txt": "data\n", "README.md": "not in the bundle\n", "deploy/extra.conf": "extra\n",
	} {
		put(t, folder, file, content)
	}
	require.NoError(t, os.Symlink("data.txt", filepath.Join(folder, "app/latest.txt")))
	commit(t, folder, "Say hello")
	return folder
}

// put writes a file; scripts can be executed.
func put(t *testing.T, folder, file, content string) {
	t.Helper()
	path := filepath.Join(folder, file)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	mode := os.FileMode(0o644)
	if strings.HasSuffix(file, ".sh") {
		mode = 0o755
	}
	require.NoError(t, os.WriteFile(path, []byte(content), mode))
}

func commit(t *testing.T, folder, subject string) string {
	t.Helper()
	git(t, folder, "add", "-A")
	git(t, folder, "commit", "-q", "--allow-empty", "-m", subject)
	return git(t, folder, "rev-parse", "HEAD")
}

func git(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	command := exec.Command("git", append([]string{"-C", folder}, arguments...)...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-03-01T12:00:01+05:00")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}
