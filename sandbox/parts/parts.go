// Package parts provides the programs that the sandbox is made of: the Pulumi
// CLI, the AWS and random provider plugins, and moto in a virtual environment.
//
// Each part is taken from the machine where it is installed already, else
// downloaded or built once into <checkout>/.sandbox/parts/<name>-<pin>. The pin
// is a hash of what the part is made from, so that a part is made anew only when
// that changes. A part is made beside its place and renamed at the end: a folder
// that has its name is complete. Nothing here needs the network once every part
// is there.
package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bluegreen/sandbox/progress"

	"golang.org/x/sync/errgroup"
)

// Options says where parts are and how they are got.
type Options struct {
	Root    string    // the checkout
	Plugins Policy    // where provider plugins may come from; PolicyFromEnvironment reads it
	Output  io.Writer // progress; silent when every part is there
}

// Tools is what the sandbox runs with.
type Tools struct {
	Pulumi  string   // the Pulumi CLI
	Python  string   // interpreter of the virtual environment that has moto
	Plugins []Plugin // provider plugins
	Sources []string // one line a part: what it is and where it came from

	// EmulatorPin is the hash of what the emulator is made from. A running
	// emulator of another pin is not the one of this checkout.
	EmulatorPin string
}

// Folder is where the parts of a checkout are.
func Folder(root string) string { return filepath.Join(root, ".sandbox", "parts") }

// recipe is one part: how to find it without work, and how to make it.
type recipe struct {
	title string
	needs func(context.Context) error // what making it needs; checked before anything is made
	find  func(context.Context) (product, error)
	make  func(context.Context, *progress.Step) (product, error)
	use   func(*Tools, product)
}

// product is a usable part; the zero product means that there is none yet.
type product struct {
	path   string
	source string
}

// Ensure finds every part, and makes those that are missing. Go builds run one
// after the other, since each uses every core and up to 2 GB; moto, which is
// mostly waiting for the network, is installed at the same time.
//
// Errors: a missing or too old Go toolchain or Python, a failed download or
// build with the end of its log; a wrong Policy.
func Ensure(ctx context.Context, options Options) (Tools, error) {
	if err := options.Plugins.validate(); err != nil {
		return Tools{}, err
	}
	b, err := newBench(options.Root)
	if err != nil {
		return Tools{}, err
	}
	if b.tools.EmulatorPin, err = pin(b.root, nil, "sandbox/emulator", "sandbox/codedeploy", "sandbox/lifecycle", "sandbox/machines", "sandbox/balancer"); err != nil {
		return Tools{}, err
	}
	lanes := [][]recipe{
		{b.pulumi(), b.plugin(awsPlugin, options.Plugins), b.plugin(randomPlugin, options.Plugins)},
		{b.moto()},
	}
	missing, err := b.findAll(ctx, lanes)
	if err != nil || missing == 0 {
		return b.tools, err
	}
	if err := os.MkdirAll(b.folder, 0o750); err != nil {
		return Tools{}, fmt.Errorf("parts: %w", err)
	}
	fmt.Fprintf(options.Output, "Setting up the sandbox: %d of its parts are made once, and kept in %s.\n", missing, b.folder)
	board := progress.New(options.Output, missing)
	defer board.Close()
	group, ctx := errgroup.WithContext(ctx)
	for _, lane := range lanes {
		group.Go(func() error { return b.makeAll(ctx, board, lane) })
	}
	err = group.Wait()
	return b.tools, err
}

// findAll takes what is there and counts what is not. What is needed to make the
// rest is checked here, so that a missing Python shows before minutes of building.
func (b *bench) findAll(ctx context.Context, lanes [][]recipe) (missing int, err error) {
	var needs []error
	for _, lane := range lanes {
		for i := range lane {
			found, err := lane[i].find(ctx)
			switch {
			case err != nil:
				return 0, err
			case found.path != "":
				b.take(lane[i], found)
				lane[i].make = nil
			default:
				missing++
				needs = append(needs, lane[i].needs(ctx))
			}
		}
	}
	return missing, errors.Join(unique(needs)...)
}

func (b *bench) makeAll(ctx context.Context, board *progress.Board, lane []recipe) error {
	for _, r := range lane {
		if r.make == nil {
			continue
		}
		step := board.Start(r.title)
		made, err := r.make(ctx, step)
		step.End(err)
		if err != nil {
			return fmt.Errorf("%s: %w", r.title, err)
		}
		b.take(r, made)
	}
	return nil
}

func (b *bench) take(r recipe, p product) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	r.use(&b.tools, p)
	b.tools.Sources = append(b.tools.Sources, r.title+": "+p.source)
}

// unique drops nil and repeated errors: four parts need the same Go toolchain.
func unique(all []error) (kept []error) {
	seen := map[string]bool{}
	for _, err := range all {
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			kept = append(kept, err)
		}
	}
	return kept
}
