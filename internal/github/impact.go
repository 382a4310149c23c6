package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bluegreen/internal/preview"
)

// outage says what visitors notice.
type outage int

const (
	none    outage = iota
	perhaps        // it depends on what the table cannot know
	certain
)

// impact is what a change of a resource means.
type impact struct {
	outage outage
	why    string // for whoever does not know the resource
	lost   string // data that would go; "" is none
}

// rule says what changes of one type of resource mean. Creating is never an
// outage. What no rule knows is perhaps one when it is replaced or deleted.
type rule struct {
	replace, remove impact
	update          impact            // of any property but
	properties      map[string]impact // those that are more than that; by name at the top level
}

// rules are by type token. What an RDS instance does on which change is from
// Amazon RDS, "Settings for DB instances"; of a cache from Amazon ElastiCache,
// "Modifying an ElastiCache cluster"; of a key from AWS KMS, "Deleting an AWS KMS
// key"; of target groups from Elastic Load Balancing, "Target groups for your
// Application Load Balancers".
var rules = map[string]rule{
	"aws:rds/instance:Instance": {
		replace: impact{certain, "the site is without its database until data has been restored into the new one", "the database: the new one is empty, and what is not in a snapshot is gone"},
		remove:  impact{certain, "the site is without its database", "the database: what is not in a snapshot is gone"},
		update:  impact{none, "the database stays up", ""},
		properties: map[string]impact{
			"instanceClass":         {certain, "the database restarts on another machine, some minutes, with a standby shorter; in the maintenance window unless applyImmediately", ""},
			"engineVersion":         {certain, "the database restarts with another version, some minutes; in the maintenance window unless applyImmediately", ""},
			"port":                  {certain, "the database restarts, and clients have to know the port", ""},
			"parameterGroupName":    {perhaps, "some parameters apply only when the database restarts", ""},
			"caCertIdentifier":      {perhaps, "some versions restart for another certificate", ""},
			"storageType":           {perhaps, "some changes of storage interrupt the database for minutes", ""},
			"backupRetentionPeriod": {perhaps, "the database restarts when backups are switched on or off", ""},
			"password":              {perhaps, "instances connect with the old password until they have read the new one", ""},
		},
	},
	"aws:elasticache/replicationGroup:ReplicationGroup": {
		replace: impact{certain, "the site is without its cache until instances have read the new address", "the cache: sessions and queued tasks are gone"},
		remove:  impact{certain, "the site is without its cache", "the cache: sessions and queued tasks are gone"},
		update:  impact{none, "the cache stays up", ""},
		properties: map[string]impact{
			"nodeType":      {perhaps, "connections break for seconds while nodes are changed, longer without a replica", ""},
			"engineVersion": {perhaps, "connections break for seconds while nodes are changed, longer without a replica", ""},
			"authToken":     {perhaps, "instances connect with the old password until they have read the new one", ""},
		},
	},
	"aws:s3/bucketV2:BucketV2": {
		replace: impact{perhaps, "pages lack the files that the new bucket does not have yet", "the bucket's files; Pulumi refuses to delete a bucket that has some, unless forceDestroy is set"},
		remove:  impact{perhaps, "pages lack the bucket's files", "the bucket's files; Pulumi refuses to delete a bucket that has some, unless forceDestroy is set"},
		update:  impact{none, "the bucket stays", ""},
	},
	"aws:kms/key:Key": {
		replace: impact{perhaps, "what was encrypted with the old key has to be written again before it is deleted", "everything that only this key decrypts, once its waiting period of 7 to 30 days is over"},
		remove:  impact{perhaps, "services cannot start once the key is disabled", "everything that only this key decrypts, once its waiting period of 7 to 30 days is over"},
	},
	"aws:cloudwatch/logGroup:LogGroup": {
		replace: impact{none, "logs go elsewhere", "the logs in it"},
		remove:  impact{none, "logs go nowhere", "the logs in it"},
	},
	"aws:route53/zone:Zone": {
		replace: impact{certain, "the domain does not resolve until its registrar has the new name servers", "records that were added by hand"},
		remove:  impact{certain, "the domain does not resolve", "records that were added by hand"},
	},
	"random:index/randomPassword:RandomPassword": {
		replace: impact{perhaps, "a password is made anew: visitors may be signed out, and services read it when they start again", ""},
		remove:  impact{perhaps, "a password goes, and what still uses it stops", ""},
	},
	"aws:lb/loadBalancer:LoadBalancer": {
		replace: impact{certain, "the site is away until the new load balancer has listeners and healthy instances, and names point to it", ""},
		remove:  impact{certain, "nothing answers at the site's names", ""},
		update:  impact{none, "the load balancer stays up", ""},
		properties: map[string]impact{
			"subnets":        {perhaps, "a zone that leaves takes its address along", ""},
			"securityGroups": {perhaps, "another security group may not let visitors in", ""},
		},
	},
	"aws:lb/listener:Listener": {
		replace: impact{certain, "nothing listens on the port for some seconds", ""},
		remove:  impact{certain, "nothing listens on the port", ""},
		update:  impact{none, "the listener stays up", ""},
	},
	"aws:lb/targetGroup:TargetGroup": {
		replace: impact{certain, "the new target group has no healthy instance until they have been checked", ""},
		remove:  impact{certain, "visitors reach no instance", ""},
		update:  impact{none, "instances stay registered", ""},
	},
	"aws:acm/certificate:Certificate": {
		replace: impact{none, "the listener takes the new certificate once it is issued", ""},
		remove:  impact{perhaps, "a listener that needs it has no certificate", ""},
	},
	"aws:route53/record:Record": {
		replace: impact{perhaps, "a name does not resolve, or to the old address, for seconds to minutes", ""},
		remove:  impact{certain, "the name does not resolve", ""},
	},
	"bluegreen:index:Fleet": {
		replace: impact{certain, "all instances go, and the new ones serve nothing before the next release", ""},
		remove:  impact{certain, "all instances go", ""},
		update:  impact{none, "instances that run stay as they are; changes are for those that start", ""},
	},
	"aws:ec2/launchTemplate:LaunchTemplate": {
		replace: impact{none, "instances that run stay as they are; changes are for those that start", ""},
		remove:  impact{perhaps, "no instance can start", ""},
		update:  impact{none, "instances that run stay as they are; changes are for those that start", ""},
	},
	"aws:codedeploy/deploymentGroup:DeploymentGroup": {
		replace: impact{none, "no release is possible meanwhile, and the history of releases is gone", ""},
		remove:  impact{none, "no release is possible", ""},
	},
	"aws:codedeploy/application:Application": {
		replace: impact{none, "no release is possible meanwhile, and the history of releases is gone", ""},
		remove:  impact{none, "no release is possible", ""},
	},
	"aws:ssm/parameter:Parameter": {
		replace: impact{perhaps, "a service that starts while it is away does not find it", ""},
		remove:  impact{perhaps, "a service that starts does not find it", ""},
		update:  impact{none, "services read it when they start", ""},
	},
	"aws:ec2/vpc:Vpc":       {replace: network, remove: network},
	"aws:ec2/subnet:Subnet": {replace: network, remove: network},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		replace: impact{none, "nothing watches for a moment", ""},
		remove:  impact{none, "nothing watches", ""},
	},
}

