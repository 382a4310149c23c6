package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bluegreen/infra/parameters"
	"bluegreen/stacks"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// patient is what is looked at. What several checks want is read once, when the
// first of them asks.
type patient struct {
	Options
	settings    func() (settled, error)
	application func() (application, error)
	account     func() (aws.Config, error) // that the stack allows
	identity    func() (sts.GetCallerIdentityOutput, error)
	outputs     func() (map[string]any, error)
	parameters  func() (map[string]parameter, error)
	balancer    func() (balancer, error)
	group       func() (types.DeploymentGroupInfo, error)
	backend     func() (string, error)
}

// settled is a configuration without mistakes.
type settled struct {
	stacks.Settings
	registry  parameters.Registry
	variables []parameters.Parameter // that the stack stores
}

// newPatient reads nothing yet. The context is that of all checks: what is read
// for one is there for the others, too.
func newPatient(ctx context.Context, o Options) *patient {
	if o.File == "" {
		o.File = filepath.Join(o.Root, "Pulumi."+environment(o.Stack)+".yaml")
	}
	if o.resolver == nil {
		o.resolver = &net.Resolver{}
	}
	p := &patient{Options: o}
	p.settings = sync.OnceValues(p.readSettings)
	p.application = sync.OnceValues(func() (application, error) { return p.readApplication(ctx) })
	p.identity = sync.OnceValues(func() (sts.GetCallerIdentityOutput, error) { return p.readIdentity(ctx) })
	p.account = sync.OnceValues(func() (aws.Config, error) { return p.allowedAccount(ctx) })
	p.outputs = sync.OnceValues(func() (map[string]any, error) { return p.readOutputs(ctx) })
	p.parameters = sync.OnceValues(func() (map[string]parameter, error) { return p.readParameters(ctx) })
	p.balancer = sync.OnceValues(func() (balancer, error) { return p.readBalancer(ctx) })
	p.group = sync.OnceValues(func() (types.DeploymentGroupInfo, error) { return p.readGroup(ctx) })
	p.backend = sync.OnceValues(func() (string, error) { return p.readBackend(ctx) })
	return p
}

// environment is the last part of a stack's name, which the program goes by.
func environment(stack string) string { return stack[strings.LastIndex(stack, "/")+1:] }

func (p *patient) environment() string { return environment(p.Stack) }

func (p *patient) path(elements ...string) string {
	return filepath.Join(append([]string{p.Root}, elements...)...)
}

func (p *patient) readSettings() (settled, error) {
	values, err := stacks.ReadConfig(p.path("Pulumi.yaml"), p.File)
	if err != nil {
		return settled{}, err
	}
	settings, registry, err := stacks.Load(p.Root, values, p.environment())
	if err != nil {
		return settled{}, err
	}
	variables, err := settings.Variables(registry)
	return settled{settings, registry, variables}, err
}

// The needs of checks.

var (
	errOffline  = errors.New("offline")
	errSettings = errors.New("the configuration has mistakes, see above")
)

func online(_ context.Context, p *patient) error {
	if p.Offline {
		return errOffline
	}
	return nil
}

func settings(_ context.Context, p *patient) error {
	if _, err := p.settings(); err != nil {
		return errSettings
	}
	return nil
}

func inApplication(_ context.Context, p *patient) error {
	_, err := p.application()
	return err
}

// signedIn wants credentials of the stack's own account: what is in another says
// nothing about the stack.
func signedIn(_ context.Context, p *patient) error {
	_, err := p.account()
	return err
}

func up(_ context.Context, p *patient) error {
	_, err := p.outputs()
	return err
}

// public wants names that the internet knows.
func public(context.Context, *patient) error {
	if emulated() {
		return errors.New("the emulated AWS has no DNS")
	}
	return nil
}

// emulated tells whether AWS is an emulator on this machine.
func emulated() bool {
	place, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	return err == nil && (place.Hostname() == "localhost" || net.ParseIP(place.Hostname()).IsLoopback())
}

// callTime bounds one call of AWS, with its second try.
const callTime = 20 * time.Second

// load configures the AWS SDK as AWS's own tools are.
func (p *patient) load(ctx context.Context, region string) (aws.Config, error) {
	if p.aws != nil {
		return *p.aws, nil
	}
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 2) }))
	if err != nil {
		return aws.Config{}, fmt.Errorf("aws configuration: %w", err)
	}
	return loaded, nil
}
