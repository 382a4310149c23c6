package stacks

import (
	"maps"

	"bluegreen/infra/naming"
	"bluegreen/provider/sdk"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// provider declares the one AWS provider of the stack. It stops when the
// credentials are another account's, and tags all that it makes.
func provider(ctx *pulumi.Context, s Settings) (*aws.Provider, error) {
	return aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region:            pulumi.String(s.Region),
		AllowedAccountIds: pulumi.ToStringArray([]string{s.Account}),
		DefaultTags:       &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(tags(s))},
	})
}

// fleetProvider declares this repository's own provider, of the fleet's Auto
// Scaling group. It takes the same credentials from the environment.
func fleetProvider(ctx *pulumi.Context, s Settings) (*sdk.Provider, error) {
	return sdk.NewProvider(ctx, "bluegreen", sdk.ProviderArgs{
		Region:            pulumi.String(s.Region),
		AllowedAccountIDs: pulumi.ToStringArray([]string{s.Account}),
	})
}

// baseTags tell whose a resource is. Nothing here changes from release to
// release: a tag that did would be a difference for ever.
func baseTags(site naming.Site) map[string]string {
	return map[string]string{
		"Project":     site.Project,
		"Environment": site.Environment,
		"ManagedBy":   "pulumi",
	}
}

// tags are the tags of everything in the stack.
func tags(s Settings) map[string]string {
	all := maps.Clone(s.Tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, baseTags(s.Site()))
	return all
}
