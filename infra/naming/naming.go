// Package naming holds the names that more than one system must agree on.
//
// Everything else is named by Pulumi, which appends random characters to the
// logical name. A name stands here only if somebody finds a thing by it: the
// release command finds the CodeDeploy application, an instance finds its
// parameters, a policy finds its key.
package naming

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Site is what the fixed names are made of. Changing either field renames,
// and thereby replaces, everything.
type Site struct {
	Project     string // the site's name, as in "example"
	Environment string // the Pulumi stack's name, as in "prod"
}

// Prefix begins the name of every resource: "<project>-<environment>".
func (s Site) Prefix() string { return s.Project + "-" + s.Environment }

// ParameterPath is where the application's environment lives in Parameter
// Store: "/<project>/<environment>/". It ends in a slash, so that no policy
// that is built from it matches a neighbour ("/example/prod2").
func (s Site) ParameterPath() string { return "/" + s.Project + "/" + s.Environment + "/" }

// Application is the CodeDeploy application's name.
func (s Site) Application() string { return s.Prefix() }

// DeploymentGroup is the name of the web fleet's CodeDeploy deployment group.
func (s Site) DeploymentGroup() string { return s.Prefix() + "-DeploymentGroup-01" }

// CeleryDeploymentGroup is the name of the CodeDeploy deployment group of a
// Celery fleet, "Celery", "CeleryWorker" or "CeleryBeat": app/release.sh knows
// an instance by this end.
func (s Site) CeleryDeploymentGroup(fleet string) string { return s.Prefix() + "-" + fleet }

// AutoScalingGroup is the name of the web fleet's first Auto Scaling group.
// Each release replaces the group by one that CodeDeploy names; ask the
// deployment group for the name of the day.
func (s Site) AutoScalingGroup() string { return s.Prefix() + "-EC2AutoScalingGroup" }

// FleetKey is the identity of the web fleet: the tag by which its Auto Scaling
// groups are known, whatever they are called.
func (s Site) FleetKey() string { return s.Project + "/" + s.Environment + "/web" }

// AutoScalingGroupOfPair is the name of one of the two groups, "a" or "b",
// that stand for good where releases take turns between them.
func (s Site) AutoScalingGroupOfPair(key string) string { return s.AutoScalingGroup() + "-" + key }

// KeyAlias is the alias of the key that encrypts the secret parameters.
func (s Site) KeyAlias() string { return "alias/" + s.Prefix() + "-parameters" }

// LogGroup is where instances send the logs of the application.
func (s Site) LogGroup() string { return "/" + s.Project + "/" + s.Environment }

// Fit joins parts with dashes and, past limit, swaps the tail for a hash of
// the whole, so that two long names never become one. Limit must be at least
// 10: nine characters are the hash.
func Fit(limit int, parts ...string) string {
	full := strings.Join(parts, "-")
	if len(full) <= limit {
		return full
	}
	h := fnv.New32a()
	h.Write([]byte(full)) // a hash never returns an error
	tail := fmt.Sprintf("-%08x", h.Sum32())
	return strings.TrimRight(full[:limit-len(tail)], "-") + tail
}
