package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"
)

// text is the inputs of RandomString and RandomPassword.
type text struct {
	Length          int               `json:"length"`
	Upper           bool              `json:"upper"`
	Lower           bool              `json:"lower"`
	Numeric         bool              `json:"numeric"`
	Number          bool              `json:"number"` // same as numeric
	Special         bool              `json:"special"`
	OverrideSpecial string            `json:"overrideSpecial"` // the special characters, if not the usual ones
	MinUpper        int               `json:"minUpper"`
	MinLower        int               `json:"minLower"`
	MinNumeric      int               `json:"minNumeric"`
	MinSpecial      int               `json:"minSpecial"`
	Keepers         map[string]string `json:"keepers"`
}

var textDefaults = resource.PropertyMap{
	"upper":      resource.NewBoolProperty(true),
	"lower":      resource.NewBoolProperty(true),
	"numeric":    resource.NewBoolProperty(true),
	"number":     resource.NewBoolProperty(true),
	"special":    resource.NewBoolProperty(true),
	"minUpper":   resource.NewNumberProperty(0),
	"minLower":   resource.NewNumberProperty(0),
	"minNumeric": resource.NewNumberProperty(0),
	"minSpecial": resource.NewNumberProperty(0),
}

// class is a set of characters, and how many of them there must be.
type class struct {
	characters string
	allowed    bool
	minimum    int
}

func (t text) classes() []class {
	special := "!@#$%&*()-_=+[]{}<>:?"
	if t.OverrideSpecial != "" {
		special = t.OverrideSpecial
	}
	return []class{
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", t.Upper, t.MinUpper},
		{"abcdefghijklmnopqrstuvwxyz", t.Lower, t.MinLower},
		{"0123456789", t.Numeric, t.MinNumeric},
		{special, t.Special, t.MinSpecial},
	}
}

func (t text) validate() error {
	var errs []error
	minimum, allowed := 0, false
	for _, c := range t.classes() {
		if c.minimum < 0 {
			errs = append(errs, fmt.Errorf("a minimum is %d; it has to be 0 or more", c.minimum))
		}
		minimum += c.minimum
		allowed = allowed || c.allowed
	}
	if !allowed {
		errs = append(errs, errors.New("upper, lower, numeric and special are all false; set at least one"))
	}
	if t.Length < max(1, minimum) {
		errs = append(errs, fmt.Errorf("length %d is less than %d, the sum of minUpper, minLower, minNumeric and minSpecial or 1; raise it or lower those", t.Length, max(1, minimum)))
	}
	return errors.Join(errs...)
}

func (t text) draw() (resource.ID, resource.PropertyMap, error) {
	drawn, err := t.characters()
	return resource.ID(drawn), resource.PropertyMap{"result": resource.NewStringProperty(drawn)}, err
}

// characters draws the minimum of each class, fills up from all that are
// allowed, and shuffles.
func (t text) characters() (string, error) {
	var drawn, pool []rune
	for _, c := range t.classes() {
		if c.allowed {
			pool = append(pool, []rune(c.characters)...)
		}
		some, err := pick([]rune(c.characters), c.minimum)
		if err != nil {
			return "", err
		}
		drawn = append(drawn, some...)
	}
	rest, err := pick(pool, t.Length-len(drawn))
	if err != nil {
		return "", err
	}
	drawn = append(drawn, rest...)
	for i := len(drawn) - 1; i > 0; i-- {
		j, err := below(int64(i) + 1)
		if err != nil {
			return "", err
		}
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return string(drawn), nil
}

// pick draws count characters, each independently.
func pick(from []rune, count int) ([]rune, error) {
	drawn := make([]rune, count)
	for i := range drawn {
		at, err := below(int64(len(from)))
		if err != nil {
			return nil, err
		}
		drawn[i] = from[at]
	}
	return drawn, nil
}

// below draws evenly from 0 up to, not including, limit.
func below(limit int64) (int64, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(limit))
	if err != nil {
		return 0, fmt.Errorf("random source: %w", err)
	}
	return n.Int64(), nil
}

// password is a text that stays secret: its id does not tell it.
type password struct{ text }

func (p password) draw() (resource.ID, resource.PropertyMap, error) {
	drawn, err := p.characters()
	if err != nil {
		return "", nil, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(drawn)[:min(len(drawn), 72)], bcrypt.DefaultCost)
	return "none", resource.PropertyMap{
		"result":     resource.NewStringProperty(drawn),
		"bcryptHash": resource.NewStringProperty(string(hash)),
	}, err
}
