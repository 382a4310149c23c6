package stacks

import (
	"errors"

	"bluegreen/infra/access"
	"bluegreen/infra/celery"
	"bluegreen/infra/fleet"
	"bluegreen/infra/network"
	"bluegreen/infra/release"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// addCelery declares the fleets of Celery, in the modes that have them, and how
// a new version reaches them.
func (f *fleets) addCelery(ctx *pulumi.Context, s Settings, imageID string, network *network.Network, access *access.Access, released *release.Release, use pulumi.ResourceOption) error {
	if len(s.Celery.Fleets()) == 0 {
		return nil
	}
	site := s.Site()
	templates := map[string]pulumi.StringInput{}
	for _, one := range s.Celery.Fleets() {
		made, err := fleet.New(ctx, site.CeleryDeploymentGroup(one.Name), fleet.Args{
			Spec: celeryInstances(s, one), Region: s.Region, ParameterPath: site.ParameterPath(), Services: one.Services, LogGroup: s.logGroup(),
			IPv6: s.Network.IPv6, ImageID: imageID, Tags: tags(s), VPCID: network.VPCID, InstanceProfileARN: access.InstanceProfileARN,
		}, use)
		if err != nil {
			return err
		}
		f.clients[one.Name], templates[one.Name] = made.SecurityGroupID, made.LaunchTemplateID
	}
	args := celery.Args{
		Spec: s.Celery, Site: site, LaunchTemplateIDs: templates, SubnetIDs: network.SubnetIDs,
		InstanceTypes: s.Fleet.InstanceTypes, SpotAllocationStrategy: s.Fleet.SpotAllocationStrategy,
		HealthCheckGracePeriod: s.Fleet.HealthCheckGracePeriod,
		Application:            released.Application, ServiceRoleARN: access.ServiceRoleARN, Rollback: s.Release.Rollback,
		Release: s.Release.Tie(site.Application(), ""), Tags: tags(s),
	}
	if s.Fleet.SpotAllocationStrategy == lowestPrice {
		args.SpotInstancePools = s.Fleet.SpotInstancePools
	}
	if s.Release.FailureTopic.Enabled {
		args.FailureTopicARN = released.FailureTopicARN
	}
	var err error
	f.celery, err = celery.New(ctx, site.Prefix(), args, use)
	return err
}

// celeryInstances is what the instances of a fleet of Celery are: those of the
// web fleet, but for their types.
func celeryInstances(s Settings, one celery.Fleet) fleet.Spec {
	spec := s.Fleet
	if len(one.InstanceTypes) > 0 {
		spec.InstanceTypes = one.InstanceTypes
	}
	return spec
}

// checkCelery refuses fleets that could do nothing: without a broker, or with
// an image of another architecture.
func checkCelery(s Settings) error {
	if len(s.Celery.Fleets()) == 0 {
		return nil
	}
	return errors.Join(
		check(s.Cache.Enabled || s.Environment[brokerVariable] != "",
			"celery.mode: %s needs a broker; set cache.enabled to true, or environment.%s", s.Celery.Mode, brokerVariable),
		checkTypes("celery.worker", s.Celery.Worker.InstanceTypes, s.Fleet),
		checkTypes("celery.beat", s.Celery.Beat.InstanceTypes, s.Fleet),
	)
}

// checkTypes reads the instance types of a fleet that has the web fleet's
// image.
func checkTypes(path string, types []string, web fleet.Spec) error {
	if len(types) == 0 {
		return nil
	}
	spec := fleet.Default()
	spec.InstanceTypes = types
	if err := spec.Validate(); err != nil {
		return under(path, err)
	}
	return check(spec.Architecture() == web.Architecture(), "%s.instanceTypes: %s is %s, but the web fleet is %s; one image runs on one of them: choose types of one architecture",
		path, types[0], spec.Architecture(), web.Architecture())
}

// brokerVariable is where the application finds Celery's broker.
const brokerVariable = "CELERY_BROKER_URL"
