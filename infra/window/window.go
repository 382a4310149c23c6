// Package window reads the times that AWS may work in: daily and weekly
// windows, as RDS and ElastiCache write them. It is pure.
package window

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A day and a week, in minutes.
const (
	day  = 24 * 60
	week = 7 * day
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Window is a time in UTC that comes back: each day, or each week, which begins
// on Sunday. Both are circles: a window may run over midnight or the week's end.
type Window struct{ start, length int } // minutes

// Minutes is how long the window lasts.
func (w Window) Minutes() int { return w.length }

// ParseDaily reads hh:mm-hh:mm, which must last shortest minutes or more.
func ParseDaily(text string, shortest int) (Window, error) {
	from, to, _ := strings.Cut(text, "-")
	start, ok := clock(from)
	end, okToo := clock(to)
	if !ok || !okToo {
		return Window{}, fmt.Errorf("want hh:mm-hh:mm in UTC like 07:00-07:30, got %q", text)
	}
	return newWindow(text, start, end, day, shortest)
}

// ParseWeekly reads ddd:hh:mm-ddd:hh:mm, which must last shortest minutes or
// more.
func ParseWeekly(text string, shortest int) (Window, error) {
	from, to, _ := strings.Cut(text, "-")
	start, ok := moment(from)
	end, okToo := moment(to)
	if !ok || !okToo {
		return Window{}, fmt.Errorf("want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got %q", text)
	}
	return newWindow(text, start, end, week, shortest)
}

func newWindow(text string, start, end, circle, shortest int) (Window, error) {
	w := Window{start, wrap(end-start, circle)}
	if w.length < shortest {
		return Window{}, fmt.Errorf("%s lasts %d minutes, want %d or more; move the end", text, w.length, shortest)
	}
	return w, nil
}

// clock reads hh:mm as minutes from midnight.
func clock(text string) (int, bool) {
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// moment reads ddd:hh:mm as minutes from the midnight that begins Sunday.
func moment(text string) (int, bool) {
	name, rest, _ := strings.Cut(text, ":")
	weekday := slices.Index(weekdays, name)
	minute, ok := clock(rest)
	return weekday*day + minute, ok && weekday >= 0
}

// Overlap is whether a daily window shares a minute with a weekly one. Windows
// that only touch do not.
func Overlap(daily, weekly Window) bool {
	for weekday := range weekdays {
		start := weekday*day + daily.start
		if wrap(start-weekly.start, week) < weekly.length || wrap(weekly.start-start, week) < daily.length {
			return true
		}
	}
	return false
}

// wrap is minutes on a circle, never negative.
func wrap(minutes, circle int) int { return (minutes%circle + circle) % circle }
