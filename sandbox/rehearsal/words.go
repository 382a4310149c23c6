package rehearsal

import (
	"fmt"
	"math"
	"strconv"
)

// grouped writes 12345 as 12,345.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// failed says how many requests have failed.
func failed(count int) string {
	if count == 0 {
		return "none failed"
	}
	return grouped(count) + " FAILED"
}

// clock writes seconds as 2:05.
func clock(seconds float64) string {
	whole := int(math.Round(seconds))
	return fmt.Sprintf("%d:%02d", whole/60, whole%60)
}

// minutes writes seconds as "2 min 5 s".
func minutes(seconds float64) string {
	whole := int(math.Round(seconds))
	if whole < 60 {
		return fmt.Sprintf("%d s", whole)
	}
	return fmt.Sprintf("%d min %d s", whole/60, whole%60)
}

// milliseconds writes seconds as "12 ms" or "1.5 s".
func milliseconds(seconds float64) string {
	if seconds < 0.9995 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return strconv.FormatFloat(seconds, 'g', 2, 64) + " s"
}
