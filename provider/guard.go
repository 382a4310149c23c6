package provider

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Guard stands in front of a deployment group at pulumi destroy. The
// deployment group takes the Fleet's name, so Pulumi deletes it first: without
// the Guard, the refusal to delete a fleet in the middle of a release would
// come when the release has already lost its deployment group.
type Guard struct{ aws *backend }

// GuardArgs are the inputs of a Guard.
type GuardArgs struct {
	Release
	DeploymentGroupID string `pulumi:"deploymentGroupId"`
}

// Annotate implements infer.Annotated.
func (a *GuardArgs) Annotate(an infer.Annotator) {
	an.Describe(&a.DeploymentGroupID, "The deployment group's id. It only sets the order: Pulumi deletes the deployment group after the Guard.")
}

// GuardState is what the Pulumi state keeps of a Guard.
type GuardState struct {
	GuardArgs
	Region string `pulumi:"region"`
}

// Annotate implements infer.Annotated.
func (g *Guard) Annotate(a infer.Annotator) {
	a.Describe(&g, "Keeps pulumi destroy from a deployment group whose deployment runs.")
	a.SetToken("index", "Guard")
}

// Check implements infer.CustomCheck.
func (g *Guard) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[GuardArgs], error) {
	args, failures, err := infer.DefaultCheck[GuardArgs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[GuardArgs]{Inputs: args, Failures: failures}, err
	}
	args.Release = args.Release.withDefaults()
	return infer.CheckResponse[GuardArgs]{Inputs: args, Failures: failuresOf(args.Release.validate(), req)}, nil
}

// Diff implements infer.CustomDiff. The Guard follows its deployment group in
// place, and what only sets the order makes no difference.
func (g *Guard) Diff(_ context.Context, req infer.DiffRequest[GuardArgs, GuardState]) (infer.DiffResponse, error) {
	return inPlace(releaseDifference(req.State.Release, req.Inputs.Release), ""), nil
}

// Create makes nothing in AWS.
func (g *Guard) Create(ctx context.Context, req infer.CreateRequest[GuardArgs]) (infer.CreateResponse[GuardState], error) {
	state := GuardState{GuardArgs: req.Inputs, Region: infer.GetConfig[Config](ctx).Region}
	return infer.CreateResponse[GuardState]{ID: req.Inputs.Application + "/" + req.Inputs.DeploymentGroup, Output: state}, nil
}

// Update changes nothing in AWS.
func (g *Guard) Update(_ context.Context, req infer.UpdateRequest[GuardArgs, GuardState]) (infer.UpdateResponse[GuardState], error) {
	return infer.UpdateResponse[GuardState]{Output: GuardState{GuardArgs: req.Inputs, Region: req.State.Region}}, nil
}

// Delete returns when no deployment runs, having stopped them if it may.
func (g *Guard) Delete(ctx context.Context, req infer.DeleteRequest[GuardState]) (infer.DeleteResponse, error) {
	s, err := g.aws.site(ctx, req.State.Region)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	return infer.DeleteResponse{}, s.quiet(ctx, req.State.Release)
}
