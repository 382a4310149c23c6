package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bluegreen/internal/release"
)

// rounds is how many releases the medians are of.
const rounds = 3

// releases measures what a release takes of our own and of the engine's time.
// The sandbox's CodeDeploy does not wait, and its instances take no time over a
// lifecycle event, so that all of it is overhead.
func releases(ctx context.Context, b *bench) error {
	return b.with(ctx, size{"small", small, 0}, released)
}

func released(ctx context.Context, s *stack) error {
	before, err := s.preview(ctx)
	if err != nil {
		return err
	}
	s.row("zero-change preview", before)
	var all, previews []usage
	var parts [len(stages)][]usage
	for round := range rounds {
		var events bytes.Buffer
		command := s.command(ctx, "release", "--json", "--directory", s.bench.root)
		command.Stdout = &events
		began := time.Now()
		used, err := s.measure(command, fmt.Sprintf("release %d of %d", round+1, rounds))
		if err != nil {
			return fmt.Errorf("%w\n%s", err, events.String())
		}
		ends, err := split(&events)
		if err != nil {
			return fmt.Errorf("release: %w", err)
		}
		for stage, end := range ends {
			parts[stage] = append(parts[stage], usage{wall: end.Sub(began)})
			began = end
		}
		all = append(all, used)
		if used, err = s.preview(ctx); err != nil {
			return err
		}
		previews = append(previews, used)
	}
	note := fmt.Sprintf("median of %d", rounds)
	s.row("release", median(all), note)
	for stage, part := range parts {
		s.row("  "+stages[stage], median(part), note)
	}
	s.row("zero-change preview after a release", median(previews), note)
	return s.destroyed(ctx, "destroy straight after a release")
}

// stages are the parts of a release, in order. The first begins with the command
// and has the reading of the stack's outputs in it.
var stages = [...]string{"bundle and upload", "deployment", "verdict"}

// split reads the events of a release that went well, and says when each of its
// stages ended.
func split(events *bytes.Buffer) (ends [len(stages)]time.Time, err error) {
	for lines := bufio.NewScanner(events); lines.Scan(); {
		var e release.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return ends, fmt.Errorf("%w: %s", err, lines.Text())
		}
		switch e.Kind {
		case release.KindUpload:
			ends[0] = e.Time
		case release.KindDeployment, release.KindLifecycle:
			ends[1] = e.Time // of the last one
		case release.KindResult:
			ends[2] = e.Time
		}
	}
	for stage, end := range ends {
		if end.IsZero() {
			return ends, errors.New("no event tells of the end of stage " + stages[stage])
		}
	}
	return ends, nil
}
