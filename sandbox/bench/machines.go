package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"bluegreen/sandbox"
	"bluegreen/sandbox/machines"
	sources "bluegreen/sandbox/parts"
	"bluegreen/sandbox/rehearsal"
)

//go:embed seed.sh
var seedScript string

// onMachines measures releases on machines, in a rehearsal, and then what the
// tutorial's own procedure takes on the same files, from the same archives.
func onMachines(ctx context.Context, b *bench) error {
	if err := sandbox.CheckMachines(ctx); err != nil {
		b.say("machines are left out: %v", err)
		return nil
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b.say("a rehearsal, which takes minutes")
	command := exec.CommandContext(ctx, b.tool(), "sandbox", "rehearse", "--json", "--run", folder) // #nosec G204 -- our own tool
	command.Dir, command.Stderr = b.root, os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it cleans up
	printed, err := command.Output()
	if err != nil {
		return fmt.Errorf("sandbox rehearse: %w", err)
	}
	var report rehearsal.Report
	if err := json.Unmarshal(printed, &report); err != nil {
		return err
	}
	file, err := os.Open(report.Recording)
	if err != nil {
		return err
	}
	defer file.Close()
	entries, err := rehearsal.ReadRecord(file)
	if err != nil {
		return err
	}
	ours := b.releasesOnMachines(report, entries)
	seed, err := b.seed(ctx)
	if err != nil {
		return fmt.Errorf("the tutorial's procedure: %w", err)
	}
	b.row("tutorial: packages and virtual environment", usage{wall: seed}, fmt.Sprintf("%.1f times bundle to healthy", seed.Seconds()/ours.Seconds()))
	return nil
}

// releasesOnMachines adds the rows of a rehearsal, and returns how long a machine
// takes from its bundle to a healthy target.
func (b *bench) releasesOnMachines(report rehearsal.Report, entries []rehearsal.Entry) time.Duration {
	events, machine := map[string][]usage{}, map[string]time.Duration{}
	var began time.Time
	var rollbacks []usage
	for _, e := range entries {
		r := e.Release
		switch {
		case r == nil:
		case r.Lifecycle != "" && r.Status == "Succeeded" && r.Fleet == "Green" && len(r.Instances) > 0:
			took := time.Duration(r.Seconds * float64(time.Second))
			events[r.Lifecycle] = append(events[r.Lifecycle], usage{wall: took})
			for _, instance := range r.Instances {
				machine[instance] += took
			}
		case r.Status == "Failed" && r.Lifecycle != "":
			began = e.Time
		case r.Kind == "deployment" && r.Status == "Succeeded" && !began.IsZero():
			rollbacks, began = append(rollbacks, usage{wall: e.Time.Sub(began)}), time.Time{}
		}
	}
	for _, event := range slices.Sorted(maps.Keys(events)) {
		if middle := median(events[event]); middle.wall > 50*time.Millisecond {
			b.row("  "+event, middle, fmt.Sprintf("median of %d", len(events[event])))
		}
	}
	var all []usage
	for _, took := range machine {
		if took > time.Second {
			all = append(all, usage{wall: took})
		}
	}
	whole := median(all)
	b.row("bundle to healthy, on a machine", whole, fmt.Sprintf("median of %d machines", len(all)))
	if len(rollbacks) > 0 {
		b.row("failed hook to rolled back", median(rollbacks), fmt.Sprintf("median of %d", len(rollbacks)))
	}
	b.row("requests while fleets were exchanged", usage{}, fmt.Sprintf("%d, %d failed, 99 of 100 within %.0f ms", report.Requests, report.Failed, report.P99*1000))
	return whole.wall
}

// seed runs the tutorial's procedure on a machine's files, in a container with
// this computer's network.
func (b *bench) seed(ctx context.Context) (time.Duration, error) {
	tree, err := machines.Tree(ctx, b.root, os.Stderr)
	if err != nil {
		return 0, err
	}
	source, err := sources.SourceFromEnvironment()
	if err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "seed")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	list := filepath.Join(folder, "sources.list")
	if err := os.WriteFile(list, []byte(fmt.Sprintf("deb %s %s main\n", source.Mirror, source.Suite)), 0o644); err != nil { // #nosec G306 -- apt reads it as another user
		return 0, err
	}
	b.say("the tutorial's procedure")
	command := exec.CommandContext(ctx, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2", "--volatile=overlay", // #nosec G204 -- our own arguments
		"--directory="+tree, "--bind-ro="+list+":/etc/apt/sources.list", "--bind-ro=/etc/resolv.conf:/etc/resolv.conf",
		"--bind-ro=/etc/ssl/certs:/etc/ssl/certs", "--bind-ro="+filepath.Join(b.root, "app")+":/app", "--", "bash", "-c", seedScript)
	used, err := measure(command)
	return used.wall, err
}
