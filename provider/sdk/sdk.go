// Package sdk declares the resources of the provider bluegreen in a Pulumi
// program. It knows nothing of AWS and imports only the Pulumi SDK.
//
// A fleet is three resources: an Identity, made before anything exists, the
// Fleet itself, whose key is the Identity's, and a Guard after the deployment
// group. The second is what an operator sees. The first makes sure that pulumi
// destroy finds every group, even one whose creation was cut off before the
// state knew of it; the last, that a release is not robbed of its deployment
// group.
package sdk

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Renaming a token replaces what it names.
const (
	providerToken = "bluegreen"
	identityToken = "bluegreen:index:Identity"
	fleetToken    = "bluegreen:index:Fleet"
	guardToken    = "bluegreen:index:Guard"
)

// Provider is the configured provider.
type Provider struct{ pulumi.ProviderResourceState }

// ProviderArgs say how the plugin reaches AWS. It does not see the
// configuration of the AWS provider; credentials come from the environment.
type ProviderArgs struct {
	Region            pulumi.StringInput      // required, as in "us-east-2"
	Profile           pulumi.StringInput      // of the AWS configuration files; AWS_PROFILE when nil
	Endpoint          pulumi.StringInput      // one endpoint for all of AWS; AWS_ENDPOINT_URL when nil
	AllowedAccountIDs pulumi.StringArrayInput // a run with credentials of another account stops; any when nil
}

// NewProvider declares the provider. Changing its arguments never replaces a
// fleet.
func NewProvider(ctx *pulumi.Context, name string, args ProviderArgs, opts ...pulumi.ResourceOption) (*Provider, error) {
	if args.Region == nil {
		return nil, fmt.Errorf("provider %s: region: required, got none", name)
	}
	properties := given(pulumi.Map{
		"region": args.Region, "profile": args.Profile, "endpoint": args.Endpoint, "allowedAccountIds": args.AllowedAccountIDs,
	})
	p := &Provider{}
	return p, ctx.RegisterResource("pulumi:providers:"+providerToken, name, properties, p, opts...)
}

// Release ties a fleet to CodeDeploy.
type Release struct {
	// Application and DeploymentGroup are names. Neither needs to exist yet;
	// the deployment group takes the Fleet's GroupName, so it comes later.
	Application, DeploymentGroup pulumi.StringInput
	// WaitForDeployment is how long an update or a deletion waits for a
	// running deployment before it refuses, as in "30m", the default.
	WaitForDeployment pulumi.StringInput
	// StopDeploymentOnDelete stops a running deployment on deletion instead.
	StopDeploymentOnDelete pulumi.BoolInput
}

func (r Release) properties() pulumi.Map {
	return pulumi.Map{
		"application": r.Application, "deploymentGroup": r.DeploymentGroup,
		"waitForDeployment": r.WaitForDeployment, "stopDeploymentOnDelete": r.StopDeploymentOnDelete,
	}
}

// IdentityArgs are the arguments of an Identity.
type IdentityArgs struct {
	// Key is project/stack/name, the value of the tag bluegreen:fleet.
	// Renaming the stack later keeps the key.
	Key string
	Release
	LaunchTemplateID pulumi.StringInput
	// DeleteBefore are ids of what the instances use, subnets and target
	// groups: Pulumi deletes those after the fleet's groups.
	DeleteBefore pulumi.StringArrayInput
}

// Identity is the name of a fleet, in the state before its first group exists.
type Identity struct {
	pulumi.CustomResourceState

	Key pulumi.StringOutput `pulumi:"key"`
}

// NewIdentity declares an Identity.
func NewIdentity(ctx *pulumi.Context, name string, args IdentityArgs, opts ...pulumi.ResourceOption) (*Identity, error) {
	properties := args.Release.properties()
	properties["key"] = pulumi.String(args.Key)
	properties["launchTemplateId"] = args.LaunchTemplateID
	properties["deleteBefore"] = args.DeleteBefore
	i := &Identity{}
	// The key holds the stack's name, which may change; the fleet stays.
	opts = append([]pulumi.ResourceOption{pulumi.IgnoreChanges([]string{"key"})}, opts...)
	return i, ctx.RegisterResource(identityToken, name, given(properties), i, opts...)
}

// GuardArgs are the arguments of a Guard.
type GuardArgs struct {
	Release
	DeploymentGroupID pulumi.StringInput // the deployment group is deleted after the Guard
}

// Guard keeps pulumi destroy from a deployment group whose deployment runs.
type Guard struct{ pulumi.CustomResourceState }

// NewGuard declares a Guard.
func NewGuard(ctx *pulumi.Context, name string, args GuardArgs, opts ...pulumi.ResourceOption) (*Guard, error) {
	properties := args.Release.properties()
	properties["deploymentGroupId"] = args.DeploymentGroupID
	g := &Guard{}
	return g, ctx.RegisterResource(guardToken, name, given(properties), g, opts...)
}
