package language

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engine is the least of one: it says that it is there.
func engine(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestTheHostSaysItsPortAndAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	ran := false
	program := func(*pulumi.Context) error { ran = true; return nil }
	address := engine(t)
	go func() { ended <- Serve(ctx, program, address, writer) }()
	port, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)

	connection, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { connection.Close() })
	client := pulumirpc.NewLanguageRuntimeClient(connection)
	_, err = client.GetPluginInfo(ctx, &emptypb.Empty{})
	require.NoError(t, err)
	packages, err := client.GetRequiredPackages(ctx, &pulumirpc.GetRequiredPackagesRequest{})
	require.NoError(t, err)
	assert.Empty(t, packages.GetPackages())
	absent := filepath.Join(t.TempDir(), "absent")
	response, err := client.Run(ctx, &pulumirpc.RunRequest{Info: &pulumirpc.ProgramInfo{RootDirectory: absent}})
	require.NoError(t, err)
	assert.Contains(t, response.GetError(), absent)
	assert.False(t, ran)

	cancel()
	assert.NoError(t, <-ended)
}

func TestTheHostNeedsAnEngine(t *testing.T) {
	assert.ErrorContains(t, Serve(t.Context(), nil, "", io.Discard), "the engine starts this")
}
