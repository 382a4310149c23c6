package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"bluegreen/internal/appspec"
)

// everything is the pattern of all that is in a folder, at any depth.
const everything = "**"

// permit plans what a permission says: for a file that is copied, or for what
// comes into a folder. What else is on the instance stays as it is.
func (p *plan) permit(permission appspec.Permission) error {
	if permission.Context != nil {
		return fmt.Errorf("permissions: %s: context: the sandbox's machines have no SELinux; leave it out to rehearse", permission.Object)
	}
	object := filepath.Join(p.root, strings.TrimSpace(permission.Object))
	files, folders := wants(permission, "file"), wants(permission, "directory")
	if _, copied := p.copied[object]; copied {
		if !files {
			return nil
		}
		if permission.Pattern != "" && permission.Pattern != everything || len(permission.Except) > 0 {
			return fmt.Errorf("permissions: %s: is a file; pattern and except are for folders", permission.Object)
		}
		return p.setPermission(object, permission, true)
	}
	if info, err := os.Stat(object); !p.made[object] && (err != nil || !info.IsDir()) {
		return nil
	}
	for _, group := range []struct {
		wanted bool
		paths  []string
		files  bool
	}{{files, p.files, true}, {folders, p.folders, false}} {
		for _, path := range group.paths {
			if !group.wanted || !matches(permission, object, path) {
				continue
			}
			if err := p.setPermission(path, permission, group.files); err != nil {
				return err
			}
		}
	}
	return nil
}

func wants(permission appspec.Permission, kind string) bool {
	return len(permission.Type) == 0 || slices.Contains(permission.Type, kind)
}

// matches tells whether a permission on a folder is for a path. Patterns other
// than ** are for what is in the folder itself, and not deeper.
func matches(permission appspec.Permission, folder, path string) bool {
	inside, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, "/")+"/")
	if !ok || inside == "" {
		return false
	}
	for _, except := range permission.Except {
		if glob(except, inside) {
			return false
		}
	}
	return permission.Pattern == "" || permission.Pattern == everything || glob(permission.Pattern, inside)
}

// glob knows no special character but *, which stands for any characters.
func glob(pattern, name string) bool {
	if strings.Contains(name, "/") {
		return false
	}
	expression := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
	return regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(name)
}

// The order matters: a change of owner takes set-user-id away again.
func (p *plan) setPermission(path string, permission appspec.Permission, file bool) error {
	if p.permitted[path] {
		return fmt.Errorf("permissions: %s: set more than once; every file and folder may be in one permission only", path)
	}
	p.permitted[path] = true
	if permission.Mode != "" {
		p.steps = append(p.steps, step{Type: "chmod", File: path, Mode: string(permission.Mode)})
	}
	if permission.ACLs != nil {
		for _, entry := range permission.ACLs {
			if err := checkACL(entry, file); err != nil {
				return fmt.Errorf("permissions: %s: acls: %w", permission.Object, err)
			}
		}
		p.steps = append(p.steps, step{Type: "setfacl", File: path, ACL: permission.ACLs})
	}
	if permission.Owner != "" || permission.Group != "" {
		p.steps = append(p.steps, step{Type: "chown", File: path, Owner: permission.Owner, Group: permission.Group})
	}
	return nil
}

var aclEntry = regexp.MustCompile(`^(d(?:efault)?:)?(?:(u|user|g|group|m|mask|o|other):)?([^:]*):([rwx-]+|[0-7])$`)

// checkACL refuses what AWS's agent refuses: an entry that is none, one that mode
// is for, and a default entry for a file.
func checkACL(entry string, file bool) error {
	parts := aclEntry.FindStringSubmatch(entry)
	if parts == nil {
		return fmt.Errorf("%q: want [d:][u|g|m|o]:[name]:permissions", entry)
	}
	standard, kind, name := parts[1] == "", parts[2], parts[3]
	mask := kind == "m" || kind == "mask" || kind == "" && (name == "m" || name == "mask")
	if standard && name == "" && !mask {
		return fmt.Errorf("%q: use mode for the owner, the group and others", entry)
	}
	if !standard && file {
		return fmt.Errorf("%q: default entries are for folders only", entry)
	}
	return nil
}
