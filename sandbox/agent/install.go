package agent

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bluegreen/internal/appspec"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// install is Install: what the last deployment has installed goes, and what
// appspec.yml lists comes. It is planned whole before anything is copied, so that
// a file in the way costs nothing but the last deployment's files.
func (a *Agent) install(d deployment) error {
	spec, err := readSpec(d.folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.instructions, 0o755); err != nil {
		return err
	}
	if err := cleanUp(d.cleanup()); err != nil {
		return err
	}
	p := &plan{
		root: a.Root, archive: archive(d.folder),
		behavior: cmp.Or(types.FileExistsBehavior(spec.FileExistsBehavior), d.FileExistsBehavior, types.FileExistsBehaviorDisallow),
		copied:   map[string]string{}, made: map[string]bool{}, permitted: map[string]bool{},
	}
	for _, file := range spec.Files {
		if err := p.add(file); err != nil {
			return err
		}
	}
	for _, permission := range spec.Permissions {
		if err := p.permit(permission); err != nil {
			return err
		}
	}
	text, err := json.Marshal(map[string]any{"instructions": p.steps})
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.instruction("-install.json"), text, 0o644); err != nil {
		return err
	}
	if err := p.carryOut(d.cleanup()); err != nil {
		return err
	}
	return d.remember(lastSuccessful)
}

// cleanUp removes what a list names, the last first: files, and folders that are
// empty then. A line without an end was cut off, and is passed over.
func cleanUp(list string) error {
	content, err := os.ReadFile(list)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := strings.Split(string(content), "\n")
	for _, path := range slices.Backward(lines[:len(lines)-1]) {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir():
			if inside, err := os.ReadDir(path); err != nil || len(inside) > 0 {
				continue // somebody else's files are in it
			}
			fallthrough
		default:
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return os.Remove(list)
}

// plan is what Install is going to do.
type plan struct {
	root      string // stands for /
	archive   string
	behavior  types.FileExistsBehavior
	steps     []step
	copied    map[string]string // source by destination
	made      map[string]bool   // folders
	folders   []string          // made, in order
	files     []string          // copied, in order
	permitted map[string]bool
}

// add plans the copying of a file, or of all that is in a folder.
func (p *plan) add(file appspec.File) error {
	source, destination := filepath.Join(p.archive, file.Source), filepath.Join(p.root, file.Destination)
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("files: %s is not in the revision: %w", file.Source, err)
	}
	if info.IsDir() {
		if err := p.addAncestors(destination); err != nil {
			return err
		}
		return p.addFolder(source, destination)
	}
	destination = filepath.Join(destination, filepath.Base(source))
	if err := p.addAncestors(destination); err != nil {
		return err
	}
	return p.addFile(source, destination)
}

func (p *plan) addAncestors(destination string) error {
	var missing []string
	for at := filepath.Dir(destination); at != "/" && at != "."; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		}
		missing = append(missing, at)
	}
	for _, folder := range slices.Backward(missing) {
		if err := p.addMade(folder); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) addFolder(source, destination string) error {
	if info, err := os.Stat(destination); err != nil || !info.IsDir() {
		if err := p.addMade(destination); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, to := filepath.Join(source, e.Name()), filepath.Join(destination, e.Name())
		info, err := os.Stat(from) // a link to a folder is copied as that folder
		if err == nil && info.IsDir() {
			err = p.addFolder(from, to)
		} else {
			err = p.addFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) addFile(source, destination string) error {
	if _, err := os.Stat(destination); err == nil {
		switch p.behavior {
		case types.FileExistsBehaviorOverwrite:
		case types.FileExistsBehaviorRetain:
			return nil
		case types.FileExistsBehaviorDisallow:
			return fmt.Errorf("The deployment failed because a specified file already exists at this location: %s", destination) //nolint:staticcheck // CodeDeploy's words
		default:
			return fmt.Errorf("file exists behavior: want DISALLOW, OVERWRITE or RETAIN, got %q", p.behavior)
		}
	}
	if other, twice := p.copied[destination]; twice {
		return fmt.Errorf("files: %s and %s are both for %s; remove one of them", other, source, destination)
	}
	if p.made[destination] {
		return fmt.Errorf("files: %s is for %s, where a folder is to be", source, destination)
	}
	p.copied[destination] = source
	p.files = append(p.files, destination)
	p.steps = append(p.steps, step{Type: "copy", Source: source, Destination: destination})
	return nil
}

func (p *plan) addMade(folder string) error {
	if source, file := p.copied[folder]; file {
		return fmt.Errorf("files: %s is for %s, where a folder is to be", source, folder)
	}
	if !p.made[folder] {
		p.made[folder] = true
		p.folders = append(p.folders, folder)
		p.steps = append(p.steps, step{Type: "mkdir", Directory: folder})
	}
	return nil
}
