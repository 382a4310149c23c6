package release

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if used.Load() {
		if e, err := account(); err == nil {
			_ = e.Close()
		}
		_ = os.RemoveAll(accountFolder)
	}
	os.Exit(code)
}
