package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// plugins are the provider plugins: AWS's and random's in the version of the SDK
// that go.mod has, and this repository's own.
func plugins() []check {
	var checks []check
	for _, name := range []string{"aws", "random"} {
		checks = append(checks, check{"plugins: " + name, nil, func(_ context.Context, p *patient) Finding { return checkPlugin(p, name) }})
	}
	return append(checks,
		check{"plugins: bluegreen", nil, checkOwnPlugin},
		check{"plugins: versions", nil, checkVersions})
}

// sdks are the modules whose versions the plugins have.
var sdks = map[string]string{
	"aws":    "github.com/pulumi/pulumi-aws/sdk/v6",
	"random": "github.com/pulumi/pulumi-random/sdk/v4",
}

// noAcquisition is the variable that keeps Pulumi from downloading plugins.
const noAcquisition = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"

func checkPlugin(p *patient, name string) Finding {
	version, err := required(p.path("go.mod"), sdks[name])
	if err != nil {
		return failed(oneLine(err), "bring go.mod back with git checkout")
	}
	home, err := pulumiHome()
	if err != nil {
		return failed(oneLine(err), "set PULUMI_HOME")
	}
	folder := filepath.Join(home, "plugins", "resource-"+name+"-"+version)
	if _, err := os.Stat(filepath.Join(folder, "pulumi-resource-"+name)); err == nil {
		return ok("%s, as go.mod has it", strings.TrimPrefix(version, "v"))
	}
	missing := fmt.Sprintf("%s, which go.mod asks for, is not in %s", strings.TrimPrefix(version, "v"), filepath.Join(home, "plugins"))
	install := fmt.Sprintf("pulumi plugin install resource %s %s", name, version)
	if os.Getenv(noAcquisition) == "true" {
		return failed(missing+", and "+noAcquisition+" is set", "run: "+install)
	}
	return warning(missing, "the first pulumi up downloads it, or run: "+install)
}

func pulumiHome() (string, error) {
	if home := os.Getenv("PULUMI_HOME"); home != "" {
		return home, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".pulumi"), err
}

// checkOwnPlugin looks for the script that builds the fleet's plugin.
func checkOwnPlugin(_ context.Context, p *patient) Finding {
	var project struct {
		Plugins struct {
			Providers []struct{ Name, Path string }
		}
	}
	text, err := os.ReadFile(p.path("Pulumi.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &project)
	}
	if err != nil {
		return failed(oneLine(err), "bring it back with git checkout Pulumi.yaml")
	}
	for _, plugin := range project.Plugins.Providers {
		if plugin.Name != "bluegreen" {
			continue
		}
		script := filepath.Join(plugin.Path, "pulumi-resource-bluegreen")
		info, err := os.Stat(p.path(script))
		switch {
		case err != nil:
			return failed(oneLine(err), "bring it back with git checkout "+script)
		case info.Mode().Perm()&0o111 == 0:
			return failed(script+": not executable", "run: chmod +x "+script)
		}
		return ok("%s builds it", script)
	}
	return failed("Pulumi.yaml: plugins.providers: has no bluegreen", "bring it back with git checkout Pulumi.yaml")
}

// checkVersions compares the CLI that tools/go.mod builds with the SDK.
func checkVersions(_ context.Context, p *patient) Finding {
	sdk, err := required(p.path("go.mod"), enginePackage)
	if err != nil {
		return failed(oneLine(err), "bring go.mod back with git checkout")
	}
	cli, err := required(p.path("tools", "go.mod"), "github.com/pulumi/pulumi/pkg/v3")
	switch {
	case err != nil:
		return failed(oneLine(err), "bring tools/go.mod back with git checkout")
	case sdk != cli:
		return failed(fmt.Sprintf("go.mod has Pulumi %s, tools/go.mod %s", sdk, cli), "require the same in both")
	}
	return ok("Pulumi %s in go.mod and in tools/go.mod", strings.TrimPrefix(sdk, "v"))
}
