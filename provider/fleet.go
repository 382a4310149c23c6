package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Fleet is an Auto Scaling group whose identity outlives CodeDeploy's copies.
type Fleet struct{ aws *backend }

// Annotate implements infer.Annotated.
func (f *Fleet) Annotate(a infer.Annotator) {
	a.Describe(&f, "An Auto Scaling group whose identity is a tag, so that it stays the same resource while CodeDeploy replaces the group at every release.")
	a.SetToken("index", "Fleet")
}

// Check implements infer.CustomCheck: defaults and validation. Inputs that a
// preview does not know yet are checked when they are known.
func (f *Fleet) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[FleetArgs], error) {
	args, failures, err := infer.DefaultCheck[FleetArgs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[FleetArgs]{Inputs: args, Failures: failures}, err
	}
	args = args.withDefaults()
	return infer.CheckResponse[FleetArgs]{Inputs: args, Failures: failuresOf(args.validate(), req)}, nil
}

// failuresOf turns problems into Pulumi's form, all but those of inputs that
// are not known yet.
func failuresOf(found problems, req infer.CheckRequest) []p.CheckFailure {
	var failures []p.CheckFailure
	for _, one := range found {
		if !req.NewInputs.Get(one.Field).HasComputed() {
			failures = append(failures, p.CheckFailure{Property: one.Field, Reason: one.Reason})
		}
	}
	return failures
}

// Diff implements infer.CustomDiff. Only another key replaces the fleet.
func (f *Fleet) Diff(_ context.Context, req infer.DiffRequest[FleetArgs, FleetState]) (infer.DiffResponse, error) {
	changed := difference(req.State.FleetArgs, req.Inputs)
	if req.Inputs.CopyLosses == lossesRepair && len(req.State.Lost) > 0 {
		changed = append(changed, "lost")
	}
	return inPlace(changed, "key"), nil
}

// inPlace reports changes of which only that of the key replaces.
func inPlace(changed []string, key string) p.DiffResponse {
	detail := map[string]p.PropertyDiff{}
	for _, name := range changed {
		kind := p.Update
		if name == key {
			kind = p.UpdateReplace
		}
		detail[name] = p.PropertyDiff{Kind: kind, InputDiff: name != "lost"}
	}
	return p.DiffResponse{HasChanges: len(changed) > 0, DetailedDiff: detail, DeleteBeforeReplace: slices.Contains(changed, key)}
}

