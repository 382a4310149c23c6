package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// commandLock is held by the command that works on the run folder.
const commandLock = "command.lock"

// command is who works on a run folder. It is written while the lock is held and
// emptied when the command ends: one that is found by the next holder tells of a
// command that was killed.
type command struct {
	Name  string    `json:"name"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// exclusive makes this process the only one that works on the run folder, and
// ends what a killed engine has left running. interrupted tells that the previous
// one never came to its end.
func (s *Sandbox) exclusive(name string) (release func(), interrupted bool, err error) {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return nil, false, fmt.Errorf("sandbox: %w", err)
	}
	lock := flock.New(s.path(commandLock))
	got, err := lock.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("sandbox: lock %s: %w", lock.Path(), err)
	}
	file := s.path("command.json")
	var before command
	found := readJSON(file, &before) == nil
	if !got {
		return nil, false, busy(before)
	}
	if err := writeJSON(file, command{Name: name, PID: os.Getpid(), Since: time.Now()}); err != nil {
		return nil, false, errors.Join(err, lock.Unlock())
	}
	s.endOrphans()
	return func() {
		_ = os.Remove(file) // at worst the next command looks for an interruption in vain
		_ = lock.Unlock()   // closing the process unlocks too
	}, found, nil
}

func busy(other command) error {
	if other.PID == 0 { // between taking the lock and writing the record
		return errors.New("another bluegreen sandbox command has just started on this sandbox; wait for it to end and try again")
	}
	return fmt.Errorf("another bluegreen sandbox command works on this sandbox: %s, process %d, since %s; wait for it to end and try again",
		other.Name, other.PID, other.Since.Local().Format(time.TimeOnly))
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path) // #nosec G304 -- in the run folder
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file at once, so that no reader sees half of it.
func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

func writeFile(path string, text []byte) error {
	beside := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(beside, text, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, path)
}
