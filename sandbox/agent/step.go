package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"bluegreen/internal/appspec"
)

// step is one thing that Install does, as AWS's agent writes it into the
// deployment group's -install.json.
type step struct {
	Type        string   `json:"type"` // copy, mkdir, chmod, chown or setfacl
	Source      string   `json:"source,omitempty"`
	Destination string   `json:"destination,omitempty"`
	Directory   string   `json:"directory,omitempty"`
	File        string   `json:"file,omitempty"`
	Mode        string   `json:"mode,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Group       string   `json:"group,omitempty"`
	ACL         []string `json:"acl,omitempty"`
}

// carryOut does it, and lists what the next deployment is to remove.
func (p *plan) carryOut(list string) (err error) {
	file, err := os.Create(list)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for _, s := range p.steps {
		if err := s.do(file); err != nil {
			return err
		}
	}
	return nil
}

func (s step) do(list io.StringWriter) error {
	switch s.Type {
	case "copy":
		if _, err := list.WriteString(s.Destination + "\n"); err != nil {
			return err
		}
		return copyFile(s.Source, s.Destination)
	case "mkdir":
		if err := os.Mkdir(s.Directory, 0o755); err != nil {
			return err
		}
		_, err := list.WriteString(s.Directory + "\n")
		return err
	case "chmod":
		bits, err := appspec.Mode(s.Mode).Bits()
		if err != nil {
			return err
		}
		return syscall.Chmod(s.File, bits) // os.Chmod has other bits for set-user-id
	case "chown":
		return chown(s.File, s.Owner, s.Group)
	case "setfacl":
		return setACL(s.File, s.ACL)
	}
	return fmt.Errorf("no step %q", s.Type)
}

// copyFile keeps mode, owner and time; a link stays a link.
func copyFile(source, destination string) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		link, err := os.Readlink(source)
		if err != nil {
			return err
		}
		return os.Symlink(link, destination)
	}
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(destination, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := os.Chown(destination, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return errors.Join(os.Chmod(destination, info.Mode()), os.Chtimes(destination, info.ModTime(), info.ModTime()))
}

// chown takes names, not numbers. An empty one changes nothing.
func chown(file, owner, group string) error {
	uid, gid := -1, -1
	if owner != "" {
		found, err := user.Lookup(owner)
		if err != nil {
			return fmt.Errorf("permissions: %s: owner: %w", file, err)
		}
		if uid, err = strconv.Atoi(found.Uid); err != nil {
			return err
		}
	}
	if group != "" {
		found, err := user.LookupGroup(group)
		if err != nil {
			return fmt.Errorf("permissions: %s: group: %w", file, err)
		}
		if gid, err = strconv.Atoi(found.Gid); err != nil {
			return err
		}
	}
	return os.Chown(file, uid, gid)
}

// setACL replaces the access control list by the file's mode and these entries.
func setACL(file string, entries []string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	all := []string{
		fmt.Sprintf("u::%o", mode>>6&7), fmt.Sprintf("g::%o", mode>>3&7), fmt.Sprintf("o::%o", mode&7),
	}
	if !strings.Contains(" "+strings.Join(entries, " "), " m:") && !strings.Contains(" "+strings.Join(entries, " "), " mask:") {
		all = append(all, fmt.Sprintf("m::%o", mode>>3&7))
	}
	all = append(all, entries...)
	output, err := exec.Command("setfacl", "--set", strings.Join(all, ","), file).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("permissions: %s: acls: the machine has no setfacl; install its package acl", file)
	}
	if err != nil {
		return fmt.Errorf("permissions: %s: acls: setfacl --set %s: %w: %s", file, strings.Join(all, ","), err, strings.TrimSpace(string(output)))
	}
	return nil
}
