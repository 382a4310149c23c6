package database

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

// shortestWindow is the least RDS takes, in minutes (Amazon RDS API Reference,
// "CreateDBInstance").
const shortestWindow = 30

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// window is a time that comes back: each day, or each week, which begins on
// Sunday. Both are circles: a window may run over midnight or the week's end.
type window struct{ start, length int } // minutes in UTC

// parseDaily reads hh:mm-hh:mm.
func parseDaily(text string) (window, error) {
	from, to, _ := strings.Cut(text, "-")
	start, ok := clock(from)
	end, okToo := clock(to)
	if !ok || !okToo {
		return window{}, fmt.Errorf("want hh:mm-hh:mm in UTC like 07:00-07:30, got %q", text)
	}
	return newWindow(text, start, end, day)
}

// parseWeekly reads ddd:hh:mm-ddd:hh:mm.
func parseWeekly(text string) (window, error) {
	from, to, _ := strings.Cut(text, "-")
	start, ok := moment(from)
	end, okToo := moment(to)
	if !ok || !okToo {
		return window{}, fmt.Errorf("want ddd:hh:mm-ddd:hh:mm in UTC like sun:08:00-sun:08:30, got %q", text)
	}
	return newWindow(text, start, end, week)
}

func newWindow(text string, start, end, circle int) (window, error) {
	w := window{start, wrap(end-start, circle)}
	if w.length < shortestWindow {
		return window{}, fmt.Errorf("%s lasts %d minutes, RDS wants %d or more; move the end", text, w.length, shortestWindow)
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

// overlap is whether a daily window shares a minute with a weekly one. Windows
// that only touch do not.
func overlap(daily, weekly window) bool {
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
