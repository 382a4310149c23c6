package parts

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"

	"bluegreen/sandbox/progress"
)

// requirements pins moto and everything below it, with hashes.
const requirements = "sandbox/emulator/requirements.txt"

// minimumPython is the oldest minor version of Python 3 that requirements is
// resolved for.
const minimumPython = 11

// pythonNames are tried in this order. The plain name comes first: it is what
// the user chose.
var pythonNames = []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11"}

// moto is the recipe of the virtual environment that has moto.
func (b *bench) moto() recipe {
	return recipe{
		title: "moto",
		needs: func(ctx context.Context) error {
			_, err := findPython(ctx)
			return err
		},
		find: func(context.Context) (product, error) {
			p, err := b.motoPart()
			if err != nil {
				return product{}, err
			}
			return motoFrom(b.ready(p)), nil
		},
		make: func(ctx context.Context, step *progress.Step) (product, error) {
			p, err := b.motoPart()
			if err != nil {
				return product{}, err
			}
			file, err := b.ensure(ctx, p, step)
			return motoFrom(file), err
		},
		use: func(t *Tools, p product) { t.Python = p.path },
	}
}

func motoFrom(python string) product {
	return product{python, "virtual environment from " + requirements}
}

// motoPart is a virtual environment. It may be renamed because only its
// interpreter is used, which finds its packages from where it is; the scripts
// beside it would not.
func (b *bench) motoPart() (part, error) {
	hash, err := pin(b.root, nil, requirements)
	return part{name: "moto", pin: hash, file: filepath.Join("bin", "python"), runs: true, make: func(ctx context.Context, folder string, log *log) error {
		python, err := findPython(ctx)
		if err != nil {
			return err
		}
		log.step.Say("making a virtual environment")
		if err := log.run(ctx, b.root, nil, python, "-m", "venv", folder); err != nil {
			return err
		}
		// Nothing goes into the user's home, so no cache either.
		return log.run(ctx, b.root, nil, filepath.Join(folder, "bin", "python"), "-m", "pip", "install",
			"--disable-pip-version-check", "--no-cache-dir", "--no-input", "--progress-bar=off", "--require-hashes", "-r", requirements)
	}}, err
}

// interpreter is what a Python says about itself.
type interpreter struct {
	Path  string `json:"path"`
	Minor int    `json:"minor"`
	Venv  bool   `json:"venv"`
}

// probe prints interpreter as JSON. The path is the one behind links and pyenv's
// shims, so that the virtual environment notices when that Python goes away.
const probe = `import importlib.util as u, json, os, sys
print(json.dumps({"path": os.path.realpath(sys.executable), "minor": sys.version_info[1] if sys.version_info[0] == 3 else -1,
  "venv": all(u.find_spec(m) for m in ("venv", "ensurepip"))}))`

// findPython finds a Python 3 that can make virtual environments. When there is
// none, the error tells what the first one on PATH lacks.
func findPython(ctx context.Context) (string, error) {
	var lacks error
	for _, name := range pythonNames {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "-c", probe).Output() // #nosec G204 -- the user's Python
		if err != nil {
			continue // a pyenv shim for a version that is not installed
		}
		var found interpreter
		if err := json.Unmarshal(out, &found); err != nil {
			continue
		}
		switch {
		case found.Minor < minimumPython:
			err = fmt.Errorf("%s is Python 3.%d, and moto's pinned packages need 3.%d; install a newer one", path, found.Minor, minimumPython)
		case !found.Venv:
			err = fmt.Errorf("%s cannot make virtual environments; install its venv package (Debian, Ubuntu: apt-get install python3-venv)", path)
		default:
			return found.Path, nil
		}
		if lacks == nil {
			lacks = err
		}
	}
	if lacks == nil {
		return "", fmt.Errorf("python3 is not on PATH, and the emulated AWS is a Python program; install Python 3.%d or newer with venv (Debian, Ubuntu: apt-get install python3 python3-venv)", minimumPython)
	}
	return "", lacks
}
