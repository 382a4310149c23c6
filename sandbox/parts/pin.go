package parts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// pin hashes what a part is made from: facts, such as a version, and the files
// of paths, which are relative to root. A folder stands for all its files but
// Go tests and test data. The platform always counts.
func pin(root string, facts []string, paths ...string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.GOOS, runtime.GOARCH, strings.Join(facts, "\n"))
	for _, path := range paths {
		err := filepath.WalkDir(filepath.Join(root, path), func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return filepath.SkipDir
			case entry.IsDir() || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			relative, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(name) // #nosec G304 -- a file of the checkout
			fmt.Fprintf(sum, "%s %d\n", filepath.ToSlash(relative), len(text))
			_, _ = sum.Write(text) // a hash never fails
			return err
		})
		if err != nil {
			return "", fmt.Errorf("%s: %w; is %s a complete checkout?", path, err, root)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}
