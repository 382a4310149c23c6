package cache

import (
	"fmt"
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
		{"redis", func(s *Spec) { s.Engine, s.EngineVersion = Redis, "7.1" }, ""},
		{"version of the other engine", func(s *Spec) { s.Engine = Redis },
			`engineVersion: want a version of redis (6.2, 7.0, 7.1), got "8.0"; choose one of them and write it in quotes`},
		{"another engine", func(s *Spec) { s.Engine = "memcached" }, `engine: want valkey or redis, got "memcached"`},
		{"large node", func(s *Spec) { s.NodeType = "cache.r7g.16xlarge" }, ""},
		{"class of a database", func(s *Spec) { s.NodeType = "db.t4g.micro" },
			`nodeType: want cache.<family>.<size> like cache.t4g.micro, got "db.t4g.micro"`},
		{"no such family", func(s *Spec) { s.NodeType = "cache.zz9.large" },
			`nodeType: want cache.<family>.<size> like cache.t4g.micro, got "cache.zz9.large"`},
		{"retired node", func(s *Spec) { s.NodeType = "cache.t1.micro" },
			"nodeType: ElastiCache makes no cache.t1 nodes any more, got cache.t1.micro; choose a newer family like cache.t4g.micro"},
		{"most nodes", func(s *Spec) { s.Nodes = 6 }, ""},
		{"too many nodes", func(s *Spec) { s.Nodes = 7 }, "nodes: want 1 to 6, got 7"},
		{"no snapshots", func(s *Spec) { s.SnapshotRetentionDays = 0 }, ""},
		{"too long snapshots", func(s *Spec) { s.SnapshotRetentionDays = 36 }, "snapshotRetentionDays: want 0 to 35, got 36"},
		{"window over the week's end", func(s *Spec) { s.MaintenanceWindow = "sat:23:30-sun:00:30" }, ""},
		{"short window", func(s *Spec) { s.MaintenanceWindow = "sun:09:00-sun:09:59" },
			"maintenanceWindow: sun:09:00-sun:09:59 lasts 59 minutes, want 60 or more; move the end"},
		{"ends of a window swapped", func(s *Spec) { s.MaintenanceWindow = "sun:10:00-sun:09:00" },
			"maintenanceWindow: sun:10:00-sun:09:00 lasts 10020 minutes, want at most 1440; move an end"},
		{"window without a day", func(s *Spec) { s.MaintenanceWindow = "09:00-10:00" },
			`maintenanceWindow: want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got "09:00-10:00"`},
		{"everything at once", func(s *Spec) { *s = Spec{SnapshotRetentionDays: -1} }, `engine: want valkey or redis, got ""
nodeType: want cache.<family>.<size> like cache.t4g.micro, got ""
nodes: want 1 to 6, got 0
snapshotRetentionDays: want 0 to 35, got -1
maintenanceWindow: want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got ""`},
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

// A window is judged by its length alone, wherever in the week it lies.
func TestWindowLength(t *testing.T) {
	const day, week = 24 * 60, 7 * 24 * 60
	weekdays := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	write := func(minute int) string {
		minute %= week
		return fmt.Sprintf("%s:%02d:%02d", weekdays[minute/day], minute%day/60, minute%60)
	}
	rapid.Check(t, func(t *rapid.T) {
		start, length := rapid.IntRange(0, week-1).Draw(t, "start"), rapid.IntRange(0, week-1).Draw(t, "length")
		text := write(start) + "-" + write(start+length)
		assert.Equal(t, length >= 60 && length <= 1440, checkWindow(text) == nil, text)
	})
}

func FuzzWindow(f *testing.F) {
	for _, text := range []string{"sun:09:00-sun:10:00", "sat:23:30-sun:00:30", "", "-", "sun:-sun:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkWindow(text) == nil {
			assert.Regexp(t, `^[a-z]{3}:[0-2][0-9]:[0-5][0-9]-[a-z]{3}:[0-2][0-9]:[0-5][0-9]$`, text)
		}
	})
}
