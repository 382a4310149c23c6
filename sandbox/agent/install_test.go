package agent

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIfSourceIsAFileThatFileIsCopiedIntoTheDestination(t *testing.T) {
	w := newWorld(t)
	w.installed(bundle{
		"appspec.yml":  spec("files:\n  - source: /config/site.conf\n    destination: /etc/shop/\n"),
		"config/other": "no", "config/site.conf": "yes",
	})
	assert.Equal(t, "yes", w.read("etc/shop/site.conf"))
	assert.NoFileExists(t, w.path("etc/shop/other"))
}

func TestIfSourceIsAFolderItsContentsAreCopiedAndNotItself(t *testing.T) {
	w := newWorld(t)
	w.installed(bundle{
		"appspec.yml": spec("files: [{source: app, destination: /srv/shop}]\n"),
		"app/a":       "1", "app/deep/er/b": "2", "app/link": "->a",
	})
	assert.Equal(t, "1", w.read("srv/shop/a"))
	assert.Equal(t, "2", w.read("srv/shop/deep/er/b"))
	link, err := os.Readlink(w.path("srv/shop/link"))
	require.NoError(t, err)
	assert.Equal(t, "a", link)
	assert.NoDirExists(t, w.path("srv/shop/app"))
}

func TestASlashIsTheWholeRevision(t *testing.T) {
	w := newWorld(t)
	w.installed(bundle{"appspec.yml": spec("files: [{source: /, destination: /srv}]\n"), "scripts/x": "#!"})
	assert.FileExists(t, w.path("srv/appspec.yml"))
	assert.FileExists(t, w.path("srv/scripts/x"))
}

func TestFilesKeepTheirModesAndFoldersGetTheUsualOne(t *testing.T) {
	w := newWorld(t)
	w.installed(bundle{"appspec.yml": spec("files: [{source: app, destination: /srv}]\n"), "app/executable": "", "app/in/plain": ""})
	assert.Equal(t, fs.FileMode(0o755), w.mode("srv/executable"))
	assert.Equal(t, fs.FileMode(0o644), w.mode("srv/in/plain"))
	assert.Equal(t, fs.ModeDir|0o755, w.mode("srv/in"))
	source, err := os.Stat(filepath.Join(w.archived(w.installed(bundle{"appspec.yml": spec("files: [{source: a, destination: /srv}]\n"), "a/b": ""})), "a/b"))
	require.NoError(t, err)
	copied, err := os.Stat(w.path("srv/b"))
	require.NoError(t, err)
	assert.Equal(t, source.ModTime(), copied.ModTime())
}

func TestAMissingSourceFailsTheDeployment(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(bundle{"appspec.yml": spec("files: [{source: absent, destination: /srv}]\n")})
	w.run(c, "DownloadBundle")
	problem, _ := w.fails(c, "Install")
	assert.ErrorContains(t, problem, "files: absent is not in the revision")
}

func TestFileExistsBehavior(t *testing.T) {
	const exists = "The deployment failed because a specified file already exists at this location: "
	for _, test := range []struct {
		sentence         string
		appspec, command string
		want             string // content, or empty for a failure
	}{
		{"DISALLOW is the default, and the deployment fails", "", "", ""},
		{"DISALLOW: the deployment fails", "", "DISALLOW", ""},
		{"OVERWRITE: the file of the revision replaces the one on the instance", "", "OVERWRITE", "new"},
		{"RETAIN: the one on the instance is kept", "", "RETAIN", "old"},
		{"what the AppSpec file says goes before what the deployment says", "OVERWRITE", "RETAIN", "new"},
		{"and if it says DISALLOW, too", "DISALLOW", "OVERWRITE", ""},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			w := newWorld(t)
			w.write("srv/b", "old")
			text := spec("files: [{source: app, destination: /srv}]\n")
			if test.appspec != "" {
				text += "file_exists_behavior: " + test.appspec + "\n"
			}
			c := w.deploy(bundle{"appspec.yml": text, "app/a": "first", "app/b": "new"})
			c.FileExistsBehavior = types.FileExistsBehavior(test.command)
			w.run(c, "DownloadBundle")
			if test.want != "" {
				w.run(c, "Install")
				assert.Equal(t, test.want, w.read("srv/b"))
				assert.Equal(t, "first", w.read("srv/a"))
				return
			}
			problem, _ := w.fails(c, "Install")
			assert.Equal(t, exists+w.path("srv/b"), problem.Message)
			assert.Equal(t, "old", w.read("srv/b"))
			assert.NoFileExists(t, w.path("srv/a"), "nothing is copied before all is known to go")
		})
	}
}

func TestInstallRemovesWhatTheLastDeploymentInstalled(t *testing.T) {
	w := newWorld(t)
	w.write("srv/foreign/file", "stays")
	files := spec("files: [{source: app, destination: /srv}]\n")
	first := w.installed(bundle{"appspec.yml": files, "app/same": "1", "app/old/gone": "1", "app/kept/ours": "1"})
	w.write("srv/kept/theirs", "somebody else's")
	folder := filepath.Dir(w.archived(first))
	assert.Equal(t, folder, w.read(deploymentRoot, "deployment-instructions/group-1_last_successful_install"))

	w.installed(bundle{"appspec.yml": files, "app/same": "2"}) // DISALLOW is no hindrance: the file is ours
	assert.Equal(t, "2", w.read("srv/same"))
	assert.NoDirExists(t, w.path("srv/old"), "a folder goes when it is empty")
	assert.NoFileExists(t, w.path("srv/kept/ours"))
	assert.Equal(t, "somebody else's", w.read("srv/kept/theirs"))
	assert.Equal(t, "stays", w.read("srv/foreign/file"))
	assert.Equal(t, w.path("srv/same")+"\n", w.read(deploymentRoot, "deployment-instructions/group-1-cleanup"))
	assert.Contains(t, w.read(deploymentRoot, "deployment-instructions/group-1-install.json"), `"type":"copy"`)
}

func TestAFileThatOverwroteAnotherIsRemovedByTheNextDeployment(t *testing.T) {
	w := newWorld(t)
	w.write("srv/b", "theirs")
	c := w.deploy(bundle{"appspec.yml": spec("files: [{source: app, destination: /srv}]\nfile_exists_behavior: OVERWRITE\n"), "app/b": "ours"})
	w.run(c, "DownloadBundle", "Install")
	w.installed(bundle{"appspec.yml": spec("")})
	assert.NoFileExists(t, w.path("srv/b"))
}

func TestTwoFilesForOnePlaceFailTheDeployment(t *testing.T) {
	for says, files := range map[string]string{
		"are both for":            "[{source: a/x, destination: /srv}, {source: b/x, destination: /srv}]",
		"where a folder is to be": "[{source: a, destination: /srv}, {source: b/x, destination: /srv/x}]",
	} {
		w := newWorld(t)
		c := w.deploy(bundle{"appspec.yml": spec("files: " + files + "\n"), "a/x": "", "b/x": ""})
		w.run(c, "DownloadBundle")
		problem, _ := w.fails(c, "Install")
		assert.ErrorContains(t, problem, says)
	}
}

func TestAnAppSpecFileThatTheAgentRefuses(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(bundle{"appspec.yml": "version: 1.0\nos: windows\nunknown: is passed over\n"})
	w.run(c, "DownloadBundle")
	problem, _ := w.fails(c, "Install")
	assert.ErrorContains(t, problem, `version: want 0.0, got "1.0"`)
	assert.ErrorContains(t, problem, `os: want linux, got "windows"`)
	assert.NotContains(t, problem.Message, "unknown")
}
