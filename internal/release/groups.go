package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// remaining splits the deployment groups of a release into those that it goes to
// and the first ones, which it has reached already: a release that was cut off
// half-way, or failed there, is finished by running it again. One that has
// reached all of them, or that meets a deployment group that was never deployed
// to, goes to all again.
func (s *session) remaining(ctx context.Context, revision *types.RevisionLocation) (remaining, reached []string, err error) {
	if len(s.Groups) < 2 || s.OverHTTP != nil { // whether the site has done its part over HTTP is only asked after a deployment
		return s.Groups, nil, nil
	}
	known := 0 // the first ones that have it
	for i, name := range s.Groups {
		has, tried, err := s.has(ctx, name, revision)
		if err != nil {
			return nil, nil, err
		}
		if !tried {
			return s.Groups, nil, nil // new, and the others may have to change for it
		}
		if has && known == i {
			known++
		}
	}
	if known == len(s.Groups) {
		return s.Groups, nil, nil
	}
	return s.Groups[known:], s.Groups[:known], nil
}

// has tells whether the last deployment of a deployment group brought a
// revision there, and whether there was one at all.
func (s *session) has(ctx context.Context, name string, revision *types.RevisionLocation) (has, tried bool, err error) {
	group, err := s.group(ctx, s.Application, name)
	if err != nil || group.LastAttemptedDeployment == nil {
		return false, false, err
	}
	info, err := s.deployment(ctx, aws.ToString(group.LastAttemptedDeployment.DeploymentId))
	if err != nil || !same(info.Revision, revision) {
		return false, true, err
	}
	switch {
	case pairMode(group): // after an interruption, both of a pair may run
		fleets, err := s.pair(ctx, group)
		return info.Status == types.DeploymentStatusSucceeded && err == nil && !fleets.idle.size(), true, err
	case info.Status == types.DeploymentStatusSucceeded:
		return true, true, nil
	default:
		return snapshot{info: info}.rerouted(), true, nil
	}
}

// same tells whether two revisions are one: in a bucket without versions it is
// the content that tells.
func same(a, b *types.RevisionLocation) bool {
	if revisionName(a) != revisionName(b) || a == nil || a.S3Location == nil {
		return revisionName(a) == revisionName(b)
	}
	return aws.ToString(a.S3Location.Version) != "" || aws.ToString(unquoted(a.S3Location.ETag)) == aws.ToString(unquoted(b.S3Location.ETag))
}

// lacking are the deployment groups after one that do not have what it has got,
// and none when that was not its last deployment.
func (s *session) lacking(ctx context.Context, d Deployment) (names []string, err error) {
	at := slices.Index(s.Groups, d.Group)
	if at < 0 || d.Outcome != Succeeded {
		return nil, nil
	}
	info, err := s.deployment(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	for _, name := range s.Groups[at:] {
		has, _, err := s.has(ctx, name, info.Revision)
		switch {
		case err != nil:
			return nil, err
		case !has && name == d.Group:
			return nil, nil
		case !has:
			names = append(names, name)
		}
	}
	return names, nil
}

// partly tells whether a release has reached some deployment groups and was
// rolled back in another.
func (r Result) partly() bool {
	return len(r.Deployments) > 0 && r.Deployments[len(r.Deployments)-1].Outcome == RolledBack && len(r.released()) > 0
}

// released are the deployment groups that have the release.
func (r Result) released() []string {
	names := slices.Clone(r.Reached)
	for _, d := range r.Deployments {
		if d.Outcome == Succeeded {
			names = append(names, d.Group)
		}
	}
	return names
}

// rest says what a release has not reached, and what to do.
func (r Result) rest() string {
	var missing []string
	for _, d := range r.Deployments {
		if d.Outcome == RolledBack || d.Outcome == Attention && d.Status != string(types.DeploymentStatusSucceeded) {
			missing = append(missing, d.Group)
		}
	}
	missing = append(missing, r.NotStarted...)
	reached := r.released()
	switch {
	case len(missing) == 0 || len(r.Deployments) == 0:
		return ""
	case len(reached) == 0 && len(r.NotStarted) == 0:
		return "" // there was one, and its report says it
	case len(reached) == 0:
		return "Not deployed to: " + strings.Join(r.NotStarted, ", ")
	default:
		return fmt.Sprintf("Released to %s, not to %s: the same release, run again, goes on there", strings.Join(reached, ", "), strings.Join(missing, ", "))
	}
}