// Create makes the first group, or takes over a group that carries the key.
func (f *Fleet) Create(ctx context.Context, req infer.CreateRequest[FleetArgs]) (infer.CreateResponse[FleetState], error) {
	state := FleetState{FleetArgs: req.Inputs, Region: infer.GetConfig[Config](ctx).Region}
	response := infer.CreateResponse[FleetState]{ID: req.Inputs.Key, Output: state}
	if req.DryRun {
		return response, nil
	}
	err := req.Inputs.validate().err()
	if err != nil {
		return infer.CreateResponse[FleetState]{}, err
	}
	s, err := f.aws.site(ctx, "")
	if err != nil {
		return infer.CreateResponse[FleetState]{}, err
	}
	state.GroupName, state.Leftovers, err = s.ensure(ctx, req.Inputs, nil)
	response.Output = state
	if err != nil && state.GroupName != "" {
		// The group exists: the state must know, and the next update goes on.
		return response, infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	return response, err
}

// Update changes the live group, and puts back what CodeDeploy did not copy.
func (f *Fleet) Update(ctx context.Context, req infer.UpdateRequest[FleetArgs, FleetState]) (infer.UpdateResponse[FleetState], error) {
	state := req.State
	before := state.FleetArgs
	state.FleetArgs = req.Inputs
	if req.DryRun {
		return infer.UpdateResponse[FleetState]{Output: state}, nil
	}
	if err := req.Inputs.validate().err(); err != nil {
		return infer.UpdateResponse[FleetState]{}, err
	}
	changed := difference(before, req.Inputs)
	if len(changed) > 0 && onlyManners(changed) && (req.Inputs.CopyLosses != lossesRepair || len(state.Lost) == 0) {
		return infer.UpdateResponse[FleetState]{Output: state}, nil
	}
	s, err := f.aws.site(ctx, state.Region)
	if err != nil {
		return infer.UpdateResponse[FleetState]{}, err
	}
	state.GroupName, state.Leftovers, err = s.ensure(ctx, req.Inputs, &before)
	if err != nil {
		return infer.UpdateResponse[FleetState]{}, err
	}
	state.Lost = nil
	return infer.UpdateResponse[FleetState]{Output: state}, nil
}

// Read finds the live group. While a deployment runs the fleet is in
// CodeDeploy's hands, and what it does to the groups is no change of ours.
func (f *Fleet) Read(ctx context.Context, req infer.ReadRequest[FleetArgs, FleetState]) (infer.ReadResponse[FleetArgs, FleetState], error) {
	var none infer.ReadResponse[FleetArgs, FleetState]
	importing := req.State.Key == ""
	if importing {
		var err error
		if req.State.FleetArgs, err = fromImportID(req.ID); err != nil {
			return none, err
		}
	}
	state := req.State
	s, err := f.aws.site(ctx, state.Region)
	if err != nil {
		return none, err
	}
	chosen, running, err := s.find(ctx, state.identity(), state.Release)
	if err != nil {
		return none, err
	}
	report(ctx, chosen.Leftovers)
	if chosen.Live == nil {
		return none, nil
	}
	state.GroupName, state.Leftovers, state.Lost = chosen.Live.Name, chosen.Leftovers, nil
	state.Region = infer.GetConfig[Config](ctx).Region
	if len(running) == 0 || importing {
		scaling, err := s.cloud.Scaling(ctx, chosen.Live.Name)
		if err != nil {
			return none, fmt.Errorf("group %s: scaling: %w", chosen.Live.Name, err)
		}
		want := state.Shape
		if importing {
			want = adopted(*chosen.Live, scaling)
		}
		state.Shape, state.Lost = observe(want, *chosen.Live, scaling)
	}
	if len(state.Lost) > 0 {
		p.GetLogger(ctx).Warningf("the live group %s lacks: %s. The next change of the fleet puts it back; to do only that, run pulumi up once with copyLosses (fleet.copyLosses of the stack) set to %s",
			state.GroupName, strings.Join(state.Lost, ", "), lossesRepair)
	}
	inputs := req.Inputs
	if importing {
		inputs = state.FleetArgs
	}
	inputs.Shape = state.Shape
	// An imported fleet keeps the id it was imported by: Pulumi replaces a
	// resource whose id is not that of its import option.
	return infer.ReadResponse[FleetArgs, FleetState]{ID: req.ID, Inputs: inputs, State: state}, nil
}

func report(ctx context.Context, leftovers []string) {
	if len(leftovers) > 0 {
		p.GetLogger(ctx).Warningf("failed releases left groups behind: %s. They cost money and take no traffic; delete them. Destroying the fleet deletes them too",
			strings.Join(leftovers, ", "))
	}
}

// adopted is the shape of a group that the state does not know yet: all of it,
// but for the tags that AWS put there itself.
func adopted(g Group, s Scaling) Shape {
	want := g.Shape
	want.Tags = maps.Clone(g.Tags)
	maps.DeleteFunc(want.Tags, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	want.TargetTracking, want.Schedules = s.TargetTracking, s.Schedules
	return want
}

// fromImportID reads application/deployment group/key, the id to import by.
func fromImportID(id string) (FleetArgs, error) {
	parts := strings.SplitN(id, "/", 3)
	if len(parts) < 3 || !keyForm.MatchString(parts[2]) {
		return FleetArgs{}, fmt.Errorf("import id: want application/deployment-group/project/stack/name, got %q; the group must carry the tag %s with the last three as its value", id, IdentityTag)
	}
	args := FleetArgs{Key: parts[2], Release: Release{Application: parts[0], DeploymentGroup: parts[1]}}
	return args.withDefaults(), nil
}

// Delete removes every group of the fleet and waits until its instances are
// gone.
func (f *Fleet) Delete(ctx context.Context, req infer.DeleteRequest[FleetState]) (infer.DeleteResponse, error) {
	s, err := f.aws.site(ctx, req.State.Region)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	return infer.DeleteResponse{}, s.sweep(ctx, req.State.identity(), req.State.Release)
}

// WireDependencies implements infer.ExplicitDependencies: in a preview the
// outputs are unknown only when the key is. Otherwise each update of the
// fleet would announce one of the deployment group.
func (f *Fleet) WireDependencies(to infer.FieldSelector, args *FleetArgs, state *FleetState) {
	key := to.InputField(&args.Key)
	to.OutputField(&state.GroupName).DependsOn(key)
	to.OutputField(&state.Leftovers).DependsOn(key)
	to.OutputField(&state.Lost).DependsOn(key)
	to.OutputField(&state.Region).DependsOn(key)
}
