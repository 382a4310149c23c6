package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// goodCheckpoint is a copy of the state after the last Up that succeeded. The
// file backend writes the state in place: an engine that is killed meanwhile
// leaves half of it, or nothing.
const goodCheckpoint = "checkpoint.json"

// checkpoint is the file in which Pulumi keeps the stack's state.
func (s *Sandbox) checkpoint() string {
	return s.path("state", ".pulumi", "stacks", ProjectName, s.Stack+".json")
}

// torn tells whether the state is there, but not whole. The backend's store
// writes attributes beside each file, in place as well, and cannot open a file
// whose attributes are not whole; it does without them where there are none.
func (s *Sandbox) torn() (bool, error) {
	attributes := s.checkpoint() + ".attrs"
	if text, err := os.ReadFile(attributes); err == nil && !json.Valid(text) {
		if err := removeFile(attributes); err != nil {
			return false, err
		}
	}
	text, err := os.ReadFile(s.checkpoint())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && !json.Valid(text), err
}

// keepCheckpoint remembers the state; its secrets are encrypted.
func (s *Sandbox) keepCheckpoint() error {
	text, err := os.ReadFile(s.checkpoint())
	if err != nil {
		return err
	}
	return writeFile(s.path(goodCheckpoint), text)
}

// restoreCheckpoint puts the remembered state in the place of a torn one.
func (s *Sandbox) restoreCheckpoint() error {
	text, err := os.ReadFile(s.path(goodCheckpoint))
	if err != nil {
		return fmt.Errorf("the state was only half written, and there is no copy: %w; run bluegreen sandbox destroy --force, then up", err)
	}
	s.say("The last command was interrupted while the state was being written. Going back to the state before it.")
	return writeFile(s.checkpoint(), text)
}
