package release

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"bluegreen/internal/stack"
)

// Variables of the environment that say where to release to, and outputs of the
// stack, which are named the same where there is no other name.
const (
	ApplicationVariable = "AWS_CODEDEPLOY_APPLICATION_NAME"
	GroupVariable       = "AWS_CODEDEPLOY_DEPLOYMENT_GROUP"         // one, or several with commas between
	CeleryVariable      = "AWS_CODEDEPLOY_CELERY_DEPLOYMENT_GROUPS" // released to after that, with commas between
	CeleryOutput        = "celeryDeploymentGroups"                  // a list
	RegionVariable      = "AWS_CODEDEPLOY_REGION"
	BucketVariable      = "AWS_RELEASE_BUCKET"
	BucketOutput        = "releaseBucket"
	RepositoryVariable  = "AWS_RELEASE_REPOSITORY" // owner/name on GitHub; instead of a bucket
	RepositoryOutput    = "releaseRepository"
	SiteOutput          = "siteUrl" // which has no variable
)

var (
	errMissingApplication = errors.New("application: not known; set " + ApplicationVariable + ", or name the stack with --stack, or give --application")
	errMissingGroup       = errors.New("deployment group: not known; set " + GroupVariable + ", or name the stack with --stack, or give --group")
	errMissingRegion      = errors.New("region: not known; set " + RegionVariable + " or AWS_REGION, or name the stack with --stack, or give --region")
	errMissingBucket      = errors.New("bucket: not known; set " + BucketVariable + ", or name the stack with --stack, or give --bucket, or release a commit of GitHub with --github")
)

// Names say where to release to.
type Names struct {
	Application string
	Groups      []string // deployment groups, in order
	Region      string   // empty is what the AWS SDK finds
	Bucket      string   // of bundles
	Repository  string   // "owner/name" on GitHub, whose commits are released instead of bundles
	Site        string   // the site's URL
}

// FindNames completes the names of the command line from the environment, and
// then from the outputs of a Pulumi stack, if one is named. Names that nobody
// knows stay empty. Errors: the stack cannot be read; or environment and stack
// name different sites, all differences at once.
func FindNames(ctx context.Context, given Names, name string, environment func(string) string) (Names, error) {
	found := given.or(Names{
		Application: environment(ApplicationVariable), Groups: split(environment(GroupVariable)),
		Region: environment(RegionVariable), Bucket: environment(BucketVariable),
		Repository: environment(RepositoryVariable),
	})
	celery := split(environment(CeleryVariable))
	if name == "" {
		return found.after(celery, given).revision(given), nil
	}
	outputs, err := stack.Masked(ctx, name)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Names{}, fmt.Errorf("%w; or set %s, %s, %s and %s", err, ApplicationVariable, GroupVariable, RegionVariable, BucketVariable)
	case err != nil:
		return Names{}, err
	}
	var errs []error
	text := map[string]string{}
	for variable, output := range map[string]string{
		ApplicationVariable: ApplicationVariable, GroupVariable: GroupVariable, RegionVariable: RegionVariable, BucketVariable: BucketOutput,
		RepositoryVariable: RepositoryOutput,
	} {
		value, ok := outputs[output].(string)
		if outputs[output] != nil && !ok {
			errs = append(errs, fmt.Errorf("stack %s: output %s: want text, got %v", name, output, outputs[output]))
		}
		text[output] = value
		if set := environment(variable); set != "" && ok && set != value {
			errs = append(errs, fmt.Errorf("%s is %s in the environment and %s in stack %s; unset it, or leave out --stack", variable, set, value, name))
		}
	}
	ofStack, err := listed(outputs[CeleryOutput])
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("stack %s: output %s: %w", name, CeleryOutput, err))
	case len(celery) > 0 && !slices.Equal(celery, ofStack): // groups that are gone, too
		errs = append(errs, fmt.Errorf("%s is %s in the environment and %s in stack %s; unset it, or leave out --stack", CeleryVariable, strings.Join(celery, ","), orNone(ofStack), name))
	}
	site, _ := outputs[SiteOutput].(string)
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return found.or(Names{
		Application: text[ApplicationVariable], Groups: split(text[GroupVariable]), Region: text[RegionVariable], Bucket: text[BucketOutput],
		Repository: text[RepositoryOutput], Site: site,
	}).after(ofStack, given).revision(given), errors.Join(errs...)
}

// after adds deployment groups at the end, unless the command line says which
// there are.
func (n Names) after(groups []string, given Names) Names {
	if len(given.Groups) > 0 {
		return n
	}
	n.Groups = slices.Clone(n.Groups)
	for _, group := range groups {
		if !slices.Contains(n.Groups, group) {
			n.Groups = append(n.Groups, group)
		}
	}
	return n
}

// listed reads an output that is a list of text, or is not there.
func listed(output any) (all []string, err error) {
	if output == nil {
		return nil, nil
	}
	list, ok := output.([]any)
	for _, one := range list {
		text, is := one.(string)
		ok = ok && is
		all = append(all, text)
	}
	if !ok {
		return nil, fmt.Errorf("want a list of text, got %v", output)
	}
	return all, nil
}

// Groups are the deployment groups in the outputs of a stack, in the order of a
// release.
func Groups(outputs map[string]any) ([]string, error) {
	web, _ := outputs[GroupVariable].(string)
	celery, err := listed(outputs[CeleryOutput])
	return Names{Groups: split(web)}.after(celery, Names{}).Groups, err
}

// revision settles what is released: whoever names a bucket on the command line
// means it, whatever the stack says.
func (n Names) revision(given Names) Names {
	if given.Bucket != "" && given.Repository == "" {
		n.Repository = ""
	}
	return n
}

// or takes what is missing from others.
func (n Names) or(others Names) Names {
	if n.Application == "" {
		n.Application = others.Application
	}
	if len(n.Groups) == 0 {
		n.Groups = others.Groups
	}
	if n.Region == "" {
		n.Region = others.Region
	}
	if n.Bucket == "" {
		n.Bucket = others.Bucket
	}
	if n.Repository == "" {
		n.Repository = others.Repository
	}
	if n.Site == "" {
		n.Site = others.Site
	}
	return n
}

// split takes a list apart that has commas between.
func split(list string) (parts []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
