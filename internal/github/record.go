package github

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// recordPrefix begins the variable that says what was written for a stack.
const recordPrefix = "BLUEGREEN_RECORD_"

// record is what was written for a stack: nothing else is ever deleted, and only
// by it does one know a secret again, which GitHub shows to nobody.
type record struct {
	Version int     `json:"version"`
	Entries []entry `json:"entries"`
}

// entry is one secret or variable that was written.
type entry struct {
	Name        string     `json:"name"`
	Kind        Kind       `json:"kind"`
	Level       Level      `json:"level"`
	Fingerprint string     `json:"fingerprint,omitempty"` // of a variable a plain sum; older records have none
	Written     *time.Time `json:"written,omitempty"`     // when, by GitHub's clock; of a secret
}

// overwritten tells whether a secret was written after the entry was.
func (e *entry) overwritten(written time.Time) bool {
	return e.Written != nil && written.Sub(*e.Written) > clockSlack
}

// holds tells whether a variable has the value that was written.
func (e *entry) holds(value string) bool {
	return e.Fingerprint == "" || e.Fingerprint == sum(value)
}

// sum is enough for a variable, whose value shows beside the record.
func sum(value string) string { return fmt.Sprintf("sha256$%x", sha256.Sum256([]byte(value))) }

func parseRecord(text string) (record, error) {
	if text == "" {
		return record{Version: 1}, nil
	}
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return record{}, fmt.Errorf("%w; delete it, and everything is written again", err)
	}
	if r.Version != 1 {
		return record{}, fmt.Errorf("version %d, want 1; use the bluegreen that wrote it, or a newer one", r.Version)
	}
	return r, nil
}

func (r *record) find(level Level, kind Kind, name string) *entry {
	at := slices.IndexFunc(r.Entries, func(e entry) bool { return e.Level == level && e.Kind == kind && e.Name == name })
	if at < 0 {
		return nil
	}
	return &r.Entries[at]
}

// put adds an entry, or takes the place of the one for the same thing.
func (r *record) put(e entry) {
	if old := r.find(e.Level, e.Kind, e.Name); old != nil {
		*old = e
		return
	}
	r.Entries = append(r.Entries, e)
}

func (r *record) drop(level Level, kind Kind, name string) {
	r.Entries = slices.DeleteFunc(r.Entries, func(e entry) bool { return e.Level == level && e.Kind == kind && e.Name == name })
}

// A fingerprint is argon2id's, with a salt of its own: whoever may read the
// variable can neither look a short secret up in a table, nor try many a second,
// nor see that two secrets are the same. Cost as in RFC 9106, second choice.
const (
	argonTime    = 3
	argonMemory  = 64 * 1024 // KiB
	argonThreads = 4
	saltLength   = 16
	sumLength    = 16
	argonName    = "argon2id"
)

// fingerprint is the fingerprint of a secret with a new salt.
func fingerprint(secret string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails (package crypto/rand)
	return mark(secret, salt)
}

func mark(secret string, salt []byte) string {
	sum := argon2.IDKey([]byte(secret), salt, argonTime, argonMemory, argonThreads, sumLength)
	return strings.Join([]string{argonName, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)}, "$")
}

// isOf tells whether a fingerprint is that of a secret.
func isOf(fingerprint, secret string) bool {
	fields := strings.Split(fingerprint, "$")
	if len(fields) != 3 || fields[0] != argonName {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[1])
	return err == nil && subtle.ConstantTimeCompare([]byte(mark(secret, salt)), []byte(fingerprint)) == 1
}
