package provider

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// identity is how a fleet knows its groups again.
type identity struct {
	Key              string
	Application      string
	DeploymentGroup  string
	LaunchTemplateID string
}

func (a FleetArgs) identity() identity {
	return identity{Key: a.Key, Application: a.Application, DeploymentGroup: a.DeploymentGroup, LaunchTemplateID: a.LaunchTemplateID}
}

// pairTag marks the two groups that take turns where a stack has no fleet. A
// stack that changes over to a fleet finds one of them in its deployment group.
const pairTag = "bluegreen:pair"

// alternates says whether a group is one of those two, of the same deployment
// group.
func (i identity) alternates(g Group) bool {
	return g.Key == "" && g.Tags[pairTag] == i.Application+"/"+i.DeploymentGroup
}

// owns says whether a group belongs to the fleet. The tag is the authority. A
// group with no tag belongs only when CodeDeploy made it for our deployment
// group from our launch template: a copy that lost its tags.
func (i identity) owns(g Group) bool {
	if g.Key != "" {
		return g.Key == i.Key
	}
	deploymentGroup, _, copied := madeBy(g.Name)
	return copied && deploymentGroup == i.DeploymentGroup && g.LaunchTemplateID == i.LaunchTemplateID
}

// evidence is what AWS says about a fleet.
type evidence struct {
	Groups []Group // every group of the region, or at least every group of the fleet
	// Named are the groups that the deployment group names; none when it does
	// not exist.
	Named       []string
	Deployments map[string]Deployment // by id: those that made a group of the fleet
	Running     []Deployment          // those of the deployment group that are not over
	Now         time.Time
}

// choice is the outcome: one live group or none, and what to clear away.
type choice struct {
	Live      *Group
	Leftovers []string
}

// choose finds the live group. The deployment group's answer comes first.
// When it gives none, or one that is gone, the newest group that a failed or
// running deployment did not make is live. Groups that are being deleted do
// not count, and what a failed release left is never chosen.
func choose(who identity, e evidence) (choice, error) {
	var ours []Group
	for _, g := range e.Groups {
		if who.owns(g) && !g.Deleting {
			ours = append(ours, g)
		}
	}
	live, err := answered(who, e, ours)
	if err != nil {
		return choice{}, err
	}
	if live == nil {
		if live, err = newest(who, e, ours); err != nil {
			return choice{}, err
		}
	}
	return choice{Live: live, Leftovers: leftovers(e, ours, live)}, nil
}

// answered is the group that the deployment group names, nil when there is
// none or it is gone.
func answered(who identity, e evidence, ours []Group) (*Group, error) {
	if len(e.Named) > 1 {
		return nil, fmt.Errorf("deployment group %s names %d Auto Scaling groups (%s), want one; remove those that are not the fleet's",
			who.DeploymentGroup, len(e.Named), strings.Join(e.Named, ", "))
	}
	if len(e.Named) == 0 {
		return nil, nil
	}
	name := e.Named[0]
	if at := slices.IndexFunc(ours, func(g Group) bool { return g.Name == name }); at >= 0 {
		return &ours[at], nil
	}
	at := slices.IndexFunc(e.Groups, func(g Group) bool { return g.Name == name && !g.Deleting })
	if at < 0 {
		return nil, nil
	}
	if who.alternates(e.Groups[at]) {
		return nil, nil
	}
	if key := e.Groups[at].Key; key != "" {
		return nil, fmt.Errorf("deployment group %s names the Auto Scaling group %s, which is of fleet %q (tag %s), not of %q; point the deployment group at this fleet's group",
			who.DeploymentGroup, name, key, IdentityTag, who.Key)
	}
	return nil, fmt.Errorf("deployment group %s names the Auto Scaling group %s, which has no tag %s; if it is this fleet's, add the tag with the value %s",
		who.DeploymentGroup, name, IdentityTag, who.Key)
}

// newest decides with no word from the deployment group.
func newest(who identity, e evidence, ours []Group) (*Group, error) {
	var candidates, inTheMaking []*Group
	for at := range ours {
		switch made, known := e.maker(ours[at]); {
		case known && made.failed():
		case known && made.running():
			inTheMaking = append(inTheMaking, &ours[at])
		default:
			candidates = append(candidates, &ours[at])
		}
	}
	if len(candidates) == 0 {
		candidates = inTheMaking // better than to take the fleet for gone and make another
	}
	if len(candidates) == 0 {
		return nil, nil
	}
	slices.SortFunc(candidates, func(a, b *Group) int { return b.Created.Compare(a.Created) })
	first := candidates[0]
	_, _, copied := madeBy(first.Name)
	if _, known := e.maker(*first); len(candidates) > 1 && copied && !known {
		var names []string
		for _, g := range candidates {
			names = append(names, g.Name)
		}
		return nil, fmt.Errorf("fleet %s has %d groups (%s), deployment group %s names none of them and CodeDeploy no longer knows the deployment that made %s; delete the groups that take no traffic",
			who.Key, len(names), strings.Join(names, ", "), who.DeploymentGroup, first.Name)
	}
	return first, nil
}

// maker is the deployment that made the group, if CodeDeploy made it and
// still knows.
func (e evidence) maker(g Group) (Deployment, bool) {
	_, id, ok := madeBy(g.Name)
	if !ok {
		return Deployment{}, false
	}
	made, known := e.Deployments[id]
	return made, known
}

// terminationMargin is what CodeDeploy may take beyond the wait that it was
// told before an original group is gone.
const terminationMargin = 5 * time.Minute

// leftovers are the groups that nobody will delete. While a deployment runs,
// or the original group is in its termination wait, CodeDeploy still looks
// after all but those of failed deployments.
func leftovers(e evidence, ours []Group, live *Group) []string {
	tended := len(e.Running) > 0
	if live != nil {
		if made, known := e.maker(*live); known && !made.Ended.IsZero() {
			tended = tended || e.Now.Before(made.Ended.Add(made.TerminationWait+terminationMargin))
		}
	}
	var names []string
	for _, g := range ours {
		if live != nil && g.Name == live.Name {
			continue
		}
		if made, known := e.maker(g); tended && (!known || !made.failed()) {
			continue
		}
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}
