package release

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	standin "bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/stretchr/testify/require"
)

// account is the emulated AWS of all tests. What they make there has names of
// their own.
var account = sync.OnceValues(func() (*emulator.Emulator, error) {
	tools, err := partstest.Find()
	if err != nil {
		return nil, err
	}
	if accountFolder, err = os.MkdirTemp("", "release-test-"); err != nil {
		return nil, err
	}
	return emulator.Start(context.Background(), emulator.Config{
		Python: tools.Python, Address: "127.0.0.1:0", Account: testAccount, Region: testRegion, Dir: accountFolder,
		Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
})

var (
	worlds        atomic.Int64
	used          atomic.Bool // whether there is an account to close
	accountFolder string
)

// scripted are instances where an event can be held.
type scripted struct {
	mu sync.Mutex
	do func(ctx context.Context, command standin.Command) (string, error)
}

func (m *scripted) Run(ctx context.Context, _ string, command standin.Command) (string, error) {
	m.mu.Lock()
	do := m.do
	m.mu.Unlock()
	if do == nil {
		return "", ctx.Err()
	}
	return do(ctx, command)
}

// hold makes an event of the next deployment last until release is called, or
// until the deployment is stopped. reached waits for it.
func (w *world) hold(event string) (reached, release func()) {
	begin, gate := make(chan struct{}, 100), make(chan struct{})
	w.machines.mu.Lock()
	defer w.machines.mu.Unlock()
	var only sync.Once
	var held string // a rollback has the same events
	w.machines.do = func(ctx context.Context, command standin.Command) (string, error) {
		only.Do(func() { held = command.DeploymentID })
		if command.Event != event || command.DeploymentID != held {
			return "", nil
		}
		begin <- struct{}{}
		select {
		case <-gate:
			return "", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	reached = func() {
		w.Helper()
		select {
		case <-begin:
		case <-time.After(testTime):
			require.Fail(w, "the event did not begin")
		}
	}
	return reached, sync.OnceFunc(func() { close(gate) })
}
