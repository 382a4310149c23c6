package agent

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"bluegreen/sandbox/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/require"
)

// world is a machine that is a folder, and a store of bundles beside it.
type world struct {
	*testing.T
	agent *Agent
	root  string
	store map[string][]byte // by key
	asked []string          // of the store: path and query
}

// deployments counts those of all tests: their processes are told apart by it.
var deployments atomic.Int64

func newWorld(t *testing.T, changes ...func(*Options)) *world {
	t.Helper()
	w := &world{T: t, root: t.TempDir(), store: map[string][]byte{}}
	require.NoError(t, os.Chmod(filepath.Dir(w.root), 0o755)) // scripts of other users come this way
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		w.asked = append(w.asked, in.URL.RequestURI())
		content, ok := w.store[strings.TrimPrefix(in.URL.Path, "/releases/")]
		if !ok {
			out.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(out, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
			return
		}
		out.Header().Set("ETag", `"of-`+in.URL.Path+`"`)
		_, _ = out.Write(content)
	}))
	t.Cleanup(server.Close)
	options := Options{Root: w.root, Environment: []string{"PATH=" + os.Getenv("PATH")}, AWS: func(context.Context) (aws.Config, error) {
		return aws.Config{BaseEndpoint: &server.URL, Region: "us-east-2", Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")}, nil
	}}
	for _, change := range changes {
		change(&options)
	}
	var err error
	w.agent, err = New(options)
	require.NoError(t, err)
	return w
}

// bundle is what is in an archive: contents by path. Those in executable, and in
// scripts/, may be run; -> begins a link's content.
type bundle map[string]string

// deploy is a deployment of a bundle that has not begun.
func (w *world) deploy(files bundle) lifecycle.Command {
	w.Helper()
	id := fmt.Sprintf("d-%09d", deployments.Add(1))
	key := id + ".tgz"
	w.store[key] = tgz(w.T, files)
	return lifecycle.Command{
		DeploymentID: id, Application: "shop", DeploymentGroup: "web", DeploymentGroupID: "group-1",
		Revision: types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{
			Bucket: aws.String("releases"), Key: &key, BundleType: types.BundleTypeTarGZip,
		}},
	}
}

// run performs events of a deployment, which succeed.
func (w *world) run(c lifecycle.Command, events ...string) (log string) {
	w.Helper()
	for _, event := range events {
		c.Event = event
		var err error
		log, err = w.agent.Run(w.Context(), c)
		require.NoError(w, err, event)
	}
	return log
}

// fails performs an event that fails.
func (w *world) fails(c lifecycle.Command, event string) (*lifecycle.ScriptError, string) {
	w.Helper()
	c.Event = event
	log, err := w.agent.Run(w.Context(), c)
	var script *lifecycle.ScriptError
	require.ErrorAs(w, err, &script)
	return script, log
}

// installed downloads and installs a bundle.
func (w *world) installed(files bundle) lifecycle.Command {
	w.Helper()
	c := w.deploy(files)
	w.run(c, "DownloadBundle", "Install")
	return c
}

// path is where something is on the machine.
func (w *world) path(parts ...string) string { return filepath.Join(w.root, filepath.Join(parts...)) }

func (w *world) write(path, content string) {
	w.Helper()
	require.NoError(w, os.MkdirAll(filepath.Dir(w.path(path)), 0o755))
	require.NoError(w, os.WriteFile(w.path(path), []byte(content), 0o644))
}

func (w *world) read(parts ...string) string {
	w.Helper()
	content, err := os.ReadFile(w.path(parts...))
	require.NoError(w, err)
	return string(content)
}

func (w *world) mode(path string) fs.FileMode {
	w.Helper()
	info, err := os.Stat(w.path(path))
	require.NoError(w, err)
	return info.Mode()
}

// archived is the folder of an unpacked bundle.
func (w *world) archived(c lifecycle.Command) string {
	return w.path(deploymentRoot, c.DeploymentGroupID, c.DeploymentID, "deployment-archive")
}

// spec is an application specification that ends like this.
func spec(rest string) string { return "version: 0.0\nos: linux\n" + rest }

// hooks is a bundle of one script, for an event.
func hooks(event, script string) bundle {
	return bundle{
		"appspec.yml":    spec("hooks:\n  " + event + ":\n    - location: scripts/script\n"),
		"scripts/script": script,
	}
}

func modeOf(path string) int64 {
	if strings.HasPrefix(path, "scripts/") || strings.Contains(path, "executable") {
		return 0o755
	}
	return 0o644
}

func tgz(t *testing.T, files bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	writeTar(t, tar.NewWriter(packed), files)
	require.NoError(t, packed.Close())
	return out.Bytes()
}

func writeTar(t *testing.T, writer *tar.Writer, files bundle) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		content := files[path]
		header := &tar.Header{Name: path, Mode: modeOf(path), Size: int64(len(content)), Typeflag: tar.TypeReg}
		if link, ok := strings.CutPrefix(content, "->"); ok {
			header.Typeflag, header.Linkname, header.Size, content = tar.TypeSymlink, link, 0, ""
		}
		require.NoError(t, writer.WriteHeader(header))
		_, err := writer.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
}

func zipped(t *testing.T, files bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := zip.NewWriter(&out)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: path, Method: zip.Deflate}
		header.SetMode(fs.FileMode(modeOf(path)))
		content, link := strings.CutPrefix(files[path], "->")
		if link {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		file, err := writer.CreateHeader(header)
		require.NoError(t, err)
		_, err = file.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return out.Bytes()
}
