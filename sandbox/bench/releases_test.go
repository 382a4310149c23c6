package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStagesOfARelease(t *testing.T) {
	events := `{"time":"2026-01-02T03:04:00Z","kind":"bundle"}
{"time":"2026-01-02T03:04:01Z","kind":"upload"}
{"time":"2026-01-02T03:04:02Z","kind":"deployment","status":"Created"}
{"time":"2026-01-02T03:04:03Z","kind":"lifecycle","lifecycle":"AllowTraffic"}
{"time":"2026-01-02T03:04:05Z","kind":"result","status":"succeeded"}
`
	ends, err := split(bytes.NewBufferString(events))
	require.NoError(t, err)
	start := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	assert.Equal(t, []time.Time{start.Add(time.Second), start.Add(3 * time.Second), start.Add(5 * time.Second)}, ends[:])

	_, err = split(bytes.NewBufferString(`{"time":"2026-01-02T03:04:05Z","kind":"result"}` + "\n"))
	require.EqualError(t, err, "no event tells of the end of stage bundle and upload")
	_, err = split(bytes.NewBufferString("not JSON\n"))
	require.ErrorContains(t, err, "not JSON")
}

func TestMedianOfEachColumn(t *testing.T) {
	got := median([]usage{{wall: 3, cpu: 1, peak: 20}, {wall: 1, cpu: 9, peak: 10}, {wall: 2, cpu: 5, peak: 90}})
	assert.Equal(t, usage{wall: 2, cpu: 5, peak: 20}, got)
}
