package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bluegreen/infra/parameters"
	"bluegreen/stacks"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// parameter is a variable in Parameter Store, with its value if that is no secret.
type parameter struct {
	secret bool
	value  string
}

func stored() []check {
	needs := []need{online, settings, signedIn, up}
	return []check{
		{"parameters: registry", needs, checkParameters},
		{"parameters: host names", needs, checkStoredHosts},
	}
}

// readParameters reads names, and values that are no secrets: nothing is
// decrypted.
func (p *patient) readParameters(ctx context.Context) (map[string]parameter, error) {
	account, err := p.account()
	if err != nil {
		return nil, err
	}
	found, err := p.settings()
	if err != nil {
		return nil, errSettings
	}
	path := found.Site().ParameterPath()
	all := map[string]parameter{}
	pages := ssm.NewGetParametersByPathPaginator(ssm.NewFromConfig(account), &ssm.GetParametersByPathInput{
		Path: aws.String(path), WithDecryption: aws.Bool(false),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, plain(err)
		}
		for _, one := range page.Parameters {
			read := parameter{secret: one.Type == types.ParameterTypeSecureString}
			if !read.secret {
				read.value = aws.ToString(one.Value)
			}
			all[strings.TrimPrefix(aws.ToString(one.Name), path)] = read
		}
	}
	return all, nil
}

// checkParameters compares Parameter Store with what the stack should store, by
// the registry and its configuration.
func checkParameters(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	stored, err := p.parameters()
	if err != nil {
		return fault(err, "")
	}
	var missing, open, changed, strange []string
	for _, want := range found.variables {
		got, there := stored[want.Name]
		switch {
		case !there:
			missing = append(missing, want.Name)
		case want.Secret && !got.secret:
			open = append(open, want.Name)
		case !want.Secret && known(want) && want.Value != got.value:
			changed = append(changed, want.Name)
		}
	}
	for _, name := range sorted(stored) {
		if !found.has(name) {
			strange = append(strange, name)
		}
	}
	var problems []string
	for _, kind := range []struct {
		what  string
		names []string
	}{{"missing: ", missing}, {"secret, but readable: ", open}, {"not the configured value: ", changed}} {
		if len(kind.names) > 0 {
			problems = append(problems, kind.what+strings.Join(kind.names, ", "))
		}
	}
	path := found.Site().ParameterPath()
	switch {
	case len(problems) > 0:
		return failed(path+": "+strings.Join(problems, "; "), "run: pulumi up, then release: services read them when they start")
	case len(strange) > 0:
		return warning(fmt.Sprintf("%s has what environment.yaml and the configuration do not know: %s", path, strings.Join(strange, ", ")), "no service gets them; add them to environment.yaml, or delete them")
	}
	return ok("%s has all %d variables of this stack", path, len(found.variables))
}

// known tells whether the configuration says a value, and not in a form that only
// the stack's key makes readable.
func known(v parameters.Parameter) bool { return v.Value != "" && v.Value != stacks.Placeholder }

// checkStoredHosts compares the host names that the application gets with the
// certificate's and the records'.
func checkStoredHosts(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	stored, err := p.parameters()
	if err != nil {
		return fault(err, "")
	}
	at := slices.IndexFunc(found.variables, func(v parameters.Parameter) bool { return v.Output == allowedHosts })
	if at < 0 {
		return notChecked(fmt.Errorf("no variable of environment.yaml has output: %s", allowedHosts))
	}
	name := found.variables[at].Name
	hosts := strings.FieldsFunc(stored[name].value, func(r rune) bool { return r == ',' || r == ' ' })
	if missing := difference(found.Edge.Hosts(), hosts); len(missing) > 0 {
		return failed(fmt.Sprintf("%s in Parameter Store lacks %s: nginx and the application refuse it", name, strings.Join(missing, ", ")), "run: pulumi up, then release")
	}
	return ok("%s has %s", name, strings.Join(hosts, ", "))
}
