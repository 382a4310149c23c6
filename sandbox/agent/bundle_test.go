package agent

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of this folder that begin with a sentence hold the agent to it: it is
// what AWS's documentation or its agent's source says, in our words.

func TestABundleIsATarOrZipArchiveThatMayBeCompressed(t *testing.T) {
	files := bundle{"appspec.yml": spec(""), "scripts/start": "#!/bin/sh\n", "app/index": "hello", "app/link": "->index"}
	var plain bytes.Buffer
	writeTar(t, tar.NewWriter(&plain), files)
	for format, content := range map[types.BundleType][]byte{
		types.BundleTypeTar: plain.Bytes(), types.BundleTypeTarGZip: tgz(t, files), types.BundleTypeZip: zipped(t, files),
	} {
		w := newWorld(t)
		c := w.deploy(files)
		at := c.Revision.S3Location
		at.BundleType, w.store[*at.Key] = format, content
		w.run(c, "DownloadBundle")
		root := w.archived(c)
		link, err := os.Readlink(filepath.Join(root, "app/link"))
		require.NoError(t, err, format)
		assert.Equal(t, "index", link, format)
		for path, mode := range map[string]fs.FileMode{"scripts/start": 0o755, "app/index": 0o644} {
			info, err := os.Stat(filepath.Join(root, path))
			require.NoError(t, err, format)
			assert.Equal(t, mode, info.Mode(), "%s of %s", path, format)
		}
		assert.FileExists(t, filepath.Join(root, "..", "bundle.tar"), "whatever the format")
		assert.Equal(t, filepath.Dir(root), w.read(deploymentRoot, "deployment-instructions/group-1_most_recent_install"))
	}
}

func TestTheOneFolderThatEverythingIsInIsStripped(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(bundle{"shop-1a2b3c/appspec.yml": spec(""), "shop-1a2b3c/app/index": "hello"})
	w.run(c, "DownloadBundle")
	assert.FileExists(t, filepath.Join(w.archived(c), "app/index"))

	other := w.deploy(bundle{"app/index": "hello"})
	w.run(other, "DownloadBundle")
	assert.FileExists(t, filepath.Join(w.archived(other), "app/index"), "no AppSpec file in it: it is no wrapping")
	problem, _ := w.fails(other, "Install")
	assert.ErrorContains(t, problem, "appspec.yml: the revision has no AppSpec file in its root")
}

func TestAVersionIsAskedForAndAnETagCompared(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(bundle{"appspec.yml": spec("")})
	at := c.Revision.S3Location
	at.Version, at.ETag = aws.String("v7"), aws.String("of-/releases/"+*at.Key)
	w.run(c, "DownloadBundle")
	assert.Equal(t, []string{"/releases/" + *at.Key + "?versionId=v7&x-id=GetObject"}, w.asked)

	at.ETag = aws.String(`"another"`)
	problem, _ := w.fails(c, "DownloadBundle")
	assert.ErrorContains(t, problem, "expected the bundle with ETag another, but it is of-/releases/")
	assert.Equal(t, types.LifecycleErrorCodeUnknownError, problem.Code)
}

func TestBundlesThatCannotBeHad(t *testing.T) {
	w := newWorld(t)
	good := w.deploy(bundle{"appspec.yml": spec("")})
	for says, change := range map[string]func(*types.RevisionLocation){
		"NoSuchKey":                        func(r *types.RevisionLocation) { r.S3Location.Key = aws.String("absent") },
		"the revision is in GitHub":        func(r *types.RevisionLocation) { r.RevisionType = types.RevisionLocationTypeGitHub },
		"unpacking as zip: zip: not a val": func(r *types.RevisionLocation) { r.S3Location.BundleType = types.BundleTypeZip },
		"unpacking as tar: exit status 2":  func(r *types.RevisionLocation) { r.S3Location.BundleType = types.BundleTypeTar },
		"bundle type: want tar":            func(r *types.RevisionLocation) { r.S3Location.BundleType = "rar" },
		`a revision of type "String"`:      func(r *types.RevisionLocation) { *r = types.RevisionLocation{RevisionType: "String"} },
	} {
		c := good
		at := *good.Revision.S3Location
		c.Revision.S3Location = &at
		w.store[*at.Key] = append([]byte("x"), w.store[*at.Key]...)
		change(&c.Revision)
		problem, _ := w.fails(c, "DownloadBundle")
		assert.ErrorContains(t, problem, says)
		assert.Empty(t, problem.Script)
	}
}

func TestAZipDoesNotLeadOutOfItsFolder(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(nil)
	c.Revision.S3Location.BundleType = types.BundleTypeZip
	w.store[*c.Revision.S3Location.Key] = zipped(t, bundle{"../../../escaped": "x"})
	problem, _ := w.fails(c, "DownloadBundle")
	assert.ErrorContains(t, problem, "leads out of the bundle")
}

func TestFiveRevisionsAreKeptAndTheInstalledOneAlways(t *testing.T) {
	w := newWorld(t)
	first := w.installed(bundle{"appspec.yml": spec("")})
	folder := func(c lifecycle.Command) string { return w.path(deploymentRoot, "group-1", c.DeploymentID) }
	var later []lifecycle.Command
	for i := range 7 {
		c := w.deploy(bundle{"appspec.yml": spec("")})
		w.run(c, "DownloadBundle")
		aged := time.Now().Add(time.Duration(i-100) * time.Minute)
		require.NoError(t, os.Chtimes(folder(c), aged, aged))
		later = append(later, c)
	}
	assert.DirExists(t, folder(first))
	for i, c := range later {
		if i < 3 {
			assert.NoDirExists(t, folder(c), i)
		} else {
			assert.DirExists(t, folder(c), i)
		}
	}
}

func TestACommandLeadsNowhereElse(t *testing.T) {
	w := newWorld(t)
	for says, change := range map[string]func(*lifecycle.Command){
		`event: want one of ApplicationStop, `: func(c *lifecycle.Command) { c.Event = "AllowTraffic" },
		`deployment: want an id, got "../x"`:   func(c *lifecycle.Command) { c.DeploymentID = "../x" },
		`deployment group: want an id, got ""`: func(c *lifecycle.Command) { c.DeploymentGroupID = "" },
	} {
		c := w.deploy(bundle{"appspec.yml": spec("")})
		c.Event = "ApplicationStop"
		change(&c)
		_, err := w.agent.Run(t.Context(), c)
		assert.ErrorContains(t, err, says)
	}
	assert.Empty(t, w.asked)
}

func TestTheAgentSaysInItsLogWhatItDoes(t *testing.T) {
	w := newWorld(t)
	c := w.installed(bundle{"appspec.yml": spec("")})
	log := w.read("var/log/aws/codedeploy-agent/codedeploy-agent.log")
	assert.Regexp(t, fmt.Sprintf(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d INFO  \[codedeploy-agent\(%d\)\]: Install of deployment %s: succeeded$`, os.Getpid(), c.DeploymentID), log)
}
