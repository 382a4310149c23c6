// Command bench measures what people wait for and prints a table. It asserts
// nothing: machines differ, so read the ratios, not the seconds. Arguments
// choose parts: sizes, the sandbox on growing stacks; releases, in the sandbox;
// plugin, the build and the start of our own provider; machines, releases on
// machines beside the tutorial's procedure; builds of the program. The last two
// take minutes.
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

// parts are what can be measured, in order.
var parts = []struct {
	name    string
	measure func(context.Context, *bench) error
}{{"sizes", sizes}, {"releases", releases}, {"plugin", plugin}, {"machines", onMachines}, {"builds", builds}}

func run(ctx context.Context, chosen []string) error {
	var names []string
	for _, part := range parts {
		names = append(names, part.name)
	}
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s: want some of %s, or nothing for all", name, strings.Join(names, ", "))
		}
	}
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("not in a checkout: %w", err)
	}
	b := &bench{root: strings.TrimSpace(string(out)), rows: table.NewWriter()}
	b.rows.SetOutputMirror(os.Stdout)
	b.rows.AppendHeader(table.Row{"what", "wall", "CPU", "peak memory", "note"})
	defer b.rows.Render()
	for _, part := range parts {
		if len(chosen) > 0 && !slices.Contains(chosen, part.name) {
			continue
		}
		if err := part.measure(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// row adds a line; what is not known of a usage leaves its column empty.
func (b *bench) row(what string, u usage, note string) {
	memory := ""
	if u.peak > 0 {
		memory = fmt.Sprintf("%.0f MB", float64(u.peak)/1e6)
	}
	b.rows.AppendRow(table.Row{what, seconds(u.wall), seconds(u.cpu), memory, note})
}

func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func (b *bench) tool() string { return filepath.Join(b.root, "bin", "bluegreen") }
