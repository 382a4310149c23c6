package parameters

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// Renaming the token replaces the parameters.
const typeToken = "bluegreen:infra:Parameters"

// Args is the registry and what this stack has for it. There is no Spec: the
// registry is a file of its own, and Values may hold secrets.
type Args struct {
	Registry Registry
	Site     naming.Site
	// Outputs are what the platform makes, by the names that the registry
	// knows: allowedHosts, databaseUrl, redisUrl, region, storageBucket. What
	// this stack does not make is absent.
	Outputs map[string]pulumi.StringInput
	// Values are the stack's configuration under "environment", decrypted.
	// What the registry calls secret becomes a Pulumi secret here, before it
	// reaches a resource.
	Values map[string]string
	// KeyManaged encrypts secrets with the key KeyARN, which only the roles
	// that it names may use. False takes the account's key alias/aws/ssm,
	// which every principal with access to the parameters may use.
	KeyManaged bool
	KeyARN     pulumi.StringInput // required with KeyManaged
}

func (a Args) plan() ([]Parameter, error) {
	var problems []error
	if a.Site.Project == "" || a.Site.Environment == "" {
		problems = append(problems, errors.New("site: project and environment are required"))
	}
	if a.KeyManaged && a.KeyARN == nil {
		problems = append(problems, errors.New("keyArn: required with keyManaged, got none"))
	}
	plan, err := a.Registry.Resolve(slices.Sorted(maps.Keys(a.Outputs)), a.Values)
	return plan, errors.Join(append(problems, err)...)
}

// Parameters is the application's environment in Parameter Store.
type Parameters struct {
	pulumi.ResourceState

	Path  pulumi.StringOutput // as in "/example/prod/"
	Names []string            // of the stored variables, sorted

	values map[string]pulumi.StringOutput
}

// Value returns what is stored for a variable, secret if the registry says so,
// and whether anything is.
func (p *Parameters) Value(name string) (pulumi.StringOutput, bool) {
	value, ok := p.values[name]
	return value, ok
}

// New declares a parameter for each variable that has a value in this stack.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (p *Parameters, err error) {
	defer func() {
		if err != nil {
			p, err = nil, fmt.Errorf("parameters %s: %w", name, err)
		}
	}()
	plan, err := args.plan()
	if err != nil {
		return nil, err
	}
	p = &Parameters{
		Path:   pulumi.String(args.Site.ParameterPath()).ToStringOutput(),
		values: map[string]pulumi.StringOutput{},
	}
	if err := ctx.RegisterComponentResource(typeToken, name, p, opts...); err != nil {
		return nil, err
	}
	own := pulumi.Parent(p)
	for _, parameter := range plan {
		value, err := newValue(ctx, name, args, parameter, own)
		if err != nil {
			return nil, err
		}
		if err := newParameter(ctx, name, args, parameter, value, own); err != nil {
			return nil, err
		}
		p.values[parameter.Name] = value
	}
	p.Names = slices.Sorted(maps.Keys(p.values))
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{
		"path":  p.Path,
		"names": pulumi.ToStringArray(p.Names),
	})
}

// newValue is a parameter's value, marked as secret if it is one.
func newValue(ctx *pulumi.Context, name string, args Args, parameter Parameter, own pulumi.ResourceOption) (pulumi.StringOutput, error) {
	var value pulumi.StringInput
	switch parameter.Source {
	case FromOutput:
		value = args.Outputs[parameter.Output]
	case FromGenerator:
		generated, err := newGenerated(ctx, name, parameter, own)
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		value = generated
	default:
		value = pulumi.String(parameter.Value)
	}
	if parameter.Secret {
		return pulumi.ToSecret(value.ToStringOutput()).(pulumi.StringOutput), nil
	}
	return value.ToStringOutput(), nil
}

// newGenerated makes a random value. It has no keepers: only taking it out of
// the state, or naming another length, makes a new one.
func newGenerated(ctx *pulumi.Context, name string, parameter Parameter, own pulumi.ResourceOption) (pulumi.StringOutput, error) {
	password, err := random.NewRandomPassword(ctx, name+"-"+parameter.Name, &random.RandomPasswordArgs{
		Length:  pulumi.Int(parameter.Generated.Length),
		Special: pulumi.Bool(false), // letters and digits need no escaping anywhere
	}, own)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if parameter.Generated.Form == Path {
		return pulumi.StringOutput(pulumix.Apply(password.Result, asPath)), nil
	}
	return password.Result, nil
}

// asPath ends a segment with a slash, as Django's URL patterns want it.
func asPath(segment string) string { return segment + "/" }

func newParameter(ctx *pulumi.Context, name string, args Args, parameter Parameter, value pulumi.StringOutput, own pulumi.ResourceOption) error {
	declared := &ssm.ParameterArgs{
		Name:        pulumi.String(args.Site.ParameterPath() + parameter.Name),
		Description: pulumi.String(parameter.Description),
		Tier:        pulumi.String("Standard"),
	}
	if parameter.Secret {
		declared.Type, declared.Value = pulumi.String("SecureString"), value
		if args.KeyManaged {
			declared.KeyId = args.KeyARN.ToStringOutput()
		}
	} else {
		// The plain field: a preview shows what changes.
		declared.Type, declared.InsecureValue = pulumi.String("String"), value
	}
	// Parameter Store cannot change a parameter's type (AWS Systems Manager
	// API Reference, "PutParameter", HierarchyTypeMismatchException), and two
	// parameters cannot have one name.
	_, err := ssm.NewParameter(ctx, name+"-"+parameter.Name, declared, own,
		pulumi.ReplaceOnChanges([]string{"type"}), pulumi.DeleteBeforeReplace(true))
	return err
}
