package main

import (
	"reflect"
	"regexp"
	"testing"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	passwordToken = "random:index/randomPassword:RandomPassword" // #nosec G101 -- a type's name
	stringToken   = "random:index/randomString:RandomString"
	idToken       = "random:index/randomId:RandomId"
	integerToken  = "random:index/randomInteger:RandomInteger"
	uuidToken     = "random:index/randomUuid:RandomUuid"
)

// properties makes a property map of plain values.
func properties(plain map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(plain)
}

func urn(token tokens.Type) resource.URN {
	return resource.NewURN("stack", "project", "", token, "it")
}

func create(t *testing.T, token tokens.Type, inputs map[string]any) plugin.CreateResponse {
	t.Helper()
	made, err := (&provider{}).Create(t.Context(), plugin.CreateRequest{URN: urn(token), Type: token, Properties: properties(inputs)})
	require.NoError(t, err)
	return made
}

func TestCreate(t *testing.T) {
	made := create(t, idToken, map[string]any{"byteLength": 4, "prefix": "p-"})
	for key, form := range map[resource.PropertyKey]string{
		"hex": `^p-[0-9a-f]{8}$`, "dec": `^p-[0-9]+$`, "b64Url": `^p-[\w-]{6}$`, "b64Std": `^p-[\w+/]{6}==$`,
	} {
		assert.Regexp(t, regexp.MustCompile(form), made.Properties[key].StringValue())
	}
	assert.Equal(t, "p-"+string(made.ID), made.Properties["b64Url"].StringValue())

	seen := map[float64]bool{}
	for range 500 {
		seen[create(t, integerToken, map[string]any{"min": -1, "max": 1}).Properties["result"].NumberValue()] = true
	}
	assert.Equal(t, map[float64]bool{-1: true, 0: true, 1: true}, seen)

	made = create(t, uuidToken, nil)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, made.Properties["result"].StringValue())
	assert.Equal(t, string(made.ID), made.Properties["result"].StringValue())

	made = create(t, stringToken, map[string]any{"length": 9, "special": false, "keepers": map[string]any{"a": "1"}})
	assert.Len(t, made.Properties["result"].StringValue(), 9)
	assert.Equal(t, properties(map[string]any{
		"length": 9.0, "special": false, "keepers": map[string]any{"a": "1"}, "result": string(made.ID),
		"upper": true, "lower": true, "numeric": true, "number": true,
		"minUpper": 0.0, "minLower": 0.0, "minNumeric": 0.0, "minSpecial": 0.0,
	}), made.Properties)
}

// TestNames compares outputs with the SDK, which reads them by these names.
func TestNames(t *testing.T) {
	for token, c := range map[tokens.Type]struct {
		sdk    any
		inputs map[string]any
	}{
		passwordToken: {random.RandomPassword{}, map[string]any{"length": 8, "keepers": map[string]any{}, "overrideSpecial": "-"}},
		stringToken:   {random.RandomString{}, map[string]any{"length": 8, "keepers": map[string]any{}, "overrideSpecial": "-"}},
		idToken:       {random.RandomId{}, map[string]any{"byteLength": 2, "keepers": map[string]any{}, "prefix": "-"}},
		uuidToken:     {random.RandomUuid{}, map[string]any{"keepers": map[string]any{}}},
	} {
		var want, got []string
		for field := range reflect.TypeOf(c.sdk).NumField() {
			if name := reflect.TypeOf(c.sdk).Field(field).Tag.Get("pulumi"); name != "" {
				want = append(want, name)
			}
		}
		for key := range create(t, token, c.inputs).Properties {
			got = append(got, string(key))
		}
		assert.ElementsMatch(t, want, got, token)
	}
}

// TestOnTheWire looks at what the engine gets: which outputs are secret, and
// which are unknown in a preview.
func TestOnTheWire(t *testing.T) {
	server := plugin.NewProviderServer(&provider{})
	_, err := server.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{})
	require.NoError(t, err)
	_, err = server.Configure(t.Context(), &pulumirpc.ConfigureRequest{AcceptSecrets: true, Args: &structpb.Struct{}})
	require.NoError(t, err)
	for token, secret := range map[tokens.Type]bool{passwordToken: true, stringToken: false} {
		for _, preview := range []bool{true, false} {
			inputs, err := structpb.NewStruct(map[string]any{"length": 12})
			require.NoError(t, err)
			made, err := server.Create(t.Context(), &pulumirpc.CreateRequest{Urn: string(urn(token)), Properties: inputs, Preview: preview})
			require.NoError(t, err)
			outputs, err := plugin.UnmarshalProperties(made.GetProperties(), plugin.MarshalOptions{KeepSecrets: true, KeepUnknowns: true})
			require.NoError(t, err)
			for _, key := range kinds[token].results {
				assert.Equal(t, secret, outputs[key].IsSecret(), "%s secret", key)
				assert.Equal(t, preview, outputs[key].ContainsUnknowns(), "%s unknown", key)
			}
			assert.False(t, outputs["length"].IsSecret() || outputs["length"].ContainsUnknowns())
		}
	}
}

