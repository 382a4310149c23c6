package machines

import (
	"embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed files
var files embed.FS

// embedded is the text of a file of this package, with @endpoint@ filled in.
func embedded(name string) string {
	text, _ := files.ReadFile("files/" + name) // embedded, and each name is used by a test
	return strings.ReplaceAll(string(text), "@endpoint@", endpointURL())
}

// file is one that a machine has and the tree has not.
type file struct {
	path string // without the leading slash
	text string
	mode os.FileMode // 0644 when 0
	link string      // what a symbolic link points to, in place of text
}

// makeDisk makes what a machine writes to: the overlay's upper layer with files
// in it, the folder that the kernel works in, and the one that is mounted on.
func makeDisk(folder string, files []file) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for _, name := range []string{"upper", "work", "root"} {
		if err := makeFolder(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	upper, err := os.OpenRoot(filepath.Join(folder, "upper"))
	if err != nil {
		return err
	}
	defer upper.Close()
	for _, f := range files {
		if err := f.write(upper); err != nil {
			return fmt.Errorf("disk %s: %w", folder, err)
		}
	}
	return nil
}

// makeFolder makes one that everybody in the machine can read, whatever the
// umask here.
func makeFolder(folder string) error {
	return errors.Join(os.MkdirAll(folder, 0o755), os.Chmod(folder, 0o755)) // #nosec G301 G302 -- in a machine; its parent is private
}

func (f file) write(root *os.Root) error {
	for at := path.Dir(f.path); at != "."; at = path.Dir(at) {
		if err := errors.Join(root.MkdirAll(at, 0o755), root.Chmod(at, 0o755)); err != nil {
			return err
		}
	}
	if f.link != "" {
		return root.Symlink(f.link, f.path)
	}
	mode := f.mode
	if mode == 0 {
		mode = 0o644
	}
	return errors.Join(root.WriteFile(f.path, []byte(f.text), mode), root.Chmod(f.path, mode))
}

// common are the files of every machine.
func common(hostname, id string, address netip.Addr) []file {
	return []file{
		{path: "etc/hostname", text: hostname + "\n"},
		{path: "etc/machine-id", text: id + "\n", mode: 0o444},
		{path: "etc/systemd/network/10-host0.network", text: fmt.Sprintf(`[Match]
Name=host0

[Network]
Address=%s/32
LinkLocalAddressing=no
IPv6AcceptRA=no

[Route]
Gateway=%s
GatewayOnLink=yes
`, address, gateway)},
	}
}

// first are the files of an instance's machine.
func first(authority []byte, hosts string) []file {
	return []file{
		{path: "etc/hosts", text: hosts},
		{path: "usr/local/share/ca-certificates/sandbox.crt", text: string(authority)},
		{path: "usr/local/sbin/cloud-final", text: embedded("cloud-final"), mode: 0o755},
		{path: "etc/systemd/system/cloud-final.service", text: embedded("cloud-final.service")},
		{path: "etc/systemd/system/multi-user.target.wants/cloud-final.service", link: "/etc/systemd/system/cloud-final.service"},
		// The agent fetches bundles before anybody has written them down for it.
		{path: "etc/systemd/system/codedeploy-agent.service.d/endpoint.conf", text: "[Service]\nEnvironment=AWS_ENDPOINT_URL=" + endpointURL() + "\n"},
	}
}

// hostsFile is /etc/hosts of a machine: its own name, and those of the database
// and the cache.
func hostsFile(hostname string, address netip.Addr, names []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "127.0.0.1 localhost\n::1 localhost\n%s %s\n", address, hostname)
	for _, name := range names {
		fmt.Fprintf(&text, "%s %s\n", dataAddress, name)
	}
	return text.String()
}
