package release

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDescription is how long a deployment's description may be (CodeDeploy API
// Reference, "CreateDeployment"; counted in bytes here, to be on the safe side).
const maxDescription = 256

// clip shortens a description to what CodeDeploy takes.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= maxDescription {
		return text
	}
	end := maxDescription - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// some names a few of many.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// bytesOf is a size for people.
func bytesOf(n int) string {
	const kib = 1 << 10
	switch {
	case n < kib:
		return fmt.Sprintf("%d bytes", n)
	case n < kib*kib:
		return fmt.Sprintf("%.1f KiB", float64(n)/kib)
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(kib*kib))
	}
}

// seconds is a time for people.
func seconds(n float64) string { return span(time.Duration(n * float64(time.Second))) }

func span(d time.Duration) string {
	exact := time.Second
	if d < 10*time.Second {
		exact = 100 * time.Millisecond
	}
	return max(d, 0).Round(exact).String()
}

// between is how long something took, or has taken so far.
func between(start, end *time.Time) time.Duration {
	switch {
	case start == nil:
		return 0
	case end == nil:
		return max(time.Since(*start), 0)
	default:
		return max(end.Sub(*start), 0)
	}
}

// unique sorts names and drops those that are there twice.
func unique(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
