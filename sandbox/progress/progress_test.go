package progress

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlainLinesNameNumberAndOutcome(t *testing.T) {
	var out bytes.Buffer
	board := New(&out, 2)
	board.Start("Pulumi CLI").End(nil)
	board.Start("AWS plugin").End(errors.New("no disk"))
	board.Close()
	assert.Equal(t, `[1/2] Pulumi CLI: started
[1/2] Pulumi CLI: done (0s)
[2/2] AWS plugin: started
[2/2] AWS plugin: failed (0s)
`, out.String())
}

func TestASingleStepHasNoNumber(t *testing.T) {
	var out bytes.Buffer
	board := New(&out, 1)
	step := board.Start("Creating")
	step.Say("42 operations")
	step.End(nil)
	board.Close()
	assert.Equal(t, "Creating: started\nCreating: done (0s)\n", out.String())
}
