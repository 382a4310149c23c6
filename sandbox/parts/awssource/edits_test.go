package awssource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serviceList is upstream's list of service packages in small.
func serviceList(names []string) []byte {
	var imports, elements strings.Builder
	for _, name := range names {
		fmt.Fprintf(&imports, "\t%q\n", servicePrefix+name)
		fmt.Fprintf(&elements, "\t\t%s.ServicePackage(ctx),\n", name)
	}
	return []byte("package provider\n\nimport (\n\t\"context\"\n" + imports.String() + `)

func servicePackages(ctx context.Context) []any {
	v := []any{
` + elements.String() + "\t}\n\n\treturn v\n}\n")
}

func TestSlimServices(t *testing.T) {
	slim, err := slimServices("", serviceList(append([]string{"lambda", "workspaces"}, services...)))
	require.NoError(t, err)
	assert.NotContains(t, string(slim), "lambda")
	assert.NotContains(t, string(slim), "workspaces")
	for _, service := range services {
		assert.Contains(t, string(slim), "\t"+service+".ServicePackage(ctx),\n")
		assert.Contains(t, string(slim), `"`+servicePrefix+service+`"`)
	}
	assert.Contains(t, string(slim), `"context"`)
}

func TestSlimServicesWantsEveryService(t *testing.T) {
	_, err := slimServices("", serviceList(services[1:]))
	assert.ErrorContains(t, err, `service "acm" is not in the upstream list`)

	unlisted := strings.Replace(string(serviceList(services)), "\t\tacm.ServicePackage(ctx),\n", "", 1)
	_, err = slimServices("", []byte(unlisted))
	assert.ErrorContains(t, err, "another form")
}

const clients = `package conns

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/hashicorp/terraform-provider-aws/names"
)

func (c *AWSClient) EC2Client(ctx context.Context) *ec2.Client {
	return make[*ec2.Client](ctx, c, names.EC2)
}

func (c *AWSClient) LambdaClient(ctx context.Context) *lambda.Client {
	return make[*lambda.Client](ctx, c, names.Lambda)
}
`

// copied is a copy in small: one service, which imports the given clients.
func copied(t *testing.T, imports ...string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "internal", "service", "ec2")
	require.NoError(t, os.MkdirAll(folder, 0o750))
	var text strings.Builder
	text.WriteString("package ec2\n\n")
	for _, name := range imports {
		fmt.Fprintf(&text, "import %q\n", clientPrefix+name)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "vpc.go"), []byte(text.String()), 0o600))
	return filepath.Join(folder, "..", "..", "..")
}

func TestSlimClients(t *testing.T) {
	slim, err := slimClients(copied(t, "ec2", "ec2/types"), []byte(clients))
	require.NoError(t, err)
	assert.Contains(t, string(slim), "EC2Client(")
	assert.Contains(t, string(slim), `"`+clientPrefix+`ec2"`)
	assert.Contains(t, string(slim), "terraform-provider-aws/names")
	assert.NotContains(t, strings.ToLower(string(slim)), "lambda")
}

func TestSlimClientsFailsOnOtherForms(t *testing.T) {
	_, err := slimClients(copied(t, "ec2", "iam"), []byte(clients))
	assert.ErrorContains(t, err, "no method makes a client of "+clientPrefix+"iam")

	_, err = slimClients(copied(t, "ec2"), []byte(clients+"\nfunc (c *AWSClient) Region() string { return c.region }\n"))
	assert.ErrorContains(t, err, "method Region does not return one client")

	_, err = slimClients(copied(t), []byte(clients))
	assert.ErrorContains(t, err, "no service")
}

func TestFastWaits(t *testing.T) {
	const polls = "package retry\n\nimport (\n\t\"context\"\n\t\"log\"\n\t\"time\"\n)\n\nfunc wait() {\n\tnotfoundTick := 0\n}\n"
	const reads = "package s3\n\nimport (\n\t\"log\"\n\t\"time\"\n)\n\nfunc read() {\n\tretry(func() {\n\t\ttime.Sleep(lifecycleConfigurationExtraRetryDelay)\n\t})\n}\n"
	for name, c := range map[string]struct {
		apply      func(string, []byte) ([]byte, error)
		text, want string
	}{
		"polls": {fastPolls, polls, "\tif os.Getenv(\"" + FastWaits + "\") != \"\" {\n\t\tconf.Delay, conf.MinTimeout, conf.PollInterval = 0, 0, 20*time.Millisecond\n\t}\n\n\tnotfoundTick := 0\n"},
		"reads": {fastReads, reads, "\t\tif os.Getenv(\"" + FastWaits + "\") == \"\" {\n\t\t\ttime.Sleep(lifecycleConfigurationExtraRetryDelay)\n\t\t}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fast, err := c.apply("", []byte(c.text))
			require.NoError(t, err)
			assert.Contains(t, string(fast), c.want)
			assert.Contains(t, string(fast), "\t\"log\"\n\t\"os\"\n")

			_, err = c.apply("", []byte(c.text+c.text))
			assert.ErrorContains(t, err, "occurs 2 times, want once")
			_, err = c.apply("", []byte("package other\n\nimport (\n\t\"log\"\n)\n"))
			assert.ErrorContains(t, err, "occurs 0 times, want once")
		})
	}
}
