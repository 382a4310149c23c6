package agent

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// permitted installs three files and a folder below /srv, with permissions.
func permitted(t *testing.T, permissions string) *world {
	t.Helper()
	w := newWorld(t)
	w.write("srv/foreign.sh", "theirs")
	w.installed(bundle{
		"appspec.yml": spec("files: [{source: app, destination: /srv}]\npermissions:\n" + permissions),
		"app/a.sh":    "", "app/b.txt": "", "app/in/c.sh": "",
	})
	return w
}

func TestPermissions(t *testing.T) {
	const plain, folder = fs.FileMode(0o644), fs.ModeDir | fs.FileMode(0o755)
	for _, test := range []struct {
		sentence, permissions string
		a, b, c, in           fs.FileMode
	}{
		{"an object may be a file", "  - {object: /srv/a.sh, mode: 600}", 0o600, plain, plain, folder},
		{"an object may be a folder, and all in it is meant, at any depth", "  - {object: /srv, mode: 700}", 0o700, 0o700, 0o700, fs.ModeDir | 0o700},
		{"the pattern ** is the same", "  - {object: /srv/, pattern: '**', mode: 700}", 0o700, 0o700, 0o700, fs.ModeDir | 0o700},
		{"another pattern is for what is in the folder itself", "  - {object: /srv, pattern: '*.sh', mode: 700}", 0o700, plain, plain, folder},
		{"except leaves out what its patterns match", "  - {object: /srv, except: ['*.txt', in], mode: 700}", 0o700, plain, 0o700, folder},
		{"type file leaves folders alone", "  - {object: /srv, type: [file], mode: 600}", 0o600, 0o600, 0o600, folder},
		{"type directory leaves files alone", "  - {object: /srv, type: [directory], mode: 750}", plain, plain, plain, fs.ModeDir | 0o750},
		{"type directory on a file does nothing", "  - {object: /srv/a.sh, type: [directory], mode: 600}", plain, plain, plain, folder},
		{"a mode of four digits has set-user-id, set-group-id and the sticky bit", "  - {object: /srv/a.sh, mode: 6755}\n  - {object: /srv/in, pattern: 'c*', mode: 1755}",
			0o755 | fs.ModeSetuid | fs.ModeSetgid, plain, 0o755 | fs.ModeSticky, folder},
		{"a mode may have fewer digits", "  - {object: /srv/a.sh, mode: 4}\n  - {object: /srv/b.txt, mode: 40}", 0o004, 0o040, plain, folder},
		{"0644 is octal to YAML, and taken for its decimal digits", "  - {object: /srv/a.sh, mode: 0644}\n  - {object: /srv/b.txt, mode: \"0640\"}", 0o420, 0o640, plain, folder},
		{"an object that was not installed is left alone", "  - {object: /srv/foreign.sh, mode: 600}\n  - {object: /nowhere, mode: 600}", plain, plain, plain, folder},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			w := permitted(t, test.permissions+"\n")
			for path, want := range map[string]fs.FileMode{"srv/a.sh": test.a, "srv/b.txt": test.b, "srv/in": test.in, "srv/in/c.sh": test.c, "srv/foreign.sh": plain} {
				assert.Equal(t, want, w.mode(path), path)
			}
		})
	}
}

func TestAStarInAPatternStandsForAnyCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`[a-z.?\[\]\\^$+({|-]{0,5}`)
		any := rapid.StringMatching(`[^/]{0,5}`)
		pattern, name := literal.Draw(t, "begin"), ""
		name = pattern
		for range rapid.IntRange(0, 3).Draw(t, "stars") {
			part := literal.Draw(t, "part")
			pattern, name = pattern+"*"+part, name+any.Draw(t, "any")+part
		}
		if !glob(pattern, name) {
			t.Fatalf("%q does not match %q", pattern, name)
		}
		if glob(pattern, name+"/below") {
			t.Fatalf("%q matches what is below %q", pattern, name)
		}
		if !strings.Contains(pattern, "*") && glob(pattern, name+"x") {
			t.Fatalf("%q matches %q", pattern, name+"x")
		}
	})
}

