package sandbox

import (
	"fmt"
	"path/filepath"

	"bluegreen/infra/edge"
	"bluegreen/sandbox/emulator"
	"bluegreen/stacks"
)

// Platform is the repository's own program.
func Platform() Program {
	return Program{Run: stacks.Run, World: platformWorld}
}

// platformWorld makes what the program looks up: the hosted zone and Ubuntu's
// images.
func platformWorld(projectFile, stackFile string) (World, error) {
	stack, err := stacks.StackName(stackFile)
	if err != nil {
		return World{}, err
	}
	config, err := stacks.ReadConfig(projectFile, stackFile)
	if err != nil {
		return World{}, err
	}
	settings, _, err := stacks.Load(filepath.Dir(projectFile), config, stack)
	if err != nil {
		return World{}, fmt.Errorf("%s:\n%w", filepath.Base(stackFile), err)
	}
	seed := emulator.Seed{Images: emulator.UbuntuImages()}
	if settings.Edge.DNS == edge.Lookup {
		seed.Zones = []string{settings.Edge.Zone()}
	}
	return World{Stack: stack, Account: settings.Account, Region: settings.Region, Seed: seed}, nil
}
