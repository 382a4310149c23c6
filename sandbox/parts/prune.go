package parts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// keptFor is how long a part that another pin has replaced is kept after its
// last use: a branch of last week, or another checkout that shares the parts,
// wants it again. A command that uses a part lasts minutes.
const keptFor = 14 * 24 * time.Hour

// used marks a part as used now.
func (b *bench) used(p part) {
	now := time.Now()
	_ = os.Chtimes(b.place(p), now, now) // parts may be somebody else's; then they prune
}

// prune removes what the part has replaced and nobody has used for long. One
// that runs in the background is left: its use does not show here.
func (b *bench) prune(p part) error {
	if p.runs {
		return nil
	}
	pins, err := filepath.Glob(filepath.Join(b.folder, p.name+"-????????????"))
	problems := []error{err}
	for _, folder := range pins {
		info, err := os.Stat(folder)
		if err == nil && folder != b.place(p) && time.Since(info.ModTime()) > keptFor {
			problems = append(problems, os.RemoveAll(folder))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("remove parts of earlier pins: %w", err)
	}
	return nil
}
