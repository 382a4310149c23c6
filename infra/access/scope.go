package access

import (
	"strings"

	"bluegreen/infra/naming"
	"bluegreen/infra/policy"
)

// scope is where a site lives. Every ARN in this package is made of it, so
// that none reaches another account or region by accident.
type scope struct {
	site                       naming.Site
	partition, region, account string
	pair                       bool // releases take turns between two Auto Scaling groups
}

// arn names a resource in the site's region and account.
func (s scope) arn(service, resource string) string {
	return strings.Join([]string{"arn", s.partition, service, s.region, s.account, resource}, ":")
}

// iam names a resource of IAM, which has no region.
func (s scope) iam(resource string) string {
	return strings.Join([]string{"arn", s.partition, "iam", "", s.account, resource}, ":")
}

// global names a resource of a service whose ARNs have neither.
func (s scope) global(service, resource string) string {
	return strings.Join([]string{"arn", s.partition, service, "", "", resource}, ":")
}

// roles matches the roles of a kind: Pulumi appends random characters to
// their names. An empty kind matches all roles of the stack.
func (s scope) roles(kind string) string {
	return s.iam("role/" + s.prefixed(kind))
}

func (s scope) prefixed(kind string) string {
	if kind == "" {
		return s.site.Prefix() + "-*"
	}
	return s.site.Prefix() + "-" + kind + "-*"
}

// parameters are the site's path in Parameter Store and what is below it. It
// ends in a slash before the wildcard: /example/prod is not /example/prod2.
func (s scope) parameters() []string {
	path := strings.Trim(s.site.ParameterPath(), "/")
	return []string{s.arn("ssm", "parameter/"+path), s.arn("ssm", "parameter/"+path+"/*")}
}

// principal is an AWS service as a role's trust and conditions name it.
func (s scope) principal(service string) string {
	if s.partition == "aws-cn" {
		return service + ".amazonaws.com.cn"
	}
	return service + ".amazonaws.com"
}

// inRegion holds for requests to the site's region. It bounds actions for
// which AWS knows no resource.
func (s scope) inRegion() policy.Condition {
	return policy.Condition{Operator: "StringEquals", Key: "aws:RequestedRegion", Values: []string{s.region}}
}

// throughParameterStore holds for use of a key on behalf of the site's
// parameters (AWS Key Management Service Developer Guide, "kms:ViaService";
// Systems Manager User Guide, "AWS KMS encryption for Parameter Store
// SecureString parameters").
func (s scope) throughParameterStore() []policy.Condition {
	return []policy.Condition{
		{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{s.principal("ssm." + s.region)}},
		{Operator: "StringLike", Key: "kms:EncryptionContext:PARAMETER_ARN", Values: s.parameters()[1:]},
	}
}

// actions puts the service in front of each action.
func actions(service string, names ...string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = service + ":" + name
	}
	return all
}
