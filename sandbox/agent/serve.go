package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"bluegreen/sandbox/lifecycle"
)

// Socket is where the agent listens on a machine. Its folder is the host's, too.
const Socket = "/run/codedeploy-agent/agent.sock"

// runPath takes a lifecycle.Command and answers with an outcome.
const runPath = "/run"

// outcome is how an event went.
type outcome struct {
	Log    string                 `json:"log"`
	Failed *lifecycle.ScriptError `json:"failed"` // nil: it succeeded
}

// maxCommand is how much of a request is read, in bytes.
const maxCommand = 1 << 20

// Serve answers at a socket, which only root may use, until the context ends:
// then events that run are given up. Errors: the socket cannot be made.
func (a *Agent) Serve(ctx context.Context, socket string) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) { // of an agent that was killed
		return err
	}
	beside := fmt.Sprintf("%s.%d", socket, os.Getpid()) // nobody finds it before it is private
	listener, err := net.Listen("unix", beside)
	if err != nil {
		return err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(beside, 0o600), os.Rename(beside, socket)); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler: a, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*endTime)
		defer cancel()
		_ = server.Shutdown(ending) // what is under way sees the context's end
	})
	defer stopped()
	a.note("INFO", "Started: listening at %s", socket)
	err = server.Serve(listener)
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if removal := os.Remove(socket); !errors.Is(removal, os.ErrNotExist) {
		err = errors.Join(err, removal)
	}
	return err
}

// ServeHTTP performs a lifecycle event, for as long as the caller waits for it.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != runPath {
		http.Error(w, "want POST "+runPath, http.StatusNotFound)
		return
	}
	var c lifecycle.Command
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCommand)) // to its end: only then the server sees a caller go
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	log, err := a.Run(r.Context(), c)
	if r.Context().Err() != nil {
		http.Error(w, "given up: the agent or its caller ends", http.StatusServiceUnavailable)
		return
	}
	answer := outcome{Log: log}
	if err != nil {
		answer.Failed, _ = errors.AsType[*lifecycle.ScriptError](failure(err))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the caller has gone: nobody to tell
}
