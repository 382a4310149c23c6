package database

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"default", func(*Spec) {}, ""},
		{"oldest version", func(s *Spec) { s.EngineVersion = "14" }, ""},
		{"newest version", func(s *Spec) { s.EngineVersion = "18" }, ""},
		{"a minor version", func(s *Spec) { s.EngineVersion = "17.6" },
			`engineVersion: want a major version in standard support (14, 15, 16, 17, 18), got "17.6"; choose one of them`},
		{"large class", func(s *Spec) { s.InstanceClass = "db.r6gd.16xlarge" }, ""},
		{"class of an instance", func(s *Spec) { s.InstanceClass = "t4g.micro" },
			`instanceClass: want db.<family>.<size> like db.t4g.micro, got "t4g.micro"`},
		{"no such size", func(s *Spec) { s.InstanceClass = "db.t4g.tiny" },
			`instanceClass: want db.<family>.<size> like db.t4g.micro, got "db.t4g.tiny"`},
		{"no such family", func(s *Spec) { s.InstanceClass = "db.zz9.large" },
			`instanceClass: want db.<family>.<size> like db.t4g.micro, got "db.zz9.large"`},
		{"retired class", func(s *Spec) { s.InstanceClass = "db.t2.micro" },
			"instanceClass: RDS makes no db.t2 instances any more, got db.t2.micro; choose a newer family like db.t4g.micro"},
		{"too little storage", func(s *Spec) { s.AllocatedStorage = 19 }, "allocatedStorage: want 20 to 65536 GiB, got 19"},
		{"least growth", func(s *Spec) { s.MaxAllocatedStorage = 22 }, ""},
		{"no growth", func(s *Spec) { s.MaxAllocatedStorage = 0 }, ""},
		{"too little growth", func(s *Spec) { s.MaxAllocatedStorage = 21 },
			"maxAllocatedStorage: 21 is less than 10 % above allocatedStorage 20; raise it to 22 or more, or set it to 0 to stop growth"},
		{"too much growth", func(s *Spec) { s.MaxAllocatedStorage = 70000 }, "maxAllocatedStorage: want at most 65536 GiB, got 70000"},
		{"out of order", func(s *Spec) { s.AllocatedStorage = 200 },
			"maxAllocatedStorage: 100 is less than 10 % above allocatedStorage 200; raise it to 220 or more, or set it to 0 to stop growth"},
		{"no backups", func(s *Spec) { s.BackupRetentionDays = 0 }, ""},
		{"longest backups", func(s *Spec) { s.BackupRetentionDays = 35 }, ""},
		{"too long backups", func(s *Spec) { s.BackupRetentionDays = 36 }, "backupRetentionDays: want 0 to 35, got 36"},
		{"short backup window", func(s *Spec) { s.BackupWindow = "07:00-07:29" },
			"backupWindow: 07:00-07:29 lasts 29 minutes, want 30 or more; move the end"},
		{"windows overlap", func(s *Spec) { s.MaintenanceWindow = "wed:07:29-wed:08:00" },
			"maintenanceWindow: wed:07:29-wed:08:00 overlaps backupWindow 07:00-07:30; move one of them"},
		{"windows touch", func(s *Spec) { s.MaintenanceWindow = "wed:07:30-wed:08:00" }, ""},
		{"ends of a window swapped", func(s *Spec) { s.MaintenanceWindow = "sun:08:30-sun:08:00" },
			"maintenanceWindow: sun:08:30-sun:08:00 overlaps backupWindow 07:00-07:30; move one of them"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Default()
			test.change(&spec)
			err := spec.Validate()
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	assert.EqualError(t, Spec{BackupRetentionDays: -1}.Validate(),
		`engineVersion: want a major version in standard support (14, 15, 16, 17, 18), got ""; choose one of them
instanceClass: want db.<family>.<size> like db.t4g.micro, got ""
allocatedStorage: want 20 to 65536 GiB, got 0
backupRetentionDays: want 0 to 35, got -1
backupWindow: want hh:mm-hh:mm in UTC like 07:00-07:30, got ""
maintenanceWindow: want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got ""`)
}

// RDS refuses growth of less than a tenth, however the numbers round.
func TestGrowth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Default()
		spec.AllocatedStorage = rapid.IntRange(leastStorage, mostStorage/2).Draw(t, "allocated")
		spec.MaxAllocatedStorage = spec.AllocatedStorage + spec.AllocatedStorage/10 + rapid.IntRange(-2, 2).Draw(t, "more")
		enough := 10*(spec.MaxAllocatedStorage-spec.AllocatedStorage) >= spec.AllocatedStorage
		assert.Equal(t, enough, spec.Validate() == nil)
	})
}
