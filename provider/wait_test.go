package provider

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOnlyTheSandboxIsAskedOften(t *testing.T) {
	set := func(variables map[string]string) Pace {
		return EnvironmentPace(func(name string) string { return variables[name] })
	}
	assert.Equal(t, Pace{Poll: 5 * time.Second, Start: 10 * time.Minute, Cleared: 30 * time.Minute}, set(nil), "as on AWS")
	assert.Equal(t, DefaultPace, set(map[string]string{FastWaits: ""}))
	fast := set(map[string]string{FastWaits: "true"})
	assert.Less(t, fast.Poll, time.Second)
	assert.Equal(t, DefaultPace.Start, fast.Start, "an emulator on a busy machine may take its time")
	assert.Equal(t, DefaultPace.Cleared, fast.Cleared)
	assert.Equal(t, 5*time.Second, DefaultPace.Poll, "nothing was changed for others")
}
