package release

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	standin "bluegreen/sandbox/codedeploy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStop(t *testing.T) {
	for _, event := range []string{"ApplicationStart", "AfterAllowTraffic"} {
		t.Run(event, func(t *testing.T) {
			w := newWorld(t, standin.Settings{})
			w.make()
			folder := checkout(t)
			live := w.run(Succeeded, folder).Deployments[0].Live
			_, err := Stop(w.ctx, w.options(""), "")
			require.ErrorContains(t, err, "no deployment is under way")

			reached, release := w.hold(event)
			defer release()
			id := w.deploy()
			reached()
			o := w.options("")
			result, err := Stop(w.ctx, o, "")
			w.as(RolledBack, result, err)
			d := result.Deployments[0]
			assert.Equal(t, id, d.ID)
			assert.Equal(t, "Stopped", d.Status)
			assert.Equal(t, "MANUAL_STOP", d.Failure.Code)
			assert.Equal(t, "Succeeded", d.Rollback.Status)
			assert.Equal(t, []string{live}, w.groups())
			w.serves(live)

			_, err = Stop(w.ctx, o, id)
			require.ErrorContains(t, err, "already completed")
		})
	}
}

func (w *world) status(id string) types.DeploymentStatus {
	out, err := w.deploying.GetDeployment(context.Background(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return types.DeploymentStatusStopped
	}
	return out.DeploymentInfo.Status
}

func TestStopInTheTerminationWait(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	live := w.run(Succeeded, folder).Deployments[0].Live
	w.change(func(s *standin.Settings) { s.Waits = 1 })
	id := w.run(Succeeded, folder, func(o *Options) { o.WaitForTermination = false }).Deployments[0].ID
	result, err := Stop(w.ctx, w.options(""), id)
	w.as(RolledBack, result, err)
	assert.Equal(t, live, result.Deployments[0].Live)
	w.serves(live)
}

func TestResumeAfterAnInterruption(t *testing.T) {
	for name, failing := range map[string]bool{"that succeeds": false, "that fails": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, standin.Settings{KeepGreen: true})
			w.make()
			folder := checkout(t)
			w.run(Succeeded, folder)
			if failing {
				w.fail("AfterAllowTraffic")
			}
			reached, release := w.hold("Install")
			defer release()
			ctx, interrupt := context.WithCancel(w.ctx)
			go func() {
				reached()
				interrupt()
			}()
			result, err := Run(ctx, w.options(folder))
			require.NoError(t, err)
			assert.Equal(t, Interrupted, result.Outcome)
			assert.Equal(t, 130, result.Outcome.ExitCode())
			id := result.Deployments[0].ID
			assert.Equal(t, types.DeploymentStatusInProgress, w.status(id), "it goes on")
			var report strings.Builder
			result.Report(&report)
			assert.Contains(t, report.String(), "bluegreen release --resume "+id)
			release()

			o := w.options("")
			o.Application, o.Groups = "", nil // the deployment knows them
			result, err = Resume(w.ctx, o, id)
			want := map[bool]Outcome{false: Succeeded, true: RolledBack}[failing]
			w.as(want, result, err)
			assert.Equal(t, []string{result.Deployments[0].Live}, w.groups())
			w.serves(result.Deployments[0].Live)

			result, err = Resume(w.ctx, w.options(""), "last")
			w.as(want, result, err)
			assert.Equal(t, id, result.Deployments[0].ID, "of a rollback, the one that it rolls back")
		})
	}
}

// releaserVariable makes the test binary release a commit, for a process that can
// be killed: endpoint, application, deployment group, bucket, folder.
const releaserVariable = "RELEASE_TEST_RELEASE"

func playReleaser(at string) error {
	part := strings.Split(at, " ")
	_, err := Run(context.Background(), Options{
		AWS:    aws.Config{BaseEndpoint: &part[0], Region: testRegion, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")},
		Output: os.Stdout, Application: part[1], Groups: []string{part[2]}, Source: Source{Bucket: part[3], Folder: part[4]},
	})
	return err
}

func TestResumeAfterAKill(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	reached, release := w.hold("Install")
	defer release()
	killed := exec.Command(os.Args[0])
	killed.Env = append(os.Environ(), releaserVariable+"="+strings.Join([]string{*w.config.BaseEndpoint, w.application, w.group, w.bucket, checkout(t)}, " "))
	var said bytes.Buffer
	killed.Stdout, killed.Stderr = &said, &said
	require.NoError(t, killed.Start())
	reached()
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait(), said.String())
	release()

	result, err := Resume(w.ctx, w.options(""), "last")
	w.as(Succeeded, result, err)
	assert.Equal(t, []string{greenName(w.group, result.Deployments[0].ID)}, w.groups())
	w.serves(result.Deployments[0].Live)
}

func TestResumeOfAnOldDeploymentTouchesNothing(t *testing.T) {
	w := newWorld(t, standin.Settings{})
	w.make()
	folder := checkout(t)
	old := w.run(Succeeded, folder).Deployments[0].ID
	live := w.run(Succeeded, folder).Deployments[0].Live
	result, err := Resume(w.ctx, w.options(""), old)
	w.as(Succeeded, result, err)
	assert.Contains(t, w.out.String(), "came after "+old)
	w.serves(live)
	_, err = Resume(w.ctx, w.options(""), "d-ZZZZZZZZZ")
	require.ErrorContains(t, err, "d-ZZZZZZZZZ")
	o := w.options("")
	o.Groups, o.Output = nil, io.Discard
	_, err = Resume(w.ctx, o, "last")
	require.ErrorIs(t, err, errMissingGroup)
}
