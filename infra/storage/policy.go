package storage

import "bluegreen/infra/policy"

// overTLS refuses every request that is not encrypted on its way.
func overTLS(arn string) policy.Statement {
	return policy.Statement{
		Sid:        "OverTLSOnly",
		Effect:     policy.Deny,
		Principal:  &policy.Principal{AWS: []string{"*"}},
		Actions:    []string{"s3:*"},
		Resources:  []string{arn, arn + "/*"},
		Conditions: []policy.Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
	}
}

// logWriters lets the load balancers of one account write access logs, in
// every region (Elastic Load Balancing, Application Load Balancers, "Enable
// access logs for your Application Load Balancer"; the accounts for each
// region that the page lists are the older way).
func logWriters(account string) func(arn string) []policy.Statement {
	return func(arn string) []policy.Statement {
		return []policy.Statement{{
			Sid:       "LoadBalancerLogs",
			Principal: &policy.Principal{Service: []string{"logdelivery.elasticloadbalancing.amazonaws.com"}},
			Actions:   []string{"s3:PutObject"},
			Resources: []string{arn + "/AWSLogs/" + account + "/*"},
		}}
	}
}
