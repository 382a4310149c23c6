package cost

import "strings"

// free are types, or beginnings of types, without a charge of their own, and
// why.
var free = []struct{ token, why string }{
	{"aws:iam/", "identity and access management is free"},
	{"random:", "exists in Pulumi only"},
	{"bluegreen:index:", "exists in Pulumi only"},
	{"aws:ec2/vpc:Vpc", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:ec2/subnet:Subnet", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:ec2/route", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:ec2/internetGateway:", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:ec2/securityGroup", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:vpc/securityGroup", "networks are free; traffic and addresses are counted elsewhere"},
	{"aws:ec2/launchTemplate:", "only what is launched from it costs"},
	{"aws:ec2/keyPair:", "key pairs are free"},
	{"aws:autoscaling/policy:", "Auto Scaling is free; the alarms it makes are not in the list"},
	{"aws:lb/", "part of the load balancer"},
	{"aws:acm/certificate", "public certificates for AWS's own services are free"},
	{"aws:route53/record:", "records are free up to 10,000 in a zone; queries for aliases of a load balancer, too"},
	{"aws:codedeploy/", "CodeDeploy is free for EC2"},
	{"aws:rds/subnetGroup:", "part of the database"},
	{"aws:rds/parameterGroup:", "part of the database"},
	{"aws:elasticache/subnetGroup:", "part of the cache"},
	{"aws:elasticache/parameterGroup:", "part of the cache"},
	{"aws:s3/bucket", "a setting of a bucket"},
	{"aws:kms/alias:", "aliases are free"},
	{"aws:sns/topicPolicy:", "a setting of a topic"},
	{"aws:sns/topicSubscription:", "deliveries are counted by the topic"},
}

// freeOf tells why a type has no charge of its own.
func freeOf(token string) (why string, is bool) {
	for _, entry := range free {
		if strings.HasPrefix(token, entry.token) {
			return entry.why, true
		}
	}
	return "", false
}
