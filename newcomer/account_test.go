package newcomer

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bluegreen/sandbox"
	"bluegreen/sandbox/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a newcomer has before the first step: an account, and a domain in it.
const (
	accountID = "444455556666"
	region    = "us-east-2"
	domain    = "bakery.example"
)

// account is an AWS account with nothing in it but a hosted zone.
type account struct {
	aws.Config
	environment map[string]string // what makes programs work on it, without credentials of anybody
}

// openAccount starts an emulated AWS. The sandbox's own stack there is empty: it
// only has the engine's plugins put in place.
func openAccount(t *testing.T, root string) account {
	t.Helper()
	options := sandbox.Options{
		Root: root, Folder: filepath.Join(t.TempDir(), "aws"), Stack: "prod", Progress: t.Output(),
		Serve: []string{filepath.Join(root, "bin", "bluegreen"), "sandbox", "serve"},
		Program: sandbox.Program{
			Run: func(*pulumi.Context) error { return nil },
			World: func(string, string) (sandbox.World, error) {
				return sandbox.World{Stack: "prod", Account: accountID, Region: region, Seed: emulator.Seed{
					Zones: []string{domain}, Images: emulator.UbuntuImages(),
				}}, nil
			},
		},
	}
	running, err := sandbox.New(options)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := running.Destroy(context.Background(), true)
		assert.NoError(t, err)
	})
	_, err = running.Up(t.Context())
	require.NoError(t, err)
	code, err := running.Environment(t.Context())
	require.NoError(t, err)
	return account{
		Config:      aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("newcomer", "newcomer", "")},
		environment: exported(t, code),
	}.connected()
}

func (a account) connected() account {
	a.BaseEndpoint = aws.String(a.environment["AWS_ENDPOINT_URL"])
	// Of the sandbox's stack, of which a newcomer knows nothing.
	for _, name := range []string{"PULUMI_STACK", "PULUMI_OPTION_CONFIG_FILE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"} {
		delete(a.environment, name)
	}
	for _, name := range credentialsOf {
		delete(a.environment, name)
	}
	return a
}

// credentialsOf are what somebody who is signed in has.
var credentialsOf = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"}

// signedIn are the variables of somebody who is.
func signedIn() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": "newcomer", "AWS_SECRET_ACCESS_KEY": "newcomer", "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
}

// exported are the variables that shell code makes, of this machine and its own;
// what belongs to whoever runs the tests is left out.
func exported(t *testing.T, code string) map[string]string {
	t.Helper()
	command := exec.Command("bash", "-c", code+"\nenv -0")
	out, err := command.Output()
	require.NoError(t, err)
	found := map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		if foreign(name) && value == os.Getenv(name) {
			continue
		}
		found[name] = value
	}
	return found
}

// foreign tells whether a variable is about an account, or of the CI that runs
// the tests.
func foreign(name string) bool {
	for _, prefix := range []string{"AWS_", "PULUMI_", "GITHUB_", "GH_", "RUNNER_", "ACTIONS_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "CI" || name == "STACK" || name == "PREVIEWS" || strings.HasPrefix(name, "MAKE") || name == "MFLAGS"
}

// client speaks to the emulated S3, whose buckets are paths.
func (a account) s3() *s3.Client {
	return s3.NewFromConfig(a.Config, func(o *s3.Options) { o.UsePathStyle = true })
}

// makeBucket is what aws s3 mb does.
func (a account) makeBucket(t *testing.T, name string) {
	t.Helper()
	_, err := a.s3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: region},
	})
	require.NoError(t, err)
}

// backend is the address of a bucket with Pulumi's state. On AWS it is s3://NAME.
func (a account) backend(bucket string) string {
	return "s3://" + bucket + "?region=" + region + "&endpoint=" + strings.TrimPrefix(*a.BaseEndpoint, "http://") + "&disableSSL=true&s3ForcePathStyle=true"
}
