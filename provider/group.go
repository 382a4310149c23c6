package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// IdentityTag is the key of the tag that says to which fleet a group belongs.
// Its value is the fleet's key. Changing it orphans every fleet there is.
const IdentityTag = "bluegreen:fleet"

// Group is one Auto Scaling group as AWS has it.
type Group struct {
	Shape
	// Name is what CodeDeploy changes at every release.
	Name string
	// Key is the value of IdentityTag, empty when the group has no such tag.
	Key string
	// Deleting says that a deletion is under way.
	Deleting bool
	// Created is when the group was made.
	Created time.Time
	// DesiredCapacity is the number of instances AWS aims at.
	DesiredCapacity int
	// LaunchTemplateVersion is "$Latest" for every group that we make.
	LaunchTemplateVersion string
	// Mixed says that the group has a mixed instances policy.
	Mixed bool
	// Instances are the group's own.
	Instances []Instance
}

// Instance is one EC2 instance of a group.
type Instance struct {
	ID string
	// InService says that the instance is in service and healthy.
	InService bool
}

// Deployment is one CodeDeploy deployment.
type Deployment struct {
	ID string
	// Status is CodeDeploy's word: Created, Queued, InProgress, Baking,
	// Ready, Succeeded, Failed or Stopped.
	Status string
	// Ended is when it was over; zero while it runs.
	Ended time.Time
	// TerminationWait is how long the original group lives on after success.
	TerminationWait time.Duration
}

// running says that the deployment may still make, change or delete groups.
func (d Deployment) running() bool {
	switch d.Status {
	case "Created", "Queued", "InProgress", "Baking", "Ready":
		return true
	}
	return false
}

// failed says that what the deployment made never took over.
func (d Deployment) failed() bool {
	return d.Status == "Failed" || d.Status == "Stopped"
}

// copyName matches the groups that CodeDeploy makes (AWS CodeDeploy User
// Guide, "Integrating CodeDeploy with Amazon EC2 Auto Scaling").
var copyName = regexp.MustCompile(`^CodeDeploy_(.+)_(d-[A-Z0-9]+)$`)

// madeBy tells which deployment of which deployment group made the group of
// that name; ok is false for a group that CodeDeploy did not make.
func madeBy(name string) (deploymentGroup, deployment string, ok bool) {
	found := copyName.FindStringSubmatch(name)
	if found == nil {
		return "", "", false
	}
	return found[1], found[2], true
}

// longestGroupName is the limit of CreateAutoScalingGroup (Amazon EC2 Auto
// Scaling API Reference).
const longestGroupName = 255

// bootstrapName is the name of a fleet's first group. It follows from the key
// alone, so that a second attempt collides with the first instead of making
// another group. The hash keeps a/b-c and a-b/c apart.
func bootstrapName(key string) string {
	sum := sha256.Sum256([]byte(key))
	tail := "-" + hex.EncodeToString(sum[:4])
	name := strings.ReplaceAll(key, "/", "-")
	if len(name) > longestGroupName-len(tail) {
		name = name[:longestGroupName-len(tail)]
	}
	return name + tail
}
