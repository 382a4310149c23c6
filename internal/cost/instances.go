package cost

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"bluegreen/internal/preview"
)

const (
	fleetType           = "bluegreen:index:Fleet"
	templateType        = "aws:ec2/launchTemplate:LaunchTemplate"
	subnetType          = "aws:ec2/subnet:Subnet"
	deploymentGroupType = "aws:codedeploy/deploymentGroup:DeploymentGroup"
)

// instances is what an Auto Scaling group runs.
type instances struct {
	types       []string
	count, most float64 // count is desired, or the least
	base        float64 // on demand before any spot instance
	percentage  float64 // on demand above the base
	template    *preview.State
}

// fleetLines are those of a Fleet: instances that are doubled at each release.
func fleetLines(e estimation, r preview.State) []Line {
	group := instances{types: words(list(r, "instanceTypes")), template: e.template(r, "launchTemplateId", "launchTemplateId")}
	base, _ := number(r, "onDemandBaseCapacity")
	percentage, known := number(r, "onDemandPercentageAboveBaseCapacity")
	group.base, group.percentage = base, percentage
	if !known || !group.sizes(r, "desiredCapacity") {
		return []Line{unknown("instances", "sizes or on-demand percentage are not known yet")}
	}
	lines := e.running(group)
	if name, known := text(r, "deploymentGroup"); known {
		lines = append(lines, e.released(name, lines)...)
	}
	return lines
}

// groupLines are those of an ordinary Auto Scaling group with mixed instances.
func groupLines(e estimation, r preview.State) []Line {
	const policy, distribution = "mixedInstancesPolicy", "instancesDistribution"
	group := instances{template: e.template(r, policy, policy, "launchTemplate", "launchTemplateSpecification", "launchTemplateId")}
	for position := range list(r, policy, "launchTemplate", "overrides") {
		kind, _ := text(r, policy, "launchTemplate", "overrides", position, "instanceType")
		group.types = append(group.types, kind)
	}
	if len(group.types) == 0 && group.template != nil {
		kind, _ := text(*group.template, "instanceType")
		group.types = append(group.types, kind)
	}
	group.base, _ = number(r, policy, distribution, "onDemandBaseCapacity")
	percentage, known := number(r, policy, distribution, "onDemandPercentageAboveBaseCapacity")
	if !known {
		percentage = 100 // Amazon EC2 Auto Scaling API Reference, InstancesDistribution
	}
	group.percentage = percentage
	if !group.sizes(r, "desiredCapacity") {
		return []Line{unknown("instances", "sizes are not known yet")}
	}
	return e.running(group)
}

// sizes reads how many instances run. What Auto Scaling makes of it afterwards is
// not in a list of resources.
func (i *instances) sizes(r preview.State, desired string) bool {
	least, known := number(r, "minSize")
	wanted, _ := number(r, desired)
	i.count = max(least, wanted)
	i.most, _ = number(r, "maxSize")
	return known
}

// running is what the instances of a group cost, with addresses and volumes.
func (e estimation) running(group instances) []Line {
	// A part of an instance counts as one on demand, the dearer of both.
	onDemand := min(group.count, group.base+math.Ceil((group.count-group.base)*group.percentage/100))
	lines := []Line{}
	if onDemand > 0 {
		lines = append(lines, e.bought(group, Fixed, onDemand))
	}
	if spot := group.count - onDemand; spot > 0 {
		lines = append(lines, e.bought(group, Spot, spot))
	}
	if len(lines) > 0 && group.most > group.count {
		lines[0].Note = join(lines[0].Note, fmt.Sprintf("scaling may run up to %g instances", group.most))
	}
	return append(append(lines, e.addresses(group.count)...), e.volumes(group)...)
}

