package sandbox

import (
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// engineGrace is how long the engine may take, once interrupted, to finish the
// operations that it has begun and to save its state.
const engineGrace = 3 * time.Minute

// cli runs the Pulumi CLI for the Automation API, whose own command would pass
// on the whole environment of this process.
type cli struct {
	binary      string
	environment []string
	version     semver.Version
	scratch     string // folder for files that nobody sees
	digest      bool   // preview prints its digest, which the Automation API cannot ask for
}

var _ auto.PulumiCommand = cli{}

// Version is the version that the Automation API goes by.
func (c cli) Version() semver.Version { return c.version }

// Run runs the CLI. When the context ends, it interrupts it once, which lets it
// finish what it has begun. A process group of its own keeps the terminal's
// Ctrl-C away: a second interrupt would make it drop everything. Its output goes
// to files: when this process is killed, a pipe would break and take the engine
// along in the middle of its work.
func (c cli) Run(ctx context.Context, folder string, in io.Reader, out, errs []io.Writer, environment []string, arguments ...string) (stdout, stderr string, code int, err error) {
	outFile, errFile := logFile(out), logFile(errs)
	for _, file := range []**os.File{&outFile, &errFile} {
		if *file == nil {
			if *file, err = c.unseen(); err != nil {
				return "", "", -1, err
			}
			defer (*file).Close()
		}
	}
	if c.digest && len(arguments) > 0 && arguments[0] == "preview" {
		arguments = append(slices.Clone(arguments), "--json", "--show-sames")
	}
	process := exec.CommandContext(ctx, c.binary, append([]string{"--non-interactive"}, arguments...)...) // #nosec G204 -- the pinned Pulumi CLI
	process.Dir, process.Stdin, process.Stdout, process.Stderr = folder, in, outFile, errFile
	process.Env = append(slices.Concat(c.environment, environment), "PULUMI_AUTOMATION_API=true")
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGINT) }
	process.WaitDelay = engineGrace
	err = process.Run()
	code = -1
	if process.ProcessState != nil {
		code = process.ProcessState.ExitCode()
	}
	stdout = written(outFile)
	if errFile != outFile {
		stderr = written(errFile)
	}
	return stdout, stderr, code, err
}

// logFile is the file that a caller wants output in, and may watch it in.
func logFile(writers []io.Writer) *os.File {
	for _, writer := range writers {
		if file, ok := writer.(*os.File); ok {
			return file
		}
	}
	return nil
}

// unseen is a file without a name: what it holds is gone with the process.
func (c cli) unseen() (*os.File, error) {
	file, err := os.CreateTemp(c.scratch, "output-")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

// written reads a file back from its beginning.
func written(file *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err != nil {
		return err.Error() // shown in place of what the engine said
	}
	return string(text)
}
