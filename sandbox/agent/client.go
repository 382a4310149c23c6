package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bluegreen/sandbox/lifecycle"
)

// Client is the host's side.
type Client struct {
	Socket string // the agent's, as the host sees it
	// Patience is how long to wait for an agent that does not listen yet, or just
	// restarts; none is 30 seconds.
	Patience time.Duration
}

const (
	defaultPatience = 30 * time.Second
	knockInterval   = 100 * time.Millisecond
)

// Run has the agent perform a lifecycle event, and returns the end of its
// scripts' log. When the context ends, so do the event's processes.
//
// Errors: *lifecycle.ScriptError when the event failed; the context's; else the
// agent does not answer: it is not there, or went away in the middle.
func (c Client) Run(ctx context.Context, command lifecycle.Command) (log string, err error) {
	body, err := json.Marshal(command)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent"+runPath, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.knock(ctx) }, DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", c.unanswered(ctx, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return "", c.unanswered(ctx, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", c.unanswered(ctx, fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(content))))
	}
	var answer outcome
	if err := json.Unmarshal(content, &answer); err != nil {
		return "", c.unanswered(ctx, err)
	}
	if answer.Failed != nil {
		return answer.Log, answer.Failed
	}
	return answer.Log, nil
}

func (c Client) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ended in the middle of the event")
	}
	return fmt.Errorf("the CodeDeploy agent at %s does not answer: %w", c.Socket, err)
}

// knock connects, patiently.
func (c Client) knock(ctx context.Context) (net.Conn, error) {
	patience := c.Patience
	if patience == 0 {
		patience = defaultPatience
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		connection, err := dial(waiting, c.Socket)
		if err == nil {
			return connection, nil
		}
		select {
		case <-waiting.Done():
			return nil, err
		case <-time.After(knockInterval):
		}
	}
}

// dial reaches a socket through its folder: the kernel takes no path of more than
// 107 bytes, and a checkout may be deep.
func dial(ctx context.Context, socket string) (net.Conn, error) {
	folder, err := os.Open(filepath.Dir(socket))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(socket)))
}
