package release

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(bundlerVariable); file != "" {
		if err := playBundler(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if at := os.Getenv(releaserVariable); at != "" {
		if err := playReleaser(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if used.Load() {
		if e, err := account(); err == nil {
			_ = e.Close()
		}
		_ = os.RemoveAll(accountFolder)
	}
	os.Exit(code)
}
