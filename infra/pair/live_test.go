package pair

import (
	"errors"
	"slices"
	"testing"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLive(t *testing.T) {
	for _, test := range []struct {
		name  string
		found map[string]Size
		want  string
	}{
		{"none exists", nil, A},
		{"only one exists", map[string]Size{B: {Min: 1, Desired: 1}}, B},
		{"a serves", map[string]Size{A: {Min: 2, Desired: 3}, B: {}}, A},
		{"b serves", map[string]Size{A: {}, B: {Min: 2, Desired: 2}}, B},
		{"instances of the idle group are still leaving", map[string]Size{A: {Desired: 2}, B: {Min: 2, Desired: 2}}, B},
		{"release under way", map[string]Size{A: {Min: 2, Desired: 2}, B: {Min: 2, Desired: 2}}, ""},
		{"minimum set to zero by hand", map[string]Size{A: {}, B: {Desired: 2}}, B},
		{"both so", map[string]Size{A: {Desired: 1}, B: {Desired: 2}}, ""},
		{"everything stopped", map[string]Size{A: {}, B: {}}, A},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, Live(test.found))
			assert.Equal(t, test.want == "", Underway(test.found))
		})
	}
}

func TestMinimum(t *testing.T) {
	for _, test := range []struct {
		name     string
		found    map[string]Size
		a, b     int
		settledA bool
		settledB bool
	}{
		{"first up", nil, 3, 0, false, false},
		{"nothing changed", map[string]Size{A: {}, B: {Min: 3}}, 0, 3, true, true},
		{"minimum edited", map[string]Size{A: {}, B: {Min: 1}}, 0, 3, true, false},
		{"idle group not empty", map[string]Size{A: {Desired: 1, Min: 0}, B: {Min: 3}}, 0, 3, true, true},
		{"live group deleted by hand", map[string]Size{B: {}}, 3, 0, false, true},
		{"release under way, minimum edited", map[string]Size{A: {Min: 1}, B: {Min: 2}}, 1, 2, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			size, settled := minimum(A, test.found, 3)
			assert.Equal(t, test.a, size)
			assert.Equal(t, test.settledA, settled)
			size, settled = minimum(B, test.found, 3)
			assert.Equal(t, test.b, size)
			assert.Equal(t, test.settledB, settled)
		})
	}
}

// account answers look-ups as an AWS account with these groups does.
type account struct {
	sizes map[string]Size // by name
	fail  error
}

func (*account) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (a *account) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if a.fail != nil {
		return nil, a.fail
	}
	switch args.Token {
	case "aws:autoscaling/getAmiIds:getAmiIds":
		var there []any
		for _, name := range args.Args["names"].ArrayValue() {
			if _, ok := a.sizes[name.StringValue()]; ok {
				there = append(there, name.StringValue())
			}
		}
		slices.Reverse(there)
		return resource.NewPropertyMapFromMap(map[string]any{"names": there}), nil
	case "aws:autoscaling/getGroup:getGroup":
		size, ok := a.sizes[args.Args["name"].StringValue()]
		if !ok {
			return nil, errors.New("no such group")
		}
		return resource.NewPropertyMapFromMap(map[string]any{"minSize": size.Min, "desiredCapacity": size.Desired, "maxSize": 9}), nil
	default:
		return nil, errors.New("unknown function " + args.Token)
	}
}

func TestLookUp(t *testing.T) {
	site := naming.Site{Project: "example", Environment: "prod"}
	look := func(a *account) (found map[string]Size, err error) {
		require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
			found, err = LookUp(ctx, site)
			return nil
		}, pulumi.WithMocks("bluegreen", "test", a)))
		return found, err
	}

	found, err := look(&account{})
	require.NoError(t, err)
	assert.Empty(t, found)

	found, err = look(&account{sizes: map[string]Size{
		"example-prod-EC2AutoScalingGroup-a": {Desired: 1}, "example-prod-EC2AutoScalingGroup-b": {Min: 2, Desired: 3}, "another-b": {Min: 1},
	}})
	require.NoError(t, err)
	assert.Equal(t, map[string]Size{A: {Desired: 1}, B: {Min: 2, Desired: 3}}, found)

	found, err = look(&account{sizes: map[string]Size{"example-prod-EC2AutoScalingGroup-b": {Min: 2}}})
	require.NoError(t, err)
	assert.Equal(t, map[string]Size{B: {Min: 2}}, found)

	_, err = look(&account{fail: errors.New("access denied")})
	assert.ErrorContains(t, err, "auto scaling groups example-prod-EC2AutoScalingGroup-a and example-prod-EC2AutoScalingGroup-b: ")
	assert.ErrorContains(t, err, "access denied", "unknown is not absent")
}
