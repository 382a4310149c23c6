// Package provider is the native Pulumi provider bluegreen. Its resource Fleet
// is an Auto Scaling group that CodeDeploy replaces at every release and that
// stays one resource all the same: its identity is a tag, not the group's name.
//
// What decides is pure and stands in files of its own: choose.go (which group
// is live), observe.go (what is a change), validate.go. aws.go and its
// neighbours only translate.
package provider

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Name is the provider's package name, the first part of its type tokens.
const Name = "bluegreen"

// Version is the plugin's version.
const Version = "1.0.0"

// Config is the provider's configuration: how to reach AWS. Credentials come
// from the environment, as everywhere.
type Config struct {
	Region            string   `pulumi:"region"`
	Profile           string   `pulumi:"profile,optional"`
	Endpoint          string   `pulumi:"endpoint,optional"`
	AllowedAccountIDs []string `pulumi:"allowedAccountIds,optional"`
}

// Annotate implements infer.Annotated.
func (c *Config) Annotate(a infer.Annotator) {
	a.Describe(&c.Region, "The AWS region. A fleet never moves: with another region every operation on it stops.")
	a.Describe(&c.Profile, "A profile of the AWS configuration files. Default: AWS_PROFILE.")
	a.Describe(&c.Endpoint, "An endpoint for all of AWS, for emulators. Default: AWS_ENDPOINT_URL.")
	a.Describe(&c.AllowedAccountIDs, "The accounts that the credentials may be of. Default: any.")
}

// Connector opens AWS for a configuration: Connect, or a test's stand-in.
type Connector func(context.Context, Config) (Cloud, error)

// New builds the provider.
func New(connect Connector, pace Pace) (p.Provider, error) {
	shared := &backend{connect: connect, pace: pace}
	built, err := infer.NewProviderBuilder().
		WithNamespace(Name).
		WithDisplayName(Name).
		WithDescription("An Auto Scaling group that survives CodeDeploy's blue/green deployments.").
		WithConfig(infer.Config(Config{})).
		WithResources(infer.Resource(&Fleet{shared}), infer.Resource(&Identity{shared}), infer.Resource(&Guard{shared})).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("provider %s: %w", Name, err)
	}
	built.DiffConfig = diffConfig
	check := built.Check
	built.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		checked, err := check(ctx, req)
		checked.Inputs = stillUnknown(req.Inputs, checked.Inputs)
		return checked, err
	}
	return built, nil
}

// stillUnknown puts back what a preview does not know yet: infer drops a list
// that is unknown as a whole, and the preview would show it as removed.
func stillUnknown(given, checked property.Map) property.Map {
	for name, value := range given.All {
		if _, kept := checked.GetOk(name); !kept && value.HasComputed() {
			checked = checked.Set(name, value)
		}
	}
	return checked
}

// diffConfig never asks for a replacement. infer would replace the provider,
// and with it every fleet, at each change of its configuration and at each
// change of its own version (pulumi-go-provider, issue 409). What changed is
// an update in place: told that nothing changed, the engine would go on with
// the old configuration.
func diffConfig(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	detail := map[string]p.PropertyDiff{}
	for _, name := range []string{"region", "profile", "endpoint", "allowedAccountIds"} {
		if !req.State.Get(name).Equals(req.Inputs.Get(name)) {
			detail[name] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
		}
	}
	return p.DiffResponse{HasChanges: len(detail) > 0, DetailedDiff: detail}, nil
}

// backend is what the resources share: the way to AWS, opened when the first
// of them needs it.
type backend struct {
	connect Connector
	pace    Pace

	lock   sync.Mutex
	opened Cloud
	config Config
}

// site opens AWS. region is where the state says that the fleet is, empty when
// there is no state.
func (b *backend) site(ctx context.Context, region string) (site, error) {
	config := infer.GetConfig[Config](ctx)
	if region != "" && region != config.Region {
		return site{}, fmt.Errorf("the fleet is in %s, the provider is configured for %s; set the region back, or destroy the fleet there first", region, config.Region)
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.opened == nil || !reflect.DeepEqual(b.config, config) {
		opened, err := b.connect(ctx, config)
		if err != nil {
			return site{}, err
		}
		b.opened, b.config = opened, config
	}
	return site{cloud: b.opened, pace: pace{b.pace}}, nil
}
