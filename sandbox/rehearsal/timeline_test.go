package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bluegreen/internal/release"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// invented is a recording of two releases, the second of which fails, and of one
// request in it that does.
func invented() []Entry {
	began := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var entries []Entry
	at := func(second float64, e Entry) {
		e.Time = began.Add(time.Duration(second * float64(time.Second)))
		entries = append(entries, e)
	}
	step := func(number int, short string, from, to float64, problems ...string) {
		at(from, Entry{Step: &Step{Number: number, Title: "The step of " + short, Short: short}})
		at(to, Entry{Step: &Step{Number: number, Title: "The step of " + short, Short: short, Ended: true, Problems: problems}})
	}
	machine := func(second float64, instance, fleet, state string) {
		at(second, Entry{Machine: &Machine{instance, fleet, state}})
	}
	target := func(second float64, instance, health string) {
		at(second, Entry{Target: &Target{instance, health}})
	}
	step(1, "up", 0, 10)
	step(2, "first release", 10, 30)
	step(3, "fails in ValidateService", 34, 60, "a problem that was invented")
	at(11, Entry{Named: &Named{Release: "d-ONE", Title: "version 1"}})
	at(35, Entry{Named: &Named{Release: "d-TWO", Title: "version 2"}})
	at(65, Entry{Named: &Named{Release: "d-LAUNCH", As: "d-ONE"}})
	for i, life := range []struct {
		fleet       string
		from, to    float64
		serves, end float64
	}{{"bootstrap", 3, 30, 0, 0}, {"CodeDeploy_group_d-ONE", 12, 70, 20, 70}, {"CodeDeploy_group_d-ONE", 12, 70, 21, 65}, {"CodeDeploy_group_d-TWO", 36, 58, 0, 0}} {
		instance := fmt.Sprintf("i-%d", i)
		machine(life.from, instance, life.fleet, Booting)
		machine(life.from+3, instance, life.fleet, Ready)
		if life.serves > 0 {
			target(life.serves, instance, "initial")
			target(life.serves+1, instance, "healthy")
			target(life.end-2, instance, "draining")
			target(life.end, instance, "")
		}
		machine(life.to, instance, life.fleet, map[bool]string{true: Killed, false: Gone}[i == 2])
	}
	for i, event := range []string{"BeforeInstall", "AfterInstall", "ApplicationStart"} {
		at(14+float64(i), Entry{Release: &release.Event{Kind: release.KindLifecycle, Lifecycle: event, Status: "Succeeded", Instances: []string{"i-1", "i-2"}}})
		at(40+float64(i), Entry{Release: &release.Event{Kind: release.KindLifecycle, Lifecycle: event, Status: "Succeeded", Instances: []string{"i-3"}}})
	}
	at(50, Entry{Release: &release.Event{Kind: release.KindLifecycle, Lifecycle: "ValidateService", Status: "Failed", Instances: []string{"i-3"}}})
	for n := range 36 * 10 {
		second := 30 + float64(n)/10
		a := Answer{Request: "GET /", Status: 200, Seconds: 0.02 + float64(n%10)/400, Release: "d-ONE"}
		switch {
		case n%7 == 6:
			a.Release = "d-LAUNCH"
		case n%5 == 4:
			a.Request, a.Release = "GET /static/site.css", ""
		case n == 210:
			a.Status, a.Release, a.Failure, a.Seconds = 502, "", "status 502, want 200", 3
		}
		at(second, Entry{Answer: &a})
	}
	return entries
}

func TestPictureAndTextOfARecording(t *testing.T) {
	recording := filepath.Join("testdata", "recording.jsonl")
	var lines bytes.Buffer
	for _, e := range invented() {
		require.NoError(t, json.NewEncoder(&lines).Encode(e))
	}
	golden(t, recording, lines.Bytes())
	file, err := os.Open(recording)
	require.NoError(t, err)
	defer file.Close()
	entries, err := ReadRecord(file)
	require.NoError(t, err)
	timeline := NewTimeline(entries)
	var picture, text bytes.Buffer
	require.NoError(t, timeline.WriteSVG(&picture))
	timeline.WriteText(&text)
	golden(t, filepath.Join("testdata", "timeline.svg"), picture.Bytes())
	golden(t, filepath.Join("testdata", "timeline.txt"), text.Bytes())
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run make golden when this is meant")
}
