package agent

import (
	"os"
	"path/filepath"
	"testing"

	"bluegreen/internal/appspec"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// versioned is a bundle whose every hook says its version.
func versioned(version string) bundle {
	text := "hooks:\n"
	for _, event := range appspec.HookEvents {
		text += "  " + event + ": [{location: scripts/say}]\n"
	}
	return bundle{"appspec.yml": spec(text), "scripts/say": "#!/bin/sh\necho version " + version + ", bundle $BUNDLE_KEY\n"}
}

func TestWhoseHooksRun(t *testing.T) {
	w := newWorld(t)
	first := w.deploy(versioned("1"))
	for _, event := range []string{"ApplicationStop", "BeforeBlockTraffic", "AfterBlockTraffic"} {
		assert.Empty(t, w.run(first, event), "nothing is there to stop: %s", event)
	}
	w.run(first, "DownloadBundle", "BeforeInstall")
	assert.Contains(t, w.run(first, "Install", "AfterInstall", "AfterAllowTraffic"), "version 1,")

	second := w.deploy(versioned("2"))
	for _, event := range []string{"BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop"} {
		log := w.run(second, event)
		assert.Contains(t, log, "version 1, bundle "+*second.Revision.S3Location.Key, event)
		logs := w.read(deploymentRoot, "group-1", second.DeploymentID, "logs/scripts.log")
		assert.Contains(t, logs, "LifecycleEvent - "+event, "it is this deployment's log")
	}
	for _, event := range []string{"DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic"} {
		log := w.run(second, event)
		if event != "DownloadBundle" && event != "Install" {
			assert.Contains(t, log, "version 2,", event)
		}
	}

	// The Install decides whose ApplicationStop runs, not the end of its deployment.
	third := w.deploy(versioned("3"))
	w.run(third, "DownloadBundle")
	fourth := w.deploy(versioned("4"))
	assert.Contains(t, w.run(fourth, "ApplicationStop"), "version 2,")
	w.run(third, "Install")
	assert.Contains(t, w.run(fourth, "ApplicationStop"), "version 3,")
}

func TestWhoseHooksRunWhenABlueGreenDeploymentIsRolledBack(t *testing.T) {
	w := newWorld(t)
	w.run(w.deploy(versioned("1")), "DownloadBundle", "Install")
	w.run(w.deploy(versioned("2")), "DownloadBundle")
	undo := w.deploy(versioned("undo"))
	undo.Creator, undo.Type = types.DeploymentCreatorCodeDeployRollback, types.DeploymentTypeBlueGreen
	assert.Contains(t, w.run(undo, "BeforeBlockTraffic"), "version 2,", "replacement instances: what came last")
	assert.Contains(t, w.run(undo, "BeforeAllowTraffic"), "version 1,", "original instances: what was installed last")

	undo.Type = types.DeploymentTypeInPlace
	assert.Contains(t, w.run(undo, "AfterBlockTraffic"), "version 1,")
}

func TestDeploymentGroupsHaveNothingToDoWithEachOther(t *testing.T) {
	w := newWorld(t)
	w.installed(versioned("1"))
	other := w.deploy(versioned("2"))
	other.DeploymentGroupID = "group-2"
	assert.Empty(t, w.run(other, "ApplicationStop"))
}

func TestTheHooksOfThisRepository(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", appspec.Name))
	require.NoError(t, err)
	real, err := appspec.ReadStrictly(text)
	require.NoError(t, err)
	files := bundle{appspec.Name: string(text)}
	for _, scripts := range real.Hooks {
		for _, s := range scripts {
			files[s.Location] = "#!/bin/sh\necho \"$LIFECYCLE_EVENT $DEPLOYMENT_ID\"\n"
		}
	}
	needRoot(t) // they say runas
	w := newWorld(t)
	w.installed(files)
	c := w.deploy(files)
	for _, event := range []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart",
		"ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic", "BeforeBlockTraffic", "AfterBlockTraffic"} {
		want := ""
		if scripts := real.Hooks[event]; len(scripts) > 0 {
			want = "LifecycleEvent - " + event + "\n"
			for _, s := range scripts {
				want += "Script - " + s.Location + "\n[stdout]" + event + " " + c.DeploymentID + "\n"
			}
		}
		assert.Equal(t, want, w.run(c, event))
	}
}
