package rehearsal

import (
	"context"
	"net/url"

	"bluegreen/internal/release"
)

// Stage is where a rehearsal is performed: a sandbox with machines, or a stand-in
// for the tests.
type Stage interface {
	// Up makes the platform, with machines and without a release.
	Up(ctx context.Context) error
	// Site is where the load balancer listens, and the site's host name.
	Site() (address *url.URL, host string)
	// Release releases a commit, and Redeploy the revision of the last success;
	// both follow it until the old fleet is gone, and tell what happens.
	Release(ctx context.Context, what Revision, tell func(release.Event)) (release.Result, error)
	Redeploy(ctx context.Context, tell func(release.Event)) (release.Result, error)
	// State is what there is now.
	State(ctx context.Context) (State, error)
	// Revision says which revision a deployment was of.
	Revision(ctx context.Context, deployment string) (string, error)
	// Look looks at a machine from inside.
	Look(ctx context.Context, instance string) (Look, error)
	// Data reads the application's database through the application.
	Data(ctx context.Context, instance string) (Data, error)
	// Kill takes a machine's power away. Interrupt ends an instance as EC2 Auto
	// Scaling's capacity rebalancing does: it gets no new visitors, finishes what
	// it has, and another takes its place.
	Kill(ctx context.Context, instance string) error
	Interrupt(ctx context.Context, instance string) error
	// Preview counts what pulumi up would change.
	Preview(ctx context.Context) (changes int, err error)
	// Destroy deletes everything; Close ends what is left of the stage, also after
	// an error.
	Destroy(ctx context.Context) error
	Close(ctx context.Context) error
}

// Revision is what to release.
type Revision struct {
	Commit string
	Fail   string // lifecycle event that is ordered to fail; none when empty
}

// State is what AWS and the host of the machines say.
type State struct {
	Live     string            // Auto Scaling group that the deployment group names
	Groups   []Group           // all of the fleet
	Targets  map[string]string // health by instance, as AWS has it
	Machines []Machine         // that run or start, but for the data machine
}

// Group is an Auto Scaling group.
type Group struct {
	Name      string
	Instances []string // in service
	Attached  bool     // whether it has the target group
}

// Look is what a machine says of itself.
type Look struct {
	Release  string            // deployment whose release is the current one; empty for none
	Services map[string]string // state of each unit of the project's, as systemctl has it
}

// Data is what the reference application's database has.
type Data struct {
	Migrations []string `json:"migrations"` // of the notes, that are applied
	Notes      []string `json:"notes"`      // texts
}

// members are the instances of a group; none where it does not exist.
func (s State) members(name string) []string {
	for _, group := range s.Groups {
		if group.Name == name {
			return group.Instances
		}
	}
	return nil
}
