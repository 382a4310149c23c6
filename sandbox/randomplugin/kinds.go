package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// source is a resource's inputs, which know how to draw its results.
type source interface {
	validate() error
	draw() (id resource.ID, results resource.PropertyMap, err error)
}

// kind is a resource type.
type kind struct {
	defaults resource.PropertyMap   // of inputs that a program may leave out
	results  []resource.PropertyKey // outputs that are drawn
	secret   bool                   // whether the results are secret
	parse    func(resource.PropertyMap) (source, error)
}

var kinds = map[tokens.Type]kind{
	"random:index/randomPassword:RandomPassword": {
		defaults: textDefaults, results: []resource.PropertyKey{"result", "bcryptHash"}, secret: true, parse: parse[password],
	},
	"random:index/randomString:RandomString": {
		defaults: textDefaults, results: []resource.PropertyKey{"result"}, parse: parse[text],
	},
	"random:index/randomId:RandomId": {
		results: []resource.PropertyKey{"b64Std", "b64Url", "dec", "hex"}, parse: parse[identifier],
	},
	"random:index/randomInteger:RandomInteger": {
		results: []resource.PropertyKey{"result"}, parse: parse[integer],
	},
	"random:index/randomUuid:RandomUuid": {
		results: []resource.PropertyKey{"result"}, parse: parse[uniqueID],
	},
}

func kindOf(token tokens.Type) (kind, error) {
	k, ok := kinds[token]
	if !ok {
		known := make([]string, 0, len(kinds))
		for t := range maps.Keys(kinds) {
			known = append(known, string(t.Name()))
		}
		slices.Sort(known)
		return kind{}, fmt.Errorf("%s: this stand-in of the random plugin has only %s; use one of them, or the official plugin", token, strings.Join(known, ", "))
	}
	return k, nil
}

// complete is inputs and the defaults of what they leave out.
func (k kind) complete(inputs resource.PropertyMap) resource.PropertyMap {
	all := resource.PropertyMap{}
	maps.Copy(all, k.defaults)
	maps.Copy(all, inputs)
	if _, named := k.defaults["number"]; named { // the older name of numeric
		_, older := inputs["number"]
		_, newer := inputs["numeric"]
		if older && !newer {
			all["numeric"] = inputs["number"]
		}
		all["number"] = all["numeric"]
	}
	return all
}

// seal makes a result secret where the kind's results are.
func (k kind) seal(value resource.PropertyValue) resource.PropertyValue {
	if k.secret && !value.IsSecret() {
		return resource.MakeSecret(value)
	}
	return value
}

// parse reads inputs into T and validates them.
func parse[T source](inputs resource.PropertyMap) (source, error) {
	var parsed T
	raw, err := json.Marshal(inputs.Mappable())
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return parsed, parsed.validate()
}
