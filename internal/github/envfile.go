package github

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// bare are values that the shell and every reader of such files take as they are.
var bare = regexp.MustCompile(`^[A-Za-z0-9_./:,+=@%-]+$`)

// EnvFile is NAME=value, a line each, of all values, secrets included, for other
// CI systems. Where a value has other characters than letters, digits and
// _./:,+=@%- it is in single quotes, which the shell takes off, and GitLab does
// not. Errors: values that no line can hold, all at once.
func EnvFile(values []Value) (string, error) {
	var text strings.Builder
	var errs []error
	for _, value := range values {
		if value.source == PreviewRole && value.Name != PreviewRole { // the same, for GitHub's levels
			continue
		}
		line := value.value
		switch {
		case bare.MatchString(line):
		case strings.ContainsAny(line, "'\n\r\x00"):
			errs = append(errs, fmt.Errorf("output %s: a quote or more than one line, which such a file cannot hold", value.source))
		default:
			line = "'" + line + "'"
		}
		fmt.Fprintf(&text, "%s=%s\n", value.Name, line)
	}
	return text.String(), errors.Join(errs...)
}

// WritePrivate writes a file at once, readable by its owner only. Whoever reads
// it sees the old file or the new one. Errors: something else than a file has the
// name, as /dev/stdout has, whose place a file would take.
func WritePrivate(name, text string) error {
	if there, err := os.Lstat(name); err == nil && !there.Mode().IsRegular() {
		return fmt.Errorf("%s: want a file, or a name that nothing has; got %s; with - it goes to a pipe", name, there.Mode().Type())
	}
	beside, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-") // 0600 from the beginning
	if err != nil {
		return err
	}
	_, err = beside.WriteString(text)
	err = errors.Join(err, beside.Sync(), beside.Close())
	if err == nil {
		err = os.Rename(beside.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(beside.Name()))
	}
	return nil
}
