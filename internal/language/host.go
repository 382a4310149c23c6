// Package language lets Pulumi's engine run this repository's program where no
// Go language host is installed: the one that the sandbox builds from Go modules
// comes without, since no registry has the host.
//
// The engine starts it as the plugin pulumi-language-go, which tools/language puts
// on PATH. An official installation has a host of its own, and never asks.
package language

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engineGone is how long the engine may be silent before the host ends, too.
const engineGone = 5 * time.Minute

// Serve runs the program for the engine at an address until the engine or ctx
// ends. It writes the port that it listens on to out, where the engine reads it.
//
// Errors: no address; a port that cannot be had.
func Serve(ctx context.Context, program pulumi.RunFunc, engine string, out io.Writer) error {
	if engine == "" {
		return errors.New("language host: the engine starts this, with its address as the last argument")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := rpcutil.Healthcheck(ctx, engine, engineGone, cancel); err != nil {
		return fmt.Errorf("language host: engine at %s: %w", engine, err)
	}
	stop := make(chan bool)
	served, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{program: program, engine: engine})
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("language host: %w", err)
	}
	fmt.Fprintln(out, served.Port)
	context.AfterFunc(ctx, func() { close(stop) })
	return <-served.Done
}

// host answers the engine.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	program pulumi.RunFunc
	engine  string
}

// Run runs the program once, in the project's folder.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	root := request.GetInfo().GetRootDirectory()
	if err := os.Chdir(root); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	program, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		EngineAddr: h.engine, MonitorAddr: request.GetMonitorAddress(), Config: request.GetConfig(), ConfigSecretKeys: request.GetConfigSecretKeys(),
		Project: request.GetProject(), Stack: request.GetStack(), Organization: request.GetOrganization(), RootDirectory: root,
		Parallel: request.GetParallel(), DryRun: request.GetDryRun(),
	})
	if err != nil {
		return nil, err
	}
	defer program.Close()
	if err := pulumi.RunWithContext(program, h.program); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// GetRequiredPackages names none: the engine finds a plugin when a resource asks
// for it, at the version that the resource names.
func (*host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// GetRequiredPlugins is GetRequiredPackages as older engines ask for it.
func (*host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// GetPluginInfo has no version to tell: the host is part of the checkout.
func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// InstallDependencies has nothing to install: the program is compiled in.
func (*host) InstallDependencies(*pulumirpc.InstallDependenciesRequest, grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return nil
}
