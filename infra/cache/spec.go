package cache

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bluegreen/infra/window"
)

// Engine is the software of a cache.
type Engine string

// The two engines. Valkey continues the last free version of Redis and speaks
// its protocol; on ElastiCache it is the cheaper one.
const (
	Valkey Engine = "valkey"
	Redis  Engine = "redis"
)

// Spec is what an operator chooses.
type Spec struct {
	// Enabled is whether the stack has a cache. The default is false.
	Enabled bool `json:"enabled"`
	// Engine is valkey or redis; the default is valkey. Redis can become
	// Valkey in place, the other way replaces the cache.
	Engine Engine `json:"engine"`
	// EngineVersion is the engine's major.minor version; the default is 8.0.
	// A lower one replaces the cache.
	EngineVersion string `json:"engineVersion"`
	// NodeType is the size of each node. The default is cache.t4g.micro,
	// 2 vCPU and 0.5 GiB.
	NodeType string `json:"nodeType"`
	// Nodes is how many nodes hold the same data, 1 to 6. From two on they
	// stand in several availability zones, and another takes over when the
	// primary fails. The default is 1.
	Nodes int `json:"nodes"`
	// SnapshotRetentionDays is how long daily snapshots are kept, 0 to 35; 0
	// takes none. The default is 1.
	SnapshotRetentionDays int `json:"snapshotRetentionDays"`
	// MaintenanceWindow is the weekly time of upgrades and of changes that
	// need a restart, ddd:hh:mm-ddd:hh:mm in UTC, 60 minutes to a day. The
	// default is sun:09:00-sun:10:00.
	MaintenanceWindow string `json:"maintenanceWindow"`
	// Protect refuses to delete or replace the cache; the queues of Celery may
	// be in it. The default is true.
	Protect bool `json:"protect"`
}

// Default is no cache; switched on, it is one small node.
func Default() Spec {
	return Spec{
		Engine:                Valkey,
		EngineVersion:         "8.0",
		NodeType:              "cache.t4g.micro",
		Nodes:                 1,
		SnapshotRetentionDays: 1,
		MaintenanceWindow:     "sun:09:00-sun:10:00",
		Protect:               true,
	}
}

// versions are those in standard support on ElastiCache in November 2026
// (Amazon ElastiCache User Guide, "Engine versions and upgrading in
// ElastiCache"). Redis 4 and 5 left it in January 2026.
var versions = map[Engine][]string{
	Valkey: {"7.2", "8.0", "8.1", "8.2", "9.0"},
	Redis:  {"6.2", "7.0", "7.1"},
}

// retired are the families that ElastiCache makes no nodes of any more (Amazon
// ElastiCache API Reference, "CacheNode"; t2: Amazon ElastiCache User Guide,
// "Supported node types").
var retired = []string{"c1", "m1", "m2", "m3", "r3", "t1", "t2"}

// The limits of a replication group (Amazon ElastiCache API Reference,
// "CreateReplicationGroup").
const (
	mostNodes        = 6
	longestSnapshots = 35 // days
	shortestWindow   = 60 // minutes
	longestWindow    = 24 * 60
)

// nodeType has the letters that ElastiCache families begin with: general
// purpose, burstable, memory, network (Amazon ElastiCache User Guide, "Supported
// node types").
var nodeType = regexp.MustCompile(`^cache\.([cmrt][0-9]+[a-z]*)\.(micro|small|medium|large|[0-9]*xlarge)$`)

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	problems := []error{checkEngine(s.Engine, s.EngineVersion), checkNodeType(s.NodeType)}
	if s.Nodes < 1 || s.Nodes > mostNodes {
		problems = append(problems, fmt.Errorf("nodes: want 1 to %d, got %d", mostNodes, s.Nodes))
	}
	if s.SnapshotRetentionDays < 0 || s.SnapshotRetentionDays > longestSnapshots {
		problems = append(problems, fmt.Errorf("snapshotRetentionDays: want 0 to %d, got %d", longestSnapshots, s.SnapshotRetentionDays))
	}
	return errors.Join(append(problems, checkWindow(s.MaintenanceWindow))...)
}

func checkEngine(engine Engine, version string) error {
	offered, known := versions[engine]
	if !known {
		return fmt.Errorf("engine: want %s or %s, got %q", Valkey, Redis, engine)
	}
	if !slices.Contains(offered, version) {
		return fmt.Errorf("engineVersion: want a version of %s (%s), got %q; choose one of them and write it in quotes", engine, strings.Join(offered, ", "), version)
	}
	return nil
}

func checkNodeType(text string) error {
	parts := nodeType.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("nodeType: want cache.<family>.<size> like cache.t4g.micro, got %q", text)
	}
	if slices.Contains(retired, parts[1]) {
		return fmt.Errorf("nodeType: ElastiCache makes no cache.%s nodes any more, got %s; choose a newer family like cache.t4g.micro", parts[1], text)
	}
	return nil
}

// checkWindow refuses a window longer than a day: its ends are swapped.
func checkWindow(text string) error {
	weekly, err := window.ParseWeekly(text, shortestWindow)
	switch {
	case err != nil:
		return fmt.Errorf("maintenanceWindow: %w", err)
	case weekly.Minutes() > longestWindow:
		return fmt.Errorf("maintenanceWindow: %s lasts %d minutes, want at most %d; move an end", text, weekly.Minutes(), longestWindow)
	}
	return nil
}
