package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"bluegreen/sandbox/progress"
)

// tailLines is how much of a log an error shows: enough for a compiler's or
// pip's last words.
const tailLines = 12

// log is a part's build log. What is written also shows, line by line, as what
// the step is doing.
type log struct {
	path string
	file *os.File
	step *progress.Step
	tail []string // the last lines, complete ones
	part []byte   // of the line that is being written
}

func openLog(path string, step *progress.Step) (*log, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- below .sandbox
	if err != nil {
		return nil, err
	}
	return &log{path: path, file: file, step: step}, nil
}

// Write appends to the log.
func (l *log) Write(text []byte) (int, error) {
	l.part = append(l.part, text...)
	for {
		end := bytes.IndexAny(l.part, "\r\n")
		if end < 0 {
			break
		}
		l.line(strings.TrimSpace(string(l.part[:end])))
		l.part = l.part[end+1:]
	}
	return l.file.Write(text)
}

func (l *log) line(line string) {
	if line == "" {
		return
	}
	l.tail = append(l.tail, line)
	if len(l.tail) > tailLines {
		l.tail = l.tail[1:]
	}
	l.step.Say(line)
}

func (l *log) close() error { return l.file.Close() }

// explain adds the log's last lines and its place to the error of a command.
func (l *log) explain(err error) error {
	var failed *exec.ExitError
	if err == nil || !errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("%w\n  %s\nthe whole log is %s; mend that (without a network, nothing can be downloaded) and run the command again: parts that are done are kept", err, strings.Join(l.tail, "\n  "), l.path)
}

// run runs a command in folder with its output in the log.
func (l *log) run(ctx context.Context, folder string, environment []string, command ...string) error {
	fmt.Fprintf(l.file, "# in %s: %s\n", folder, strings.Join(command, " "))
	return l.runTo(ctx, l, folder, environment, command...)
}

// runTo is run with the command's output in a writer.
func (l *log) runTo(ctx context.Context, out io.Writer, folder string, environment []string, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) // #nosec G204 -- commands of this package
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, out, out
	cmd.Env = append(os.Environ(), environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets go clean up after itself
	cmd.WaitDelay = interruptGrace
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return nil
}
