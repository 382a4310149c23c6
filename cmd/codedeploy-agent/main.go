// Command codedeploy-agent runs on a machine of the rehearsal, as the service of
// that name. It has no options: AWS_ENDPOINT_URL and the like in its environment
// say where the emulated AWS answers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"bluegreen/sandbox/agent"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "codedeploy-agent:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	syscall.Umask(0o022) // what systemd gives AWS's agent, whoever starts this one
	served, err := agent.New(agent.Options{})
	if err != nil {
		return err
	}
	return served.Serve(ctx, agent.Socket)
}
