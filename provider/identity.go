package provider

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Identity is the name of a fleet, in the state before the fleet's first
// group exists. An engine that is killed while the group is being made leaves
// a group that the state does not know; deleting the Identity, the last act of
// pulumi destroy, removes every group that carries the key.
type Identity struct{ aws *backend }

// IdentityArgs are the inputs of an Identity.
type IdentityArgs struct {
	Key string `pulumi:"key"`
	Release
	LaunchTemplateID string   `pulumi:"launchTemplateId"`
	DeleteBefore     []string `pulumi:"deleteBefore,optional"`
}

// Annotate implements infer.Annotated.
func (a *IdentityArgs) Annotate(an infer.Annotator) {
	an.Describe(&a.Key, "The fleet's identity, project/stack/name.")
	an.Describe(&a.LaunchTemplateID, "The fleet's launch template; by it a group that lost its tags is known.")
	an.Describe(&a.DeleteBefore, "Ids of what the instances use: subnets, target groups. They only set the order: Pulumi deletes the fleet's groups before those.")
}

// IdentityState is what the Pulumi state keeps of an Identity.
type IdentityState struct {
	IdentityArgs
	Region string `pulumi:"region"`
}

func (a IdentityArgs) identity() identity {
	return identity{Key: a.Key, Application: a.Application, DeploymentGroup: a.DeploymentGroup, LaunchTemplateID: a.LaunchTemplateID}
}

// Annotate implements infer.Annotated.
func (i *Identity) Annotate(a infer.Annotator) {
	a.Describe(&i, "The name of a fleet. Its deletion removes whatever group still carries it.")
	a.SetToken("index", "Identity")
}

// Check implements infer.CustomCheck.
func (i *Identity) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[IdentityArgs], error) {
	args, failures, err := infer.DefaultCheck[IdentityArgs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[IdentityArgs]{Inputs: args, Failures: failures}, err
	}
	args.Release = args.Release.withDefaults()
	found := append(args.identity().validate(), args.Release.validate()...)
	return infer.CheckResponse[IdentityArgs]{Inputs: args, Failures: failuresOf(found, req)}, nil
}

// Diff implements infer.CustomDiff. What only sets the order makes no
// difference.
func (i *Identity) Diff(_ context.Context, req infer.DiffRequest[IdentityArgs, IdentityState]) (infer.DiffResponse, error) {
	changed := releaseDifference(req.State.Release, req.Inputs.Release)
	if req.State.LaunchTemplateID != req.Inputs.LaunchTemplateID {
		changed = append(changed, "launchTemplateId")
	}
	if req.State.Key != req.Inputs.Key {
		changed = append(changed, "key")
	}
	return inPlace(changed, "key"), nil
}

// Create makes nothing in AWS.
func (i *Identity) Create(ctx context.Context, req infer.CreateRequest[IdentityArgs]) (infer.CreateResponse[IdentityState], error) {
	state := IdentityState{IdentityArgs: req.Inputs, Region: infer.GetConfig[Config](ctx).Region}
	return infer.CreateResponse[IdentityState]{ID: req.Inputs.Key, Output: state}, nil
}

// Update changes nothing in AWS.
func (i *Identity) Update(_ context.Context, req infer.UpdateRequest[IdentityArgs, IdentityState]) (infer.UpdateResponse[IdentityState], error) {
	state := req.State
	state.IdentityArgs = req.Inputs
	return infer.UpdateResponse[IdentityState]{Output: state}, nil
}

// Delete removes every group that carries the key.
func (i *Identity) Delete(ctx context.Context, req infer.DeleteRequest[IdentityState]) (infer.DeleteResponse, error) {
	s, err := i.aws.site(ctx, req.State.Region)
	if err != nil {
		return infer.DeleteResponse{}, err
	}
	return infer.DeleteResponse{}, s.sweep(ctx, req.State.identity(), req.State.Release)
}
