package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// secrets are those of CI, which have to be what the stack's outputs are.
func secrets() []check {
	return []check{{"github: secrets", []need{online, settings, usesGitHub, up}, checkSecrets}}
}

func usesGitHub(_ context.Context, p *patient) error {
	if found, _ := p.settings(); found.Access.CI == "none" {
		return errors.New("access.ci is none: nothing signs in")
	}
	if p.Secrets == nil {
		return errors.New("nobody was asked to compare them")
	}
	return nil
}

func checkSecrets(ctx context.Context, p *patient) Finding {
	drift, err := p.Secrets(ctx)
	if err != nil {
		return fault(err, "")
	}
	var problems []string
	for _, kind := range []struct {
		what  string
		names []string
	}{{"missing: ", drift.Missing}, {"not the stack's value: ", drift.Changed}} {
		if len(kind.names) > 0 {
			problems = append(problems, kind.what+strings.Join(kind.names, ", "))
		}
	}
	update := "run: bluegreen github secrets --stack " + p.Stack
	switch {
	case len(problems) > 0:
		return failed(drift.Where+": "+strings.Join(problems, "; "), update)
	case len(drift.Stale) > 0:
		return warning(fmt.Sprintf("%s: no output of the stack any more: %s", drift.Where, strings.Join(drift.Stale, ", ")), update+" --prune")
	}
	return ok("%s has what the stack says", drift.Where)
}
