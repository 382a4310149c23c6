package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

// count is how many characters of s are in set.
func count(s, set string) int {
	n := 0
	for _, r := range s {
		if strings.ContainsRune(set, r) {
			n++
		}
	}
	return n
}

func TestTextKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.IntRange(0, 5)
		want := text{
			Upper: rapid.Bool().Draw(t, "upper"), Lower: rapid.Bool().Draw(t, "lower"),
			Numeric: rapid.Bool().Draw(t, "numeric"), Special: rapid.Bool().Draw(t, "special"),
			MinUpper: small.Draw(t, "minUpper"), MinLower: small.Draw(t, "minLower"),
			MinNumeric: small.Draw(t, "minNumeric"), MinSpecial: small.Draw(t, "minSpecial"),
			OverrideSpecial: rapid.SampledFrom([]string{"", "-_", "~"}).Draw(t, "overrideSpecial"),
			Length:          rapid.IntRange(0, 40).Draw(t, "length"),
		}
		if want.validate() != nil {
			t.Skip("not valid inputs")
		}
		drawn, err := want.characters()
		if err != nil {
			t.Fatal(err)
		}
		if len(drawn) != want.Length {
			t.Fatalf("%q has %d characters, want %d", drawn, len(drawn), want.Length)
		}
		all := 0
		for _, c := range want.classes() {
			n := count(drawn, c.characters)
			all += n
			if n < c.minimum || !c.allowed && n > c.minimum {
				t.Fatalf("%q has %d of %q, want at least %d, and no more unless allowed (%v)", drawn, n, c.characters, c.minimum, c.allowed)
			}
		}
		if all != want.Length {
			t.Fatalf("%q has characters of no class", drawn)
		}
	})
}

// TestTextIsEven would fail once in more than a thousand million runs: a count's
// standard deviation is about 31.
func TestTextIsEven(t *testing.T) {
	drawn, err := text{Length: 26_000, Lower: true}.characters()
	require.NoError(t, err)
	for letter := 'a'; letter <= 'z'; letter++ {
		assert.InDelta(t, 1000, strings.Count(drawn, string(letter)), 200, string(letter))
	}
}

// TestTextIsShuffled would fail once in 2^99 runs.
func TestTextIsShuffled(t *testing.T) {
	first := map[bool]bool{}
	for range 100 {
		drawn, err := text{Length: 2, Upper: true, Lower: true, MinUpper: 1, MinLower: 1}.characters()
		require.NoError(t, err)
		first[drawn[0] >= 'a'] = true
	}
	assert.Len(t, first, 2, "the classes come in both orders")
}

func TestTextValidates(t *testing.T) {
	for want, wrong := range map[string]text{
		"length 0 is less than 1": {Lower: true},
		"length 3 is less than 4": {Length: 3, Lower: true, MinLower: 2, MinSpecial: 2},
		"are all false":           {Length: 8},
		"a minimum is -1":         {Length: 8, Lower: true, MinUpper: -1},
	} {
		assert.ErrorContains(t, wrong.validate(), want)
	}
}

func TestPasswordHash(t *testing.T) {
	for _, length := range []int{8, 72, 100} {
		id, results, err := password{text{Length: length, Lower: true}}.draw()
		require.NoError(t, err)
		assert.EqualValues(t, "none", id)
		drawn := results["result"].StringValue()
		hash := []byte(results["bcryptHash"].StringValue())
		assert.NoError(t, bcrypt.CompareHashAndPassword(hash, []byte(drawn[:min(length, 72)])))
	}
}