var network = impact{certain, "everything in that network goes, too", ""}

// unknownImpact is of types that no rule knows.
var unknownImpact = impact{perhaps, "this kind of resource is not in the table; look at what it does", ""}

// impactOf is what one step means.
func impactOf(step preview.Step) impact {
	known, exists := rules[typeOf(step)]
	switch step.Op {
	case preview.Replace:
		if !exists {
			return unknownImpact
		}
		return known.replace
	case preview.Delete:
		if !exists {
			return unknownImpact
		}
		return known.remove
	case preview.Update:
		worst := known.update
		for _, property := range changedProperties(step) {
			if of, special := known.properties[property]; special && of.outage > worst.outage {
				worst = of
			}
		}
		return worst
	}
	return impact{}
}

// changedProperties are names at the top level.
func changedProperties(step preview.Step) (names []string) {
	for path := range step.DetailedDiff {
		names = append(names, strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' })[:1]...)
	}
	if len(names) == 0 {
		names = slices.Clone(step.DiffReasons)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// typeOf is a step's type token.
func typeOf(step preview.Step) string { return string(step.URN.Type()) }

// consequence is an impact with the step that has it.
type consequence struct {
	impact
	step preview.Step
}

// consequences are those of all steps that somebody has to know of, the worst
// first.
func consequences(steps []preview.Step) (all []consequence) {
	for _, step := range steps {
		if of := impactOf(step); of.outage != none || of.lost != "" {
			all = append(all, consequence{of, step})
		}
	}
	slices.SortStableFunc(all, func(a, b consequence) int { return cmp.Compare(b.outage, a.outage) })
	return all
}

// protected tells whether Pulumi would refuse a step.
func protected(step preview.Step) bool {
	return (step.Op == preview.Delete || step.Op == preview.Replace) && step.OldState != nil && step.OldState.Protect
}

// describe says in words what happens to what.
func describe(step preview.Step) string {
	what := map[preview.Op]string{preview.Replace: "replaced", preview.Delete: "deleted", preview.Update: "changed"}[step.Op]
	text := fmt.Sprintf("%s (%s) would be %s", code(step.URN.Name()), code(typeOf(step)), what)
	reasons := step.ReplaceReasons
	if step.Op == preview.Update {
		reasons = changedProperties(step)
	}
	if len(reasons) > 0 && step.Op != preview.Delete {
		text += " because of " + codes(reasons)
	}
	return text
}
