// Command pulumi-resource-random is a stand-in for Pulumi's random plugin, for
// machines that cannot download it. It has the resources that the platform uses,
// with the official plugin's property names and semantics, and draws from the
// operating system's random source. State made by the one can be used by the
// other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// version is the pulumi-random SDK whose tokens and property names these are.
const version = "4.18.4"

func main() {
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.String("tracing", "", "accepted from the engine and ignored")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "random plugin:", err)
		os.Exit(1)
	}
}

// serve answers the engine at the given address until it goes away. The engine
// reads from standard output which port to talk to.
func serve(engine string) error {
	if engine == "" {
		return errors.New("no engine address given; Pulumi starts this program by itself")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := rpcutil.Healthcheck(ctx, engine, 5*time.Minute, stop); err != nil {
		return fmt.Errorf("engine %s: %w", engine, err)
	}
	cancel := make(chan bool)
	context.AfterFunc(ctx, func() { close(cancel) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(server, plugin.NewProviderServer(&provider{}))
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
