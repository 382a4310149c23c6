package github

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
	"aws:ec2/routeTable:RouteTable":                       {replace: routing, remove: routing},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {replace: routing, remove: routing},
	"aws:ec2/route:Route":                                 {replace: routing, remove: routing},
	"aws:ec2/internetGateway:InternetGateway":             {replace: routing, remove: routing},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {
		replace: impact{none, "instances reach S3 over the internet meanwhile", ""},
		remove:  impact{none, "instances reach S3 over the internet", ""},
	},
	"aws:ec2/securityGroup:SecurityGroup":                       {replace: firewall, remove: firewall},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {replace: firewall, remove: firewall, update: firewall},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {replace: firewall, remove: firewall, update: firewall},

	"aws:iam/role:Role":                                   {replace: rights, remove: rights},
	"aws:iam/policy:Policy":                               {replace: rights, remove: rights},
	"aws:iam/rolePolicy:RolePolicy":                       {replace: rights, remove: rights},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":   {replace: rights, remove: rights},
	"aws:iam/instanceProfile:InstanceProfile":             {replace: rights, remove: rights},
	"aws:iam/user:User":                                   {replace: signIn, remove: signIn},
	"aws:iam/accessKey:AccessKey":                         {replace: signIn, remove: signIn},
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {replace: signIn, remove: signIn},

	"aws:s3/bucketPolicy:BucketPolicy":                                                           {replace: access, remove: access},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     {replace: quiet, remove: quiet},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     {replace: quiet, remove: quiet},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               {replace: quiet, remove: quiet},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       {replace: quiet, remove: quiet},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {replace: quiet, remove: quiet},
	"aws:kms/alias:Alias": {replace: quiet, remove: quiet},
	"aws:acm/certificateValidation:CertificateValidation": {replace: quiet, remove: quiet},
	"bluegreen:index:Guard":                               {replace: quiet, remove: quiet},
	"bluegreen:index:Identity":                            {replace: impact{certain, "every Auto Scaling group that carries the name goes, with its instances", ""}, remove: impact{certain, "every Auto Scaling group that carries the name goes, with its instances", ""}},
	"aws:rds/subnetGroup:SubnetGroup":                     {replace: places, remove: quiet},
	"aws:elasticache/subnetGroup:SubnetGroup":             {replace: places, remove: quiet},
	"aws:rds/parameterGroup:ParameterGroup": {
		replace: impact{perhaps, "some parameters apply only when the database restarts", ""},
		remove:  impact{none, "nothing uses it any more", ""},
		update:  impact{none, "what needs a restart of the database waits for one", ""},
	},
	"random:index/randomString:RandomString": {
		replace: impact{perhaps, "a name is made anew, and what carries it may be, too; that shows in this list", ""},
		remove:  impact{none, "a name is forgotten", ""},
	},
	"aws:ec2/vpc:Vpc":       {replace: network, remove: network},
	"aws:ec2/subnet:Subnet": {replace: network, remove: network},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		replace: impact{none, "nothing watches for a moment", ""},
		remove:  impact{none, "nothing watches", ""},
	},
}

// Impacts that several types share.
var (
	network  = impact{certain, "everything in that network goes, too", ""}
	routing  = impact{certain, "the network is cut off from the internet until the way is there again", ""}
	firewall = impact{perhaps, "what it lets through is refused until the new one is there", ""}
	rights   = impact{perhaps, "who works with it has no rights for some seconds, or none any more", ""}
	signIn   = impact{none, "the pipeline cannot sign in until it has the new one", ""}
	access   = impact{perhaps, "who reads the bucket by it is refused meanwhile", ""}
	quiet    = impact{none, "nobody notices", ""}
	places   = impact{perhaps, "what is in it may have to move; that shows in this list", ""}
)
