package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// identifier is the inputs of RandomId.
type identifier struct {
	ByteLength int               `json:"byteLength"`
	Prefix     string            `json:"prefix"` // of every result
	Keepers    map[string]string `json:"keepers"`
}

func (i identifier) validate() error {
	if i.ByteLength < 1 {
		return fmt.Errorf("byteLength %d is less than 1", i.ByteLength)
	}
	return nil
}

func (i identifier) draw() (resource.ID, resource.PropertyMap, error) {
	drawn := make([]byte, i.ByteLength)
	if _, err := rand.Read(drawn); err != nil {
		return "", nil, fmt.Errorf("random source: %w", err)
	}
	url := base64.RawURLEncoding.EncodeToString(drawn)
	prefixed := func(s string) resource.PropertyValue { return resource.NewStringProperty(i.Prefix + s) }
	return resource.ID(url), resource.PropertyMap{
		"b64Url": prefixed(url),
		"b64Std": prefixed(base64.StdEncoding.EncodeToString(drawn)),
		"hex":    prefixed(hex.EncodeToString(drawn)),
		"dec":    prefixed(new(big.Int).SetBytes(drawn).String()),
	}, nil
}

// integer is the inputs of RandomInteger.
type integer struct {
	Min     int64             `json:"min"`
	Max     int64             `json:"max"` // inclusive
	Seed    *string           `json:"seed"`
	Keepers map[string]string `json:"keepers"`
}

func (i integer) validate() error {
	var errs []error
	if i.Max-i.Min+1 < 1 { // or so far apart that the difference overflows
		errs = append(errs, fmt.Errorf("no range from min %d to max %d; raise max or bring them nearer", i.Min, i.Max))
	}
	if i.Seed != nil {
		errs = append(errs, errors.New("seed: this stand-in of the random plugin has no repeatable numbers; leave it out or use the official plugin"))
	}
	return errors.Join(errs...)
}

func (i integer) draw() (resource.ID, resource.PropertyMap, error) {
	offset, err := below(i.Max - i.Min + 1)
	drawn := i.Min + offset
	return resource.ID(strconv.FormatInt(drawn, 10)), resource.PropertyMap{"result": resource.NewNumberProperty(float64(drawn))}, err
}

// uniqueID is the inputs of RandomUuid.
type uniqueID struct {
	Keepers map[string]string `json:"keepers"`
}

func (uniqueID) validate() error { return nil }

func (uniqueID) draw() (resource.ID, resource.PropertyMap, error) {
	drawn, err := uuid.NewRandom()
	return resource.ID(drawn.String()), resource.PropertyMap{"result": resource.NewStringProperty(drawn.String())}, err
}
