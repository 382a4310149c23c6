package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// recordTimeout is how long the record may take to be written when the command
// itself was interrupted.
const recordTimeout = 30 * time.Second

// Apply writes what is new or has changed and, with prune, deletes what is
// stale. It stops at the first failure; the error says what was not done, and
// the plan what was. Applying a new plan finishes it.
func (p *Plan) Apply(ctx context.Context, prune bool, progress io.Writer) error {
	var err error
	var left []string
	done := false
	for i := range p.Changes {
		change := &p.Changes[i]
		if change.State == Unchanged || change.State == Stale && !prune {
			continue
		}
		if err != nil {
			left = append(left, change.Name)
			continue
		}
		if err = p.perform(ctx, change); err != nil {
			err = fmt.Errorf("%s %s of %s: %w", change.Kind, change.Name, p.where(change.Level), err)
			left = append(left, change.Name)
			continue
		}
		change.Done, done = true, true
		fmt.Fprintf(progress, "%s %s %s of %s\n", past(change.State), change.Kind, change.Name, p.where(change.Level))
	}
	if done {
		err = errors.Join(err, p.saveRecord(ctx))
	}
	if len(left) > 0 {
		err = fmt.Errorf("%w\nnot written: %s; running this again finishes it", err, strings.Join(left, ", "))
	}
	return err
}

func past(state State) string {
	if state == Stale {
		return "deleted"
	}
	return "wrote"
}

// perform carries out one change, and notes it.
func (p *Plan) perform(ctx context.Context, change *Change) error {
	place := p.places[change.Level]
	if place == nil { // an environment's entry, and the environment is no longer used
		return errors.New("no environment is named")
	}
	if change.State == Stale {
		if err := place.remove(ctx, change.Kind, change.Name); err != nil {
			return err
		}
		p.record.drop(change.Level, change.Kind, change.Name)
		return nil
	}
	value := p.values[key(change.Level, change.Kind, change.Name)]
	e := entry{Name: value.Name, Kind: value.Kind, Level: value.Level}
	if value.Kind == Secret {
		written, err := place.writeSecret(ctx, value.Name, value.value)
		if err != nil {
			return err
		}
		e.Fingerprint, e.Written = fingerprint(value.value), &written
	} else {
		if err := place.writeVariable(ctx, value.Name, value.value); err != nil {
			return err
		}
		e.Fingerprint = sum(value.value)
	}
	p.record.put(e)
	return nil
}

// saveRecord writes down what was done, also after an interruption.
func (p *Plan) saveRecord(ctx context.Context) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer stop()
	text, err := json.Marshal(p.record)
	if err == nil {
		err = p.places[p.main].writeVariable(ctx, p.recordName(), string(text))
	}
	if err != nil {
		return fmt.Errorf("variable %s of %s: %w; what was written is not noted there, so that it is written again next time", p.recordName(), p.where(p.main), err)
	}
	return nil
}
