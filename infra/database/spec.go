package database

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bluegreen/infra/window"
)

// Spec is what an operator chooses.
type Spec struct {
	// Enabled is whether the stack has a database of its own. The default is
	// true; false is for a site that keeps its data elsewhere.
	Enabled bool `json:"enabled"`
	// EngineVersion is PostgreSQL's major version; AWS chooses the minor. The
	// default is 17.
	EngineVersion string `json:"engineVersion"`
	// InstanceClass is the size of the server. The default is db.t4g.micro,
	// 2 vCPU and 1 GiB.
	InstanceClass string `json:"instanceClass"`
	// AllocatedStorage is the size of the gp3 volume at first, in GiB, 20 or
	// more. The default is 20. Storage can't shrink.
	AllocatedStorage int `json:"allocatedStorage"`
	// MaxAllocatedStorage is the size in GiB that RDS may let the volume grow
	// to, at least 10 % above AllocatedStorage; 0 stops it from growing. The
	// default is 100.
	MaxAllocatedStorage int `json:"maxAllocatedStorage"`
	// MultiAZ keeps a standby in another availability zone of the same region,
	// which takes over when the first fails, at twice the price. The default
	// is false.
	MultiAZ bool `json:"multiAz"`
	// BackupRetentionDays is how far back the database can be restored, 0 to
	// 35 days; 0 turns backups off. The default is 7.
	BackupRetentionDays int `json:"backupRetentionDays"`
	// BackupWindow is the daily time of the backup, hh:mm-hh:mm in UTC, at
	// least 30 minutes. The default is 07:00-07:30, night in America.
	BackupWindow string `json:"backupWindow"`
	// MaintenanceWindow is the weekly time of upgrades and of changes that
	// need a restart, ddd:hh:mm-ddd:hh:mm in UTC, at least 30 minutes and
	// outside of BackupWindow. The default is sun:08:00-sun:08:30.
	MaintenanceWindow string `json:"maintenanceWindow"`
	// Protect refuses to delete or replace the database, here and in the
	// console, and takes a final snapshot should it be deleted all the same.
	// The default is true. False is for a stack to throw away: its data and
	// its backups go with it, and no snapshot is taken.
	Protect bool `json:"protect"`
	// AllowMajorVersionUpgrade lets a higher EngineVersion be applied, at once
	// and with downtime instead of in MaintenanceWindow. The default is false;
	// set it for the upgrade only.
	AllowMajorVersionUpgrade bool `json:"allowMajorVersionUpgrade"`
	// AutoMinorVersionUpgrade lets AWS install new minor versions in
	// MaintenanceWindow. The default is true.
	AutoMinorVersionUpgrade bool `json:"autoMinorVersionUpgrade"`
	// PerformanceInsights records what the server waits for, for 7 days, which
	// is free of charge. The default is false.
	PerformanceInsights bool `json:"performanceInsights"`
}

// Default is the seed's database on a supported version and instance class.
func Default() Spec {
	return Spec{
		Enabled:                 true,
		EngineVersion:           "17",
		InstanceClass:           "db.t4g.micro",
		AllocatedStorage:        20,
		MaxAllocatedStorage:     100,
		BackupRetentionDays:     7,
		BackupWindow:            "07:00-07:30",
		MaintenanceWindow:       "sun:08:00-sun:08:30",
		Protect:                 true,
		AutoMinorVersionUpgrade: true,
	}
}

// majors are the versions of PostgreSQL in standard support on RDS in November
// 2026 (Amazon RDS for PostgreSQL Release Notes, "Release calendars for Amazon
// RDS for PostgreSQL"). Later than that a version costs extra for each vCPU
// and hour. A major leaves at the end of the February after the PostgreSQL
// community has dropped it: 14 in February 2027.
var majors = []string{"14", "15", "16", "17", "18"}

// retired are the families that RDS for PostgreSQL makes no instances of any
// more (Amazon RDS User Guide, "DB instance class types"; m4, r4 and t2 since
// June 2024, "Document history").
var retired = []string{"m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2"}

// The limits of a gp3 volume, in GiB, of backups, in days, and of windows (Amazon RDS API
// Reference, "CreateDBInstance").
const (
	leastStorage   = 20
	mostStorage    = 65536
	longestBackups = 35
	shortestWindow = 30 // minutes
)

// leastGrowth is the smallest MaxAllocatedStorage, in per cent of what is
// allocated (Amazon RDS User Guide, "Managing capacity automatically with
// Amazon RDS storage autoscaling").
const leastGrowth = 110

// class has the letters that RDS families begin with: general purpose,
// burstable, memory, compute (Amazon RDS User Guide, "DB instance class types").
var class = regexp.MustCompile(`^db\.([cmrtxz][0-9]+[a-z]*)\.(micro|small|medium|large|[0-9]*xlarge)$`)

// Validate reports every mistake at once.
func (s Spec) Validate() error {
	return errors.Join(checkMajor(s.EngineVersion), checkClass(s.InstanceClass), s.checkStorage(), s.checkBackups(), s.checkWindows())
}

func checkMajor(version string) error {
	if slices.Contains(majors, version) {
		return nil
	}
	return fmt.Errorf("engineVersion: want a major version in standard support (%s), got %q; choose one of them", strings.Join(majors, ", "), version)
}

func checkClass(text string) error {
	parts := class.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("instanceClass: want db.<family>.<size> like db.t4g.micro, got %q", text)
	}
	if slices.Contains(retired, parts[1]) {
		return fmt.Errorf("instanceClass: RDS makes no db.%s instances any more, got %s; choose a newer family like db.t4g.micro", parts[1], text)
	}
	return nil
}

func (s Spec) checkStorage() error {
	if s.AllocatedStorage < leastStorage || s.AllocatedStorage > mostStorage {
		return fmt.Errorf("allocatedStorage: want %d to %d GiB, got %d", leastStorage, mostStorage, s.AllocatedStorage)
	}
	least := (s.AllocatedStorage*leastGrowth + 99) / 100
	switch most := s.MaxAllocatedStorage; {
	case most == 0:
		return nil
	case most < least:
		return fmt.Errorf("maxAllocatedStorage: %d is less than 10 %% above allocatedStorage %d; raise it to %d or more, or set it to 0 to stop growth",
			most, s.AllocatedStorage, least)
	case most > mostStorage:
		return fmt.Errorf("maxAllocatedStorage: want at most %d GiB, got %d", mostStorage, most)
	}
	return nil
}

func (s Spec) checkBackups() error {
	if s.BackupRetentionDays < 0 || s.BackupRetentionDays > longestBackups {
		return fmt.Errorf("backupRetentionDays: want 0 to %d, got %d", longestBackups, s.BackupRetentionDays)
	}
	return nil
}

func (s Spec) checkWindows() error {
	backup, daily := window.ParseDaily(s.BackupWindow, shortestWindow)
	maintenance, weekly := window.ParseWeekly(s.MaintenanceWindow, shortestWindow)
	var problems []error
	if daily != nil {
		problems = append(problems, fmt.Errorf("backupWindow: %w", daily))
	}
	if weekly != nil {
		problems = append(problems, fmt.Errorf("maintenanceWindow: %w", weekly))
	}
	if daily == nil && weekly == nil && window.Overlap(backup, maintenance) {
		problems = append(problems, fmt.Errorf("maintenanceWindow: %s overlaps backupWindow %s; move one of them", s.MaintenanceWindow, s.BackupWindow))
	}
	return errors.Join(problems...)
}
