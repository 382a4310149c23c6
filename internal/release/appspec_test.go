package release

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func bundled(appspec string) []entry {
	return []entry{
		{path: "appspec.yml", mode: 0o644, content: []byte(appspec)},
		{path: "scripts/start.sh", mode: 0o755}, {path: "scripts/plain.sh", mode: 0o644}, {path: "app/manage.py", mode: 0o644},
	}
}

func TestAllMistakesInAppspecAreToldAtOnce(t *testing.T) {
	err := checkAppspec(bundled(`version: 1.0
os: windows
file_exists_behavior: REPLACE
files:
  - source: /app
    destination: srv
  - source: static
    destination: /srv
hooks:
  AfterInstall:
    - location: scripts/absent.sh
    - location: scripts/plain.sh
      timeout: 1801
    - location: ./scripts/start.sh
      timeout: 1800
  BeforeStart:
    - location: scripts/start.sh
      timeout: 0
  Install:
    - location: scripts/start.sh
  ValidateService: []
  ApplicationStop:
    - timeout: 5
`))
	want := []string{
		`version: want 0.0, got "1.0"`,
		`os: want linux, got "windows"`,
		`file_exists_behavior: want DISALLOW, OVERWRITE or RETAIN, got "REPLACE"`,
		`files[0].destination: want an absolute path, got "srv"`,
		`files[1].source: static is not in the bundle`,
		`hooks.AfterInstall[0].location: scripts/absent.sh is not in the bundle`,
		`hooks.AfterInstall[1].location: scripts/plain.sh is not executable; run: git update-index --chmod=+x scripts/plain.sh`,
		`hooks.AfterInstall: the timeouts add up to 3601 seconds; CodeDeploy allows 3600`,
		`hooks.ApplicationStop[0].location: want a script`,
		`hooks.BeforeStart: no such lifecycle event; want one of ApplicationStop, `,
		`hooks.BeforeStart[0].timeout: want seconds, 1 or more, got 0`,
		`hooks.Install: is CodeDeploy's own event`,
		`hooks.ValidateService: has no script`,
	}
	for _, said := range want {
		require.ErrorContains(t, err, "appspec.yml: "+said)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), len(want))
}

func TestAppspecs(t *testing.T) {
	for name, test := range map[string]struct{ appspec, wrong string }{
		"the least":          {"version: 0.0\nos: linux\n", ""},
		"everything":         {"version: 0.0\nos: linux\nfiles: [{source: /, destination: /srv}]\nhooks: {ApplicationStart: [{location: scripts/start.sh, timeout: 3600, runas: root}]}\n", ""},
		"a misspelt key":     {"version: 0.0\nos: linux\nhook: {}\n", "line 3: field hook not found"},
		"a misspelt subkey":  {"version: 0.0\nos: linux\nhooks: {ApplicationStart: [{location: scripts/start.sh, run_as: root}]}\n", "field run_as not found"},
		"a time in words":    {"version: 0.0\nos: linux\nhooks: {ApplicationStart: [{location: scripts/start.sh, timeout: soon}]}\n", "cannot unmarshal"},
		"no YAML":            {"version: [\n", "yaml:"},
		"nothing":            {"", `version: want 0.0, got ""`},
		"a name like a path": {"version: 0.0\nos: linux\nfiles: [{source: ap, destination: /srv}]\n", "ap is not in the bundle"},
		"an empty source":    {"version: 0.0\nos: linux\nfiles: [{destination: /srv}]\n", "files[0].source: want a file"},
	} {
		err := checkAppspec(bundled(test.appspec))
		if test.wrong == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.wrong, name)
		assert.Contains(t, err.Error(), "appspec.yml: ", name)
	}
	require.ErrorContains(t, checkAppspec(nil), "appspec.yml: not in the commit")
}
