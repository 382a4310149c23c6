package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"bluegreen/internal/stack"
	"bluegreen/sandbox/parts"
)

// state is where Pulumi keeps what it has made.
func state() []check {
	return []check{
		{"state: backend", []need{online}, checkBackend},
		{"state: lock", []need{online, backend}, checkLock},
		{"state: stack", []need{online, backend}, checkStack},
	}
}

func backend(_ context.Context, p *patient) error {
	_, err := p.backend()
	return err
}

func checkBackend(_ context.Context, p *patient) Finding {
	address, err := p.backend()
	if err != nil {
		return fault(err, "run: pulumi login, or set PULUMI_BACKEND_URL")
	}
	if parsed, err := url.Parse(address); err == nil {
		address = parsed.Redacted() // a database's has a password
	}
	return ok("%s", address)
}

// readBackend asks the engine where the state is, which proves that it gets there.
func (p *patient) readBackend(ctx context.Context) (string, error) {
	said, err := p.engine(ctx, "whoami", "--verbose", "--json")
	if err != nil {
		return "", err
	}
	var answer struct{ URL string }
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		return "", fmt.Errorf("pulumi whoami: %w", err)
	}
	return answer.URL, nil
}

// engine runs the Pulumi CLI in the checkout.
func (p *patient) engine(ctx context.Context, arguments ...string) (string, error) {
	binary, err := parts.FindPulumi(ctx, p.Root)
	if err != nil {
		return "", &unanswered{"pulumi is not installed: " + oneLine(err)}
	}
	said, err := run(ctx, p.Root, []string{"PULUMI_SKIP_UPDATE_CHECK=true"}, append([]string{binary, "--non-interactive"}, arguments...)...)
	if err != nil {
		err = fmt.Errorf("pulumi %s: %s", arguments[0], lastError(err))
	}
	return said, err
}

// lastError is what the engine says is wrong.
func lastError(err error) string {
	_, text, found := strings.Cut(err.Error(), "error: ")
	if !found {
		return oneLine(err)
	}
	return oneLine(errors.New(text))
}

func checkStack(ctx context.Context, p *patient) Finding {
	_, err := p.outputs()
	switch {
	case errors.Is(err, ErrNoStack):
		return notChecked(err)
	case err != nil:
		return fault(err, "see that the passphrase or the key of the stack's secrets is there")
	}
	said, err := p.engine(ctx, "stack", "export", "--stack", p.Stack)
	if err != nil {
		return fault(err, "")
	}
	var exported struct {
		Deployment struct {
			Resources []struct{} `json:"resources"`
			Pending   []struct {
				Type     string
				Resource struct{ URN string }
			} `json:"pending_operations"`
		}
	}
	if err := json.Unmarshal([]byte(said), &exported); err != nil {
		return failed(fmt.Sprintf("pulumi stack export: %v", err), "")
	}
	var pending []string
	for _, one := range exported.Deployment.Pending {
		pending = append(pending, one.Type+" "+one.Resource.URN[strings.LastIndex(one.Resource.URN, ":")+1:])
	}
	if len(pending) > 0 {
		return failed("an interrupted run left open: "+strings.Join(pending, ", "), "run: pulumi refresh, which asks about each, then pulumi up")
	}
	return ok("%d resources, nothing left open", len(exported.Deployment.Resources))
}

// readOutputs are the stack's outputs, those that are secret masked. What has a
// name but no outputs has not been made.
func (p *patient) readOutputs(ctx context.Context) (map[string]any, error) {
	read := stack.Masked
	if p.masked != nil {
		read = p.masked
	}
	outputs, err := read(ctx, p.Stack)
	switch {
	case err != nil && strings.Contains(err.Error(), "no stack named"):
		return nil, ErrNoStack
	case err != nil:
		return nil, errors.New(lastError(err))
	case len(outputs) == 0:
		return nil, ErrNoStack
	}
	return outputs, nil
}