// bought is a number of instances of the group's dearest type: EC2 chooses among
// them.
func (e estimation) bought(group instances, kind Kind, count float64) Line {
	dearest, missing := "", ""
	for _, name := range group.types {
		price, known := e.Table.price(e.region, "ec2/"+name)
		if !known {
			missing = name
		}
		if other, _ := e.Table.price(e.region, "ec2/"+dearest); price.USD > other.USD {
			dearest = name
		}
	}
	how := map[Kind]string{Fixed: "on demand", Spot: "spot"}[kind]
	what := fmt.Sprintf("%g x %s, %s", count, cmp.Or(strings.Join(group.types, " or "), "instance"), how)
	if missing != "" || dearest == "" {
		return unknown(what, fmt.Sprintf("the price table has no ec2/%s for %s", cmp.Or(missing, "type"), e.place()))
	}
	line := e.hourly(what, "ec2/"+dearest, count)
	if len(group.types) > 1 {
		line.Note = "priced as " + dearest
	}
	if kind == Spot {
		line.Kind, line.Ceiling = Spot, line.Monthly
		line.Price *= 1 - e.Usage.SpotDiscount/100
		line.Monthly = cents(line.Quantity * line.Price)
		line.Note = join(line.Note, fmt.Sprintf("assumed %g %% below on-demand; at most $%.2f", e.Usage.SpotDiscount, line.Ceiling))
	}
	return line
}

// addresses are the public ones of instances, where subnets give them one.
func (e estimation) addresses(count float64) []Line {
	seen := false
	for _, r := range e.resources {
		if r.Type != subnetType {
			continue
		}
		seen = true
		if yes(r, "mapPublicIpOnLaunch") {
			return []Line{e.hourly(fmt.Sprintf("%g x public IPv4 address", count), "ipv4/address", count)}
		}
	}
	if !seen {
		return []Line{unknown("public IPv4 addresses", "no subnet in the list says whether instances get one")}
	}
	return nil
}

// volumes are the disks that the launch template gives each instance.
func (e estimation) volumes(group instances) []Line {
	const mappings = "blockDeviceMappings"
	if group.template == nil {
		return []Line{unknown("volumes", "the launch template is not in the list")}
	}
	var lines []Line
	for position := range list(*group.template, mappings) {
		size, sized := number(*group.template, mappings, position, "ebs", "volumeSize")
		kind, typed := text(*group.template, mappings, position, "ebs", "volumeType")
		if sized && typed {
			lines = append(lines, e.priced(Fixed, fmt.Sprintf("%g x %g GB volume, %s", group.count, size, kind), "ebs/"+kind, group.count*size))
		}
	}
	if len(lines) == 0 {
		return []Line{unknown("volumes", "size and type are left to the image")}
	}
	return lines
}

// released is the second fleet that stands beside the first during a release,
// until the first goes.
func (e estimation) released(name string, fleet []Line) []Line {
	for _, r := range e.resources {
		const blueGreen = "blueGreenDeploymentConfig"
		found, _ := text(r, "deploymentGroupName")
		action, _ := text(r, blueGreen, "greenFleetProvisioningOption", "action")
		if r.Type != deploymentGroupType || found != name || action != "COPY_AUTO_SCALING_GROUP" {
			continue
		}
		wait, _ := number(r, blueGreen, "terminateBlueInstancesOnDeploymentSuccess", "terminationWaitTimeInMinutes")
		return []Line{e.doubled(fleet, wait)}
	}
	return nil
}

func (e estimation) doubled(fleet []Line, wait float64) Line {
	minutes := wait + e.Usage.ReleaseMinutes
	line := Line{
		What: "the fleet a second time during releases", Kind: ByUse, Unit: "hour", Quantity: e.Usage.Releases * minutes / 60,
		Note: fmt.Sprintf("%g releases of %g minutes, %g of them the wait before the old instances go", e.Usage.Releases, minutes, wait),
	}
	for _, part := range fleet {
		if part.Kind == Unknown {
			return unknown(line.What, "the fleet itself is not known")
		}
		line.Price += part.Monthly / HoursPerMonth
		line.Ceiling += max(part.Ceiling, part.Monthly) / HoursPerMonth
	}
	line.Monthly, line.Ceiling = cents(line.Quantity*line.Price), cents(line.Quantity*line.Ceiling)
	return line
}

// template finds the launch template that an input names, or will name.
func (e estimation) template(r preview.State, property string, path ...any) *preview.State {
	id, known := text(r, path...)
	for position, other := range e.resources {
		named := known && other.ID == id || slices.Contains(r.PropertyDependencies[property], other.URN)
		if other.Type == templateType && named {
			return &e.resources[position]
		}
	}
	return nil
}

// words are the texts of a list; an unknown entry is an empty one.
func words(values []any) []string {
	texts := make([]string, len(values))
	for i, value := range values {
		if preview.Known(value) {
			texts[i], _ = value.(string)
		}
	}
	return texts
}

func join(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(note string) bool { return note == "" }), "; ")
}
