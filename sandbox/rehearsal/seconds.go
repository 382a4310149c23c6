package rehearsal

import (
	"math"
	"slices"
)

// Second is what happened to the requests that were sent in one second.
type Second struct {
	Requests  map[string]int // answers by release; "" is those that name none
	Failures  int
	P50, P99  float64 // seconds until the end of the answer
	latencies []float64
}

// percentile is the nearest-rank one of sorted values.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}

func (s Second) count() int {
	count := s.Failures
	for _, n := range s.Requests {
		count += n
	}
	return count
}

// columns joins seconds, so that there are not more than so many, and tells how
// many seconds a column is of.
func (t Timeline) columns(most int) (columns []Second, seconds int) {
	seconds = max(1, (len(t.Seconds)+most-1)/most)
	for together := range slices.Chunk(t.Seconds, seconds) {
		column := Second{Requests: map[string]int{}}
		for _, second := range together {
			for release, n := range second.Requests {
				column.Requests[release] += n
			}
			column.Failures += second.Failures
			column.latencies = append(column.latencies, second.latencies...)
		}
		slices.Sort(column.latencies)
		column.P50, column.P99 = percentile(column.latencies, 50), percentile(column.latencies, 99)
		columns = append(columns, column)
	}
	return columns, seconds
}

// Total is all of a timeline's requests.
func (t Timeline) Total() (requests, failures int, p50, p99 float64) {
	var all []float64
	for _, second := range t.Seconds {
		all = append(all, second.latencies...)
		failures += second.Failures
	}
	slices.Sort(all)
	return len(all), failures, percentile(all, 50), percentile(all, 99)
}