func TestPermissionsThatFailTheDeployment(t *testing.T) {
	for says, permissions := range map[string]string{
		"permissions[0].object: want a file or folder":                      "  - {mode: 600}",
		`permissions[0].type: want file or directory, got "socket"`:         "  - {object: /srv, type: [socket]}",
		`permissions[0].mode: want one to four octal digits, got "888"`:     "  - {object: /srv, mode: 888}",
		`permissions[0].mode: want one to four octal digits, got "10644"`:   "  - {object: /srv, mode: 10644}",
		"a.sh: set more than once":                                          "  - {object: /srv/a.sh, mode: 600}\n  - {object: /srv, mode: 700}",
		"is a file; pattern and except are for folders":                     "  - {object: /srv/a.sh, pattern: '*', mode: 600}",
		"owner: user: unknown user nobody-of-that-name":                     "  - {object: /srv/a.sh, owner: nobody-of-that-name}",
		"group: group: unknown group nobody-of-that-name":                   "  - {object: /srv/a.sh, group: nobody-of-that-name}",
		"context: the sandbox's machines have no SELinux":                   "  - {object: /srv/a.sh, context: {type: httpd_sys_content_t}}",
		`acls: "rwx": want [d:][u|g|m|o]:[name]:permissions`:                "  - {object: /srv/a.sh, acls: [rwx]}",
		`acls: "u::rwx": use mode for the owner, the group and others`:      "  - {object: /srv/a.sh, acls: ['u::rwx']}",
		`acls: "d:u:nobody:r": default entries are for folders only`:        "  - {object: /srv/a.sh, acls: ['d:u:nobody:r']}",
		`acls: "u:nobody:rq": want [d:][u|g|m|o]:[name]:permissions`:        "  - {object: /srv/a.sh, acls: ['u:nobody:rq']}",
		"pattern and except are for folders":                                "  - {object: /srv/a.sh, except: [x], mode: 600}",
		"cannot unmarshal !!str `file` into []string":                       "  - {object: /srv, type: file}",
		`permissions[1].mode: want one to four octal digits, got "u=rwx"`:   "  - {object: /srv}\n  - {object: /srv, mode: u=rwx}",
		`permissions[0].mode: want one to four octal digits, got "-1"`:      "  - {object: /srv, mode: -1}",
		`permissions[0].mode: want one to four octal digits, got "rw-r--r"`: "  - {object: /srv, mode: rw-r--r}",
	} {
		w := newWorld(t)
		c := w.deploy(bundle{"appspec.yml": spec("files: [{source: app, destination: /srv}]\npermissions:\n" + permissions + "\n"), "app/a.sh": ""})
		w.run(c, "DownloadBundle")
		problem, _ := w.fails(c, "Install")
		assert.ErrorContains(t, problem, says)
	}
}

func TestOwnerAndGroupAreGivenByName(t *testing.T) {
	needRoot(t)
	w := permitted(t, "  - {object: /srv, pattern: 'a*', owner: nobody, group: mail}\n  - {object: /srv/b.txt, group: mail}\n")
	owner := func(path string) (uint32, uint32) {
		info, err := os.Stat(w.path(path))
		require.NoError(t, err)
		of := info.Sys().(*syscall.Stat_t)
		return of.Uid, of.Gid
	}
	nobody, mail := number(t, "passwd", "nobody"), number(t, "group", "mail")
	uid, gid := owner("srv/a.sh")
	assert.Equal(t, []uint32{nobody, mail}, []uint32{uid, gid})
	uid, gid = owner("srv/b.txt")
	assert.Equal(t, []uint32{0, mail}, []uint32{uid, gid})
	uid, gid = owner("srv/in/c.sh")
	assert.Equal(t, []uint32{0, 0}, []uint32{uid, gid})
}

func TestACLsAreSetWithSetfacl(t *testing.T) {
	if _, err := exec.LookPath("setfacl"); err != nil {
		w := newWorld(t)
		c := w.deploy(bundle{"appspec.yml": spec("files: [{source: app, destination: /srv}]\npermissions: [{object: /srv/a, acls: ['u:nobody:rw']}]\n"), "app/a": ""})
		w.run(c, "DownloadBundle")
		problem, _ := w.fails(c, "Install")
		assert.ErrorContains(t, problem, "the machine has no setfacl; install its package acl")
		return
	}
	w := permitted(t, "  - {object: /srv/a.sh, mode: 640, acls: ['u:nobody:rw', 'm::rw']}\n  - {object: /srv, pattern: in, type: [directory], acls: ['d:u:nobody:7']}\n")
	acl := func(path string) string {
		output, err := exec.Command("getfacl", "--omit-header", "--absolute-names", w.path(path)).Output()
		require.NoError(t, err)
		return string(output)
	}
	assert.Contains(t, acl("srv/a.sh"), "user::rw-\nuser:nobody:rw-\ngroup::r--\nmask::rw-\nother::---\n")
	assert.Contains(t, acl("srv/in"), "default:user:nobody:rwx\n")
}
