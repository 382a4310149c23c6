package stacks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bluegreen/infra/access"
	"bluegreen/infra/edge"
	"bluegreen/infra/pair"
	"bluegreen/infra/parameters"
	"bluegreen/infra/release"
	"bluegreen/infra/storage"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// parts are the components that outputs are made of.
type parts struct {
	storage    *storage.Storage
	edge       *edge.Edge
	access     *access.Access
	fleets     fleets
	parameters *parameters.Parameters
}

// authorizationToken is the variable whose value CI sends to the application.
// It is generated once and feeds both sides.
const authorizationToken = "SINGLE_CD_AUTHORIZATION_TOKEN"

// export sets the stack's outputs. The names in capitals are the names of the
// GitHub secrets and variables they become.
func export(ctx *pulumi.Context, s Settings, p parts) error {
	site := s.Site()
	outputs := pulumi.Map{
		"AWS_CODEDEPLOY_REGION":           pulumi.String(s.Region),
		"AWS_CODEDEPLOY_APPLICATION_NAME": pulumi.String(site.Application()),
		"AWS_CODEDEPLOY_DEPLOYMENT_GROUP": pulumi.String(site.DeploymentGroup()),
		"AWS_AUTOSCALING_GROUP_NAME":      pulumi.String(firstGroup(s)),

		"siteUrl":             pulumi.String(s.Edge.SiteURL()),
		"loadBalancerName":    p.edge.LoadBalancerName,
		"loadBalancerDnsName": p.edge.DNSName,
		"targetGroupName":     p.edge.TargetGroupName,
		"recordsToAddByHand":  p.edge.ManualRecords,
		"nameServers":         p.edge.NameServers,
		"storageBucket":       p.storage.StorageBucket,
		"releaseBucket":       p.storage.ReleaseBucket,
		"launchTemplateId":    p.fleets.web.LaunchTemplateID,
		"parameterPath":       pulumi.String(site.ParameterPath()),
	}
	if p.fleets.celery != nil {
		outputs["celeryDeploymentGroups"] = p.fleets.celery.DeploymentGroups
	}
	if s.Release.Revision == release.GitHub {
		outputs["releaseRepository"] = pulumi.String(s.Access.GitHub.Repository)
	}
	if name := s.logGroup(); name != "" {
		outputs["logGroup"] = pulumi.String(name)
	}
	if token, ok := p.parameters.Value(authorizationToken); ok {
		outputs["CI_CD_DEPLOYMENT_AUTH_TOKEN"] = token
	}
	switch s.Access.CI {
	case access.GitHub:
		outputs["AWS_PREVIEW_ROLE_ARN"] = p.access.PreviewRoleARN
		outputs["AWS_UP_ROLE_ARN"] = p.access.UpRoleARN
		outputs["AWS_RELEASE_ROLE_ARN"] = p.access.ReleaseRoleARN
	case access.Keys:
		outputs["AWS_ACCESS_KEY_ID"] = p.access.AccessKeyID
		outputs["AWS_SECRET_ACCESS_KEY"] = p.access.SecretAccessKey
	}
	readme, err := os.ReadFile(filepath.Join(ctx.RootDirectory(), "Pulumi.README.md"))
	switch {
	case err == nil:
		outputs["readme"] = pulumi.String(readme)
	case !errors.Is(err, fs.ErrNotExist): // whoever deletes the page does without it
		return fmt.Errorf("output readme: %w", err)
	}
	for _, name := range sortedKeys(outputs) {
		ctx.Export(name, outputs[name])
	}
	return nil
}

// firstGroup is the Auto Scaling group that the first instances are in. It says
// nothing of a release: an output that did would be a difference after each.
func firstGroup(s Settings) string {
	if s.Release.Mode == release.Pair {
		return s.Site().AutoScalingGroupOfPair(pair.A)
	}
	return s.Site().AutoScalingGroup()
}
