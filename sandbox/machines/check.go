package machines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"bluegreen/infra/fleet"
	"bluegreen/sandbox/parts"

	"golang.org/x/sys/unix"
)

// programs maps what is run to the packages, of Debian and Ubuntu, that have it.
var programs = map[string]string{
	"systemd-nspawn": "systemd-container",
	"debootstrap":    "debootstrap",
	"ip":             "iproute2",
	"nsenter":        "util-linux",
	"unshare":        "util-linux",
	"mount":          "mount",
	"bash":           "bash",
}

// Check tells, in one error, everything that this computer lacks for machines,
// with the command that installs what can be installed.
func Check(ctx context.Context) error {
	var problems []error
	if os.Geteuid() != 0 {
		problems = append(problems, errors.New("want root, which machines, their network and their mounts need; use sudo"))
	}
	var missing, packages []string
	for program, from := range programs {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
			packages = append(packages, from)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		slices.Sort(packages)
		problems = append(problems, fmt.Errorf("not on PATH: %s; Debian, Ubuntu: apt-get install %s",
			strings.Join(missing, ", "), strings.Join(slices.Compact(packages), " ")))
	} else if os.Geteuid() == 0 {
		problems = append(problems, checkKernel(ctx))
	}
	if len(hierarchies()) == 0 {
		problems = append(problems, errors.New("/sys/fs/cgroup: no control groups are mounted here, and systemd needs them"))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("machines cannot run here:\n%w", err)
	}
	return nil
}

// checkKernel tries what a container or an old kernel may refuse.
func checkKernel(ctx context.Context) error {
	const overlay = `set -e; at=$(mktemp -d); trap 'umount "$at"; rmdir "$at"' EXIT
mount -t tmpfs tmpfs "$at"; mkdir "$at"/{lower,upper,work,root}
mount -t overlay overlay -o "lowerdir=$at/lower,upperdir=$at/upper,workdir=$at/work" "$at/root"; umount "$at/root"`
	var problems []error
	if err := run(ctx, overlay, "unshare", "--mount", "--propagation=private", "bash", "-s"); err != nil {
		problems = append(problems, fmt.Errorf("no overlay can be mounted: %w; in a container, it has to be privileged", err))
	}
	if err := run(ctx, "", "unshare", "--net", "ip", "link", "add", "machines", "type", "bridge"); err != nil {
		problems = append(problems, fmt.Errorf("no bridge can be made in a network namespace: %w; in a container, it has to be privileged", err))
	}
	var groups unix.Statfs_t
	if folders := hierarchies(); len(folders) > 0 && unix.Statfs(folders[0], &groups) == nil && groups.Flags&unix.ST_RDONLY != 0 {
		problems = append(problems, fmt.Errorf("%s is read-only; in a container, it has to be privileged", folders[0]))
	}
	return errors.Join(problems...)
}

// Tree makes the files that machines start from, where a checkout does not have
// them yet, with progress on output; that takes a minute or two. The packages
// are those of parts.SourceFromEnvironment. What is in them is prepared by the
// user data's own prepare-image, as for an image of EC2.
func Tree(ctx context.Context, root string, output io.Writer) (string, error) {
	source, err := parts.SourceFromEnvironment()
	if err != nil {
		return "", err
	}
	script, err := fleet.UserData("us-east-1", "/image/") // neither is in an image
	if err != nil {
		return "", err
	}
	return parts.Tree(ctx, parts.TreeOptions{Root: root, Source: source, UserData: script, Output: output})
}
