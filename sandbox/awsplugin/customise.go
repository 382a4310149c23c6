package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// properties.json has, for resources and functions, by Terraform name and dotted
// property path, what the SDK has otherwise than the bridge's default.
//
//go:embed properties.json
var propertyTable []byte

// property is one difference; zero fields keep the default.
type property struct {
	Name string      `json:"name"` // the SDK's name
	One  *bool       `json:"one"`  // single object or list of one
	Type tokens.Type `json:"type"` // the SDK's scalar type
}

// customise applies the tables to info, which has every token already.
func customise(info tfbridge.ProviderInfo) error {
	var table struct {
		Resources, Functions map[string]map[string]property
	}
	if err := json.Unmarshal(propertyTable, &table); err != nil {
		return fmt.Errorf("property table: %w", err)
	}
	for name, properties := range table.Resources {
		for path, p := range properties {
			p.apply(info.Resources[name].Fields, path)
		}
	}
	for name, properties := range table.Functions {
		for path, p := range properties {
			p.apply(info.DataSources[name].Fields, path)
		}
	}
	for name, fields := range autoNames() {
		for field, schema := range fields {
			info.Resources[name].Fields[field] = schema
		}
	}
	for name, field := range described {
		schema(info.Resources[name].Fields, field).Default = &tfbridge.DefaultInfo{Value: "Managed by Pulumi"}
	}
	for name, field := range documents {
		schema(info.Resources[name].Fields, field).Transform = tfbridge.TransformJSONDocument
	}
	for _, name := range deletedFirst {
		info.Resources[name].DeleteBeforeReplace = true
	}
	return nil
}

// apply sets p at path. Below a list, set or object the bridge wants the fields
// of its element.
func (p property) apply(fields map[string]*tfbridge.SchemaInfo, path string) {
	parent, rest, nested := strings.Cut(path, ".")
	at := schema(fields, parent)
	if !nested {
		at.Name, at.MaxItemsOne, at.Type = p.Name, p.One, p.Type
		return
	}
	if at.Elem == nil {
		at.Elem = &tfbridge.SchemaInfo{}
	}
	if at.Elem.Fields == nil {
		at.Elem.Fields = map[string]*tfbridge.SchemaInfo{}
	}
	p.apply(at.Elem.Fields, rest)
}

// schema is the entry of field, made when it is missing.
func schema(fields map[string]*tfbridge.SchemaInfo, field string) *tfbridge.SchemaInfo {
	if fields[field] == nil {
		fields[field] = &tfbridge.SchemaInfo{}
	}
	return fields[field]
}
