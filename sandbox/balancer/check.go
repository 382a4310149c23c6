package balancer

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
)

// The first version whose servers can be added with health checks while it runs
// (HAProxy Management Guide, "add server").
const (
	oldestMajor = 2
	oldestMinor = 5
)

var versionPattern = regexp.MustCompile(`version (\d+)\.(\d+)`)

// Check returns everything that this computer lacks for a load balancer, with the
// command that installs it; nil when nothing is missing.
func Check(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the load balancer needs Linux; this is %s", runtime.GOOS)
	}
	var problems []error
	path, err := haproxyPath()
	if err != nil {
		problems = append(problems, err)
	} else if err := checkVersion(ctx, path); err != nil {
		problems = append(problems, err)
	}
	if _, err := exec.LookPath("nsenter"); err != nil {
		problems = append(problems, errors.New("nsenter is missing; install it with: apt-get install util-linux"))
	}
	return errors.Join(problems...)
}

// haproxyPath finds HAProxy, also where a user's PATH does not lead.
func haproxyPath() (string, error) {
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy", "/usr/local/sbin/haproxy"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("HAProxy is missing; install it with: apt-get install haproxy")
}

func checkVersion(ctx context.Context, path string) error {
	text, err := exec.CommandContext(ctx, path, "-v").Output()
	if err != nil {
		return fmt.Errorf("%s -v: %w", path, err)
	}
	found := versionPattern.FindStringSubmatch(string(text))
	if found == nil {
		return fmt.Errorf("%s -v: want a version, got %q", path, text)
	}
	major, _ := strconv.Atoi(found[1]) // digits, says the pattern
	minor, _ := strconv.Atoi(found[2])
	if major < oldestMajor || major == oldestMajor && minor < oldestMinor {
		return fmt.Errorf("%s: want HAProxy %d.%d or later, got %s.%s; Debian 12 and Ubuntu 24.04 have one: apt-get install haproxy", path, oldestMajor, oldestMinor, found[1], found[2])
	}
	return nil
}
