package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-provider-aws/xpprovider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
)

// version is the pulumi-aws SDK whose tokens and names the tables hold.
const version = "6.83.2"

// newInfo describes the Terraform provider to the bridge.
func newInfo(ctx context.Context) (tfbridge.ProviderInfo, error) {
	framework, sdk, err := xpprovider.GetProvider(ctx)
	if err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("terraform provider: %w", err)
	}
	info := tfbridge.ProviderInfo{
		P:            pfbridge.MuxShimWithPF(ctx, shimv2.NewProvider(sdk), framework),
		Name:         "aws",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(nil),
		Config:       config(),
	}
	info.Resources, err = resources()
	if err != nil {
		return info, err
	}
	info.DataSources, err = functions()
	if err != nil {
		return info, err
	}
	if err := customise(info); err != nil {
		return info, err
	}
	info.SetAutonaming(255, "-")
	return info, dispatch(&info)
}

// config has what the SDK declares otherwise than Terraform.
func config() map[string]*tfbridge.SchemaInfo {
	return map[string]*tfbridge.SchemaInfo{
		"assume_role": {Name: "assumeRole", MaxItemsOne: tfbridge.True()},
		"region":      {Default: &tfbridge.DefaultInfo{EnvVars: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}}},
		// Terraform has a string here, to tell "unset" from "false".
		"skip_metadata_api_check": {Type: "boolean"},
		"skip_region_validation":  {Default: &tfbridge.DefaultInfo{Value: true}},
	}
}

// dispatch tells the bridge which half of the provider serves which token. The
// official plugin reads that from a file that its build writes.
func dispatch(info *tfbridge.ProviderInfo) error {
	halves, ok := info.P.(interface {
		ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	if !ok {
		return fmt.Errorf("bridge: %T cannot tell the halves of the provider apart", info.P)
	}
	table, err := halves.ResolveDispatch(info)
	if err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	return metadata.Set(info.GetMetadata(), "mux", table)
}
