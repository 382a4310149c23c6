package parts

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// PolicyVariable names the environment variable that says where provider
// plugins may come from.
const PolicyVariable = "BLUEGREEN_SANDBOX_PLUGINS"

// Policy is where provider plugins may come from.
type Policy string

// The policies. Only a built AWS plugin knows that the emulator needs no settle
// times; with the official one, up and destroy take minutes instead of seconds.
const (
	Auto     Policy = "auto"     // the official plugin when it is installed or can be downloaded, else Build
	Build    Policy = "build"    // always from source; no other network than the Go module proxy
	Official Policy = "official" // never from source
)

// PolicyFromEnvironment reads PolicyVariable; empty or unset means Auto.
func PolicyFromEnvironment() (Policy, error) {
	policy := Policy(os.Getenv(PolicyVariable))
	if policy == "" {
		policy = Auto
	}
	return policy, policy.validate()
}

func (p Policy) validate() error {
	switch p {
	case Auto, Build, Official:
		return nil
	}
	return fmt.Errorf("%s: %q is none of %s, %s, %s", PolicyVariable, string(p), Auto, Build, Official)
}

const (
	// reachTimeout is how long the release server may take to answer before the
	// machine counts as having no way to it.
	reachTimeout = 5 * time.Second
	// downloadTimeout is how long a download may take: the AWS plugin has 200 MB.
	downloadTimeout = 10 * time.Minute
)

// releases is where the Pulumi CLI downloads official plugins from. A variable,
// so that tests can point it elsewhere.
var releases = "https://get.pulumi.com/releases/plugins"

// reachable asks the release server for the plugin's headers. The Pulumi CLI's
// own download retries for long where there is no network.
func (b *bench) reachable(ctx context.Context, p provider) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	address := fmt.Sprintf("%s/%s-v%s-%s-%s.tar.gz", releases, pluginFile(p.name), p.version, runtime.GOOS, runtime.GOARCH)
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, response.Status)
	}
	return nil
}

// officialPart is the plugin as the Pulumi CLI installs it into a home of its own.
func (b *bench) officialPart(p provider) part {
	return part{
		name: p.name + "-official",
		pin:  p.version,
		file: filepath.Join(pluginFolder(p.name, p.version), pluginFile(p.name)),
		make: func(ctx context.Context, folder string, log *log) error {
			ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
			defer cancel()
			environment := []string{"PULUMI_HOME=" + folder, "PULUMI_SKIP_UPDATE_CHECK=true"}
			return log.run(ctx, folder, environment, b.tools.Pulumi, "--non-interactive", "plugin", "install", "resource", p.name, p.version)
		},
	}
}
