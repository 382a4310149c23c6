package codedeploy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bluegreen/internal/appspec"
	"bluegreen/sandbox/agent"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// agents are machines that are folders, with a real agent in each.
type agents struct {
	folder string
	config aws.Config
	mu     sync.Mutex
	all    map[string]*agent.Agent
}

func (a *agents) Run(ctx context.Context, instance string, command Command) (string, error) {
	a.mu.Lock()
	one := a.all[instance]
	if one == nil {
		var err error
		one, err = agent.New(agent.Options{
			Root: filepath.Join(a.folder, instance), Environment: []string{"PATH=" + os.Getenv("PATH")},
			AWS: func(context.Context) (aws.Config, error) { return a.config, nil },
		})
		if err == nil {
			err = os.MkdirAll(filepath.Join(a.folder, instance), 0o755)
		}
		if err != nil {
			a.mu.Unlock()
			return "", err
		}
		a.all[instance] = one
	}
	a.mu.Unlock()
	return one.Run(ctx, command)
}

// history is what the scripts on an instance have written down: event and version.
func (a *agents) history(t *testing.T, instance string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.folder, instance, "history"))
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// historian uploads a bundle whose every script writes down that it ran. With a
// bad event, that one's script fails.
func (w *motoWorld) historian(version, bad string) func(*codedeploy.CreateDeploymentInput) {
	w.Helper()
	spec := "version: 0.0\nos: linux\nhooks:\n"
	for _, event := range appspec.HookEvents {
		spec += "  " + event + ": [{location: note}]\n"
	}
	script := fmt.Sprintf("#!/bin/sh\necho $LIFECYCLE_EVENT %s >> history\n[ $LIFECYCLE_EVENT != '%s' ]\n", version, bad)
	var bundle bytes.Buffer
	packed := gzip.NewWriter(&bundle)
	files := tar.NewWriter(packed)
	for name, text := range map[string]string{"appspec.yml": spec, "note": script} {
		require.NoError(w, files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := files.Write([]byte(text))
		require.NoError(w, err)
	}
	require.NoError(w, files.Close())
	require.NoError(w, packed.Close())
	out, err := w.aws.objects.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("releases"), Key: &version, Body: bytes.NewReader(bundle.Bytes())})
	require.NoError(w, err)
	return func(in *codedeploy.CreateDeploymentInput) {
		in.Revision.S3Location.BundleType, in.Revision.S3Location.ETag = types.BundleTypeTarGZip, out.ETag
	}
}

func noted(version string, events ...string) (lines []string) {
	for _, event := range events {
		lines = append(lines, event+" "+version)
	}
	return lines
}

func TestTheHooksOfWholeDeploymentsRunOnTheirMachines(t *testing.T) {
	machines := &agents{folder: t.TempDir(), all: map[string]*agent.Agent{}}
	w := newMotoWorldOf(t, Options{Machines: machines})
	machines.config = w.aws.config
	w.makeGroup()
	installed := []string{"BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic"}

	w.succeed("v1", w.historian("v1", ""))
	blue := members(w.one())
	for _, instance := range blue {
		assert.Equal(t, noted("v1", installed...), machines.history(t, instance), "nothing was there to stop")
	}
	failed := w.end(w.deploy("v2", w.historian("v2", "AfterAllowTraffic")))
	require.Equal(t, types.DeploymentStatusFailed, failed.Status)
	green := w.targets(*failed.DeploymentId)[0]
	w.end(*failed.RollbackInfo.RollbackDeploymentId)
	assert.ElementsMatch(t, blue, members(w.one()))
	last := green.LifecycleEvents[len(green.LifecycleEvents)-1]
	assert.Equal(t, types.LifecycleErrorCodeScriptFailed, last.Diagnostics.ErrorCode)
	assert.Equal(t, "note", *last.Diagnostics.ScriptName)
	assert.Contains(t, *last.Diagnostics.LogTail, "LifecycleEvent - AfterAllowTraffic\nScript - note\n")
	assert.Equal(t, noted("v2", append(installed, "BeforeBlockTraffic", "AfterBlockTraffic")...), machines.history(t, *green.TargetId))
	returned := append(noted("v1", installed...), noted("v1", "BeforeAllowTraffic", "AfterAllowTraffic")...)
	for _, instance := range blue {
		assert.Equal(t, returned, machines.history(t, instance), "the original instances came back with what they had")
	}

	group := w.follows()
	_, err := w.aws.scaling.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &group, DesiredCapacity: aws.Int32(4)})
	require.NoError(t, err)
	launch := w.look()[0]
	require.Equal(t, types.DeploymentStatusSucceeded, w.end(launch).Status)
	assert.Equal(t, noted("v1", installed...), machines.history(t, *w.targets(launch)[0].TargetId))

	w.succeed("v3", w.historian("v3", ""))
	for _, instance := range blue {
		assert.Equal(t, append(returned, noted("v1", "BeforeBlockTraffic", "AfterBlockTraffic")...), machines.history(t, instance))
	}
}
