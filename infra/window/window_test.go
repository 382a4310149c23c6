package window

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// shortestWindow is that of RDS.
const shortestWindow = 30

func TestWindows(t *testing.T) {
	for _, test := range []struct {
		text string
		want Window
		err  string
	}{
		{"00:00-00:30", Window{0, 30}, ""},
		{"07:00-07:30", Window{420, 30}, ""},
		{"23:45-00:15", Window{1425, 30}, ""},
		{"07:30-07:00", Window{450, day - 30}, ""},
		{"07:00-07:00", Window{}, "07:00-07:00 lasts 0 minutes, want 30 or more; move the end"},
		{"7:00-7:30", Window{}, `want hh:mm-hh:mm in UTC like 07:00-07:30, got "7:00-7:30"`},
		{"07:00-24:00", Window{}, `want hh:mm-hh:mm in UTC like 07:00-07:30, got "07:00-24:00"`},
		{"07:00-07:60", Window{}, `want hh:mm-hh:mm in UTC like 07:00-07:30, got "07:00-07:60"`},
		{"07:00-07:30 ", Window{}, `want hh:mm-hh:mm in UTC like 07:00-07:30, got "07:00-07:30 "`},
		{"sun:07:00-sun:07:30", Window{}, `want hh:mm-hh:mm in UTC like 07:00-07:30, got "sun:07:00-sun:07:30"`},
	} {
		t.Run("daily "+test.text, func(t *testing.T) { compare(t, ParseDaily, test.text, test.want, test.err) })
	}
	for _, test := range []struct {
		text string
		want Window
		err  string
	}{
		{"sun:00:00-sun:00:30", Window{0, 30}, ""},
		{"mon:08:00-mon:08:30", Window{day + 480, 30}, ""},
		{"tue:23:00-wed:01:00", Window{2*day + 1380, 120}, ""},
		{"sat:23:45-sun:00:15", Window{week - 15, 30}, ""},
		{"sun:08:00-sun:08:29", Window{}, "sun:08:00-sun:08:29 lasts 29 minutes, want 30 or more; move the end"},
		{"Sun:08:00-Sun:08:30", Window{}, `want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got "Sun:08:00-Sun:08:30"`},
		{"sun:08:00-08:30", Window{}, `want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got "sun:08:00-08:30"`},
		{"07:00-07:30", Window{}, `want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got "07:00-07:30"`},
	} {
		t.Run("weekly "+test.text, func(t *testing.T) { compare(t, ParseWeekly, test.text, test.want, test.err) })
	}
}

func compare(t *testing.T, parse func(string, int) (Window, error), text string, want Window, problem string) {
	t.Helper()
	got, err := parse(text, shortestWindow)
	if problem != "" {
		require.EqualError(t, err, problem)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func hhmm(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func (w Window) daily() string { return hhmm(w.start) + "-" + hhmm(wrap(w.start+w.length, day)) }

func (w Window) weekly() string {
	end := wrap(w.start+w.length, week)
	return weekdays[w.start/day] + ":" + hhmm(w.start%day) + "-" + weekdays[end/day] + ":" + hhmm(end%day)
}

func anyWindow(t *rapid.T, label string, circle int) Window {
	return Window{rapid.IntRange(0, circle-1).Draw(t, label+" start"), rapid.IntRange(shortestWindow, circle-1).Draw(t, label+" length")}
}

// covers marks the minutes of the week that a window holds.
func covers(w Window, circle int) (minutes [week]bool) {
	for first := 0; first < week; first += circle {
		for i := range w.length {
			minutes[wrap(first+w.start+i, week)] = true
		}
	}
	return minutes
}

// Two windows overlap if and only if there is a minute in both, around
// midnight and around the end of the week too.
func TestOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily, weekly := anyWindow(t, "daily", day), anyWindow(t, "weekly", week)
		days, weeks := covers(daily, day), covers(weekly, week)
		shared := false
		for minute := range week {
			shared = shared || days[minute] && weeks[minute]
		}
		assert.Equal(t, shared, Overlap(daily, weekly), "%s and %s", daily.daily(), weekly.weekly())
	})
}

func TestWindowsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily, weekly := anyWindow(t, "daily", day), anyWindow(t, "weekly", week)
		got, err := ParseDaily(daily.daily(), shortestWindow)
		require.NoError(t, err)
		assert.Equal(t, daily, got)
		got, err = ParseWeekly(weekly.weekly(), shortestWindow)
		require.NoError(t, err)
		assert.Equal(t, weekly, got)
	})
}

// What is accepted is what RDS reads, letter for letter.
func FuzzWindow(f *testing.F) {
	for _, text := range []string{"07:00-07:30", "23:45-00:15", "sun:08:00-sun:08:30", "sat:23:45-sun:00:15", "", "-", ":", "sun", "sun:-sun:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if w, err := ParseDaily(text, shortestWindow); err == nil {
			assert.Equal(t, text, w.daily())
		}
		if w, err := ParseWeekly(text, shortestWindow); err == nil {
			assert.Equal(t, text, w.weekly())
		}
	})
}
