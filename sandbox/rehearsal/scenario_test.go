package rehearsal

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRehearsalWhereAllGoesWell(t *testing.T) {
	report, err := performed(t, newTheatre(t))
	require.NoError(t, err)
	require.True(t, report.Passed, "%+v", report.Steps)
	assert.Len(t, report.Steps, 13)
	assert.Greater(t, report.Requests, 50)
	assert.Zero(t, report.Failed)
	file, err := os.Open(report.Recording)
	require.NoError(t, err)
	defer file.Close()
	entries, err := ReadRecord(file)
	require.NoError(t, err)
	requests, _, _, _ := NewTimeline(entries).Total()
	assert.Equal(t, report.Requests, requests, "the file has what the report counts")
	picture, err := os.ReadFile(report.Picture)
	require.NoError(t, err)
	assert.Contains(t, string(picture), "none failed")
	var text bytes.Buffer
	report.Report(&text)
	assert.Contains(t, text.String(), "Passed: no request failed")
}

// Each of these is a rehearsal that must not pass.
func TestRehearsalsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		upset func(*theatre)
		says  string
	}{
		"a request fails": {func(s *theatre) { s.failNth = 40 }, ": status 502, want "},
		"a note is lost":  {func(s *theatre) { s.loseNotes = true }, "are not in the database"},
		"a failed release leaves its group behind": {func(s *theatre) { s.leaveGroup = true }, "is left, with 1 instances"},
		"the faulty version is released":           {func(s *theatre) { s.faultyWorks = true }, "want it rolled back, got deployment d-4: succeeded"},
		"visitors see a release without traffic":   {func(s *theatre) { s.wrongPage = true }, "visitors saw release d-STRANGER, which never got traffic"},
		"pulumi would change something":            {func(s *theatre) { s.changes = 2 }, "want no changes, got 2"},
		"the platform has one machine":             {func(s *theatre) { s.members = []string{"i-1"} }, "want at least 2 instances, got 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTheatre(t)
			test.upset(s)
			report, _ := performed(t, s)
			assert.False(t, report.Passed)
			var text bytes.Buffer
			report.Report(&text)
			assert.Contains(t, text.String(), test.says)
			assert.Contains(t, text.String(), "FAILED: ")
		})
	}
}

func TestInterruptedRehearsalIsClosed(t *testing.T) {
	s := newTheatre(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	report, err := Perform(ctx, Options{Stage: s, Folder: t.TempDir(), Rate: 10, Versions: reference(), Patience: time.Millisecond, Calm: time.Hour})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.False(t, report.Passed)
	assert.True(t, s.closed)
}

func TestRequestsOfTheCommandLine(t *testing.T) {
	request, err := ParseRequest("GET /path?x=1 404")
	require.NoError(t, err)
	assert.Equal(t, Request{Method: "GET", Path: "/path?x=1", Status: 404, Weight: 1}, request)
	release, failure := request.judge(404, nil, "")
	assert.Empty(t, release+failure, "what is asked for is right")
	_, failure = request.judge(200, nil, "")
	assert.Equal(t, "status 200, want 404", failure)
	_, failure = request.judge(0, nil, "connection refused")
	assert.Equal(t, "connection refused", failure)
	any, err := ParseRequest("GET /")
	require.NoError(t, err)
	_, failure = any.judge(404, nil, "")
	assert.Empty(t, failure)
	_, failure = any.judge(500, nil, "")
	assert.Equal(t, "status 500, want less than 500", failure)
	for _, text := range []string{"", "GET", "get /", "GET path", "GET / 99", "GET / ok", "GET / 200 200"} {
		_, err := ParseRequest(text)
		assert.Error(t, err, text)
	}
}