func TestDiff(t *testing.T) {
	old := map[string]any{"length": 12, "keepers": map[string]any{"generation": "1"}}
	for name, c := range map[string]struct {
		news   map[string]any
		ignore []string
		want   []resource.PropertyKey // that make a replacement
	}{
		"same":               {news: old},
		"default said":       {news: map[string]any{"length": 12, "keepers": map[string]any{"generation": "1"}, "upper": true, "minLower": 0}},
		"length":             {news: map[string]any{"length": 13, "keepers": map[string]any{"generation": "1"}}, want: []resource.PropertyKey{"length"}},
		"keepers":            {news: map[string]any{"length": 12, "keepers": map[string]any{"generation": "2"}}, want: []resource.PropertyKey{"keepers"}},
		"keepers gone":       {news: map[string]any{"length": 12}, want: []resource.PropertyKey{"keepers"}},
		"older name":         {news: map[string]any{"length": 12, "keepers": map[string]any{"generation": "1"}, "number": false}, want: []resource.PropertyKey{"number", "numeric"}},
		"ignored":            {news: map[string]any{"length": 13, "keepers": map[string]any{"generation": "1"}}, ignore: []string{"length"}},
		"keeper not known":   {news: map[string]any{"length": 12, "keepers": resource.MakeComputed(resource.NewStringProperty(""))}, want: []resource.PropertyKey{"keepers"}},
		"set characters":     {news: map[string]any{"length": 12, "keepers": map[string]any{"generation": "1"}, "overrideSpecial": "-"}, want: []resource.PropertyKey{"overrideSpecial"}},
		"more of characters": {news: map[string]any{"length": 12, "keepers": map[string]any{"generation": "1"}, "minUpper": 1}, want: []resource.PropertyKey{"minUpper"}},
	} {
		t.Run(name, func(t *testing.T) {
			diff, err := (&provider{}).Diff(t.Context(), plugin.DiffRequest{
				Type: passwordToken, OldInputs: properties(old), NewInputs: properties(c.news), IgnoreChanges: c.ignore,
			})
			require.NoError(t, err)
			assert.ElementsMatch(t, c.want, diff.ReplaceKeys)
			assert.Equal(t, len(c.want) > 0, diff.Changes == plugin.DiffSome)
		})
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		token  tokens.Type
		inputs map[string]any
		want   string // of the failure; empty for none
	}{
		"good":          {passwordToken, map[string]any{"length": 12, "minUpper": 2}, ""},
		"not known yet": {passwordToken, map[string]any{"length": resource.MakeComputed(resource.NewStringProperty(""))}, ""},
		"too short":     {passwordToken, map[string]any{"length": 1, "minUpper": 2}, "length 1 is less than 2"},
		"misspelt":      {passwordToken, map[string]any{"lenght": 12, "length": 12}, `unknown field "lenght"`},
		"no bytes":      {idToken, map[string]any{"byteLength": 0}, "byteLength 0 is less than 1"},
		"no range":      {integerToken, map[string]any{"min": 2, "max": 1}, "no range from min 2 to max 1"},
		"seed":          {integerToken, map[string]any{"min": 1, "max": 2, "seed": "s"}, "seed: "},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := (&provider{}).Check(t.Context(), plugin.CheckRequest{Type: c.token, News: properties(c.inputs)})
			require.NoError(t, err)
			assert.Equal(t, properties(c.inputs), answer.Properties)
			if c.want == "" {
				assert.Empty(t, answer.Failures)
				return
			}
			require.Len(t, answer.Failures, 1)
			assert.Contains(t, answer.Failures[0].Reason, c.want)
		})
	}
	_, err := (&provider{}).Check(t.Context(), plugin.CheckRequest{Type: "random:index/randomPet:RandomPet"})
	assert.ErrorContains(t, err, "has only RandomId, RandomInteger, RandomPassword, RandomString, RandomUuid")
}

func TestRead(t *testing.T) {
	state := properties(map[string]any{"length": 8, "result": "abcdefgh", "bcryptHash": "h"})
	read, err := (&provider{}).Read(t.Context(), plugin.ReadRequest{URN: urn(passwordToken), Type: passwordToken, ID: "none", State: state})
	require.NoError(t, err)
	assert.Equal(t, "abcdefgh", read.Outputs["result"].SecretValue().Element.StringValue())
	assert.True(t, read.Outputs["bcryptHash"].IsSecret())

	_, err = (&provider{}).Read(t.Context(), plugin.ReadRequest{URN: urn(passwordToken), Type: passwordToken, ID: "secret-to-import"})
	require.ErrorContains(t, err, "it: import: ")
	assert.NotContains(t, err.Error(), "secret-to-import")
}
