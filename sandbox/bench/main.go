// Command bench measures what people wait for and prints a table. It asserts
// nothing: machines differ, so read the ratios, not the seconds. Arguments
// choose a half: sizes, the sandbox on growing stacks, or builds, which take
// minutes.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// bench collects the rows of the table.
type bench struct {
	root string // the checkout
	rows table.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, halves []string) error {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("not in a checkout: %w", err)
	}
	for _, half := range halves {
		if half != "sizes" && half != "builds" {
			return fmt.Errorf("%s: want sizes or builds, or nothing for both", half)
		}
	}
	b := &bench{root: strings.TrimSpace(string(out)), rows: table.NewWriter()}
	b.rows.SetOutputMirror(os.Stdout)
	b.rows.AppendHeader(table.Row{"what", "wall", "CPU", "peak memory", "note"})
	for _, half := range []struct {
		name    string
		measure func(context.Context, *bench) error
	}{{"sizes", sizes}, {"builds", builds}} {
		if len(halves) > 0 && !slices.Contains(halves, half.name) {
			continue
		}
		if err := half.measure(ctx, b); err != nil {
			b.rows.Render()
			return err
		}
	}
	b.rows.Render()
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// row adds a line; the zero usage leaves its columns empty.
func (b *bench) row(what string, u usage, note string) {
	if u == (usage{}) {
		b.rows.AppendRow(table.Row{what, "", "", "", note})
		return
	}
	memory := ""
	if u.peak > 0 {
		memory = fmt.Sprintf("%.0f MB", float64(u.peak)/1e6)
	}
	b.rows.AppendRow(table.Row{what, seconds(u.wall), seconds(u.cpu), memory, note})
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func (b *bench) tool() string { return filepath.Join(b.root, "bin", "bluegreen") }
