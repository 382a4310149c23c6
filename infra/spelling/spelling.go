// Package spelling finds the word that somebody has probably meant.
package spelling

import "github.com/agext/levenshtein"

// mostMistakes is how many letters may be wrong in a long word. Names that
// share a beginning, such as MAILGUN_DOMAIN and MAILGUN_SENDER, are further
// from each other.
const mostMistakes = 3

// Nearest is the known word that differs from word by the fewest letters, and
// "" when each differs by more than three or by more than a third of the word.
// Two letters that have changed places count as two.
func Nearest(word string, known []string) (best string) {
	least := min(mostMistakes, (len(word)+2)/3) + 1
	for _, candidate := range known {
		if distance := levenshtein.Distance(word, candidate, nil); distance < least {
			best, least = candidate, distance
		}
	}
	return best
}
