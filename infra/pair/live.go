package pair

import (
	"fmt"
	"slices"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Keys of the two groups. They are in names: changing one replaces its group.
const (
	A = "a"
	B = "b"
)

func keys() []string { return []string{A, B} }

// Size is a group's size as AWS has it.
type Size struct{ Min, Desired int }

// LookUp asks AWS for the sizes of a site's two groups, by key. A group that
// does not exist has no entry.
func LookUp(ctx *pulumi.Context, site naming.Site, opts ...pulumi.InvokeOption) (map[string]Size, error) {
	var names []string
	for _, key := range keys() {
		names = append(names, site.AutoScalingGroupOfPair(key))
	}
	// Asked for a group that is not there, the function for one group fails as
	// it does for any other reason. This one lists those that are; its name is
	// a slip of Pulumi's.
	there, err := autoscaling.GetAmiIds(ctx, &autoscaling.GetAmiIdsArgs{Names: names}, opts...)
	if err != nil {
		return nil, fmt.Errorf("auto scaling groups %s and %s: %w", names[0], names[1], err)
	}
	found := map[string]Size{}
	for i, key := range keys() {
		if !slices.Contains(there.Names, names[i]) {
			continue
		}
		group, err := autoscaling.LookupGroup(ctx, &autoscaling.LookupGroupArgs{Name: names[i]}, opts...)
		if err != nil {
			return nil, fmt.Errorf("auto scaling group %s: %w", names[i], err)
		}
		found[key] = Size{Min: group.MinSize, Desired: group.DesiredCapacity}
	}
	return found, nil
}

// Live is the key of the group that serves: the one whose minimum size is
// above zero. If somebody has set both to zero, it is the one that still wants
// instances, and if neither does or exists, A. While both have a minimum a
// release is under way, and Live is empty.
func Live(found map[string]Size) string {
	for _, has := range []func(Size) bool{
		func(s Size) bool { return s.Min > 0 },
		func(s Size) bool { return s.Desired > 0 },
	} {
		switch a, b := has(found[A]), has(found[B]); {
		case a && b:
			return ""
		case a:
			return A
		case b:
			return B
		}
	}
	return A
}

// Underway says that a release has given both groups instances and has not
// ended: the group to take from the other is not decided.
func Underway(found map[string]Size) bool { return Live(found) == "" }

// minimum is the minimum size that a group should have, and whether AWS has it
// already. Then the property is left alone: a state that was not refreshed
// since the release still has the sizes from before it, and nothing is to be
// done about that.
func minimum(key string, found map[string]Size, wanted int) (size int, settled bool) {
	now, exists := found[key]
	switch live := Live(found); live {
	case "":
		return now.Min, exists
	case key:
	default:
		wanted = 0
	}
	return wanted, exists && now.Min == wanted
}
