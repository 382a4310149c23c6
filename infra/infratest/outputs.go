package infratest

import (
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// outputs answers a registration: what came in, an ARN, and for the types
// that others read computed values of, those values.
func outputs(args pulumi.MockResourceArgs, id string) resource.PropertyMap {
	out := maps.Clone(args.Inputs)
	if out == nil {
		out = resource.PropertyMap{}
	}
	set := func(key resource.PropertyKey, value any) {
		if _, given := out[key]; !given {
			out[key] = resource.NewPropertyValue(value)
		}
	}
	set("arn", arn(args.TypeToken, id))
	set("name", args.Name)
	if more, ok := computed[args.TypeToken]; ok {
		for key, value := range more(args, id) {
			set(resource.PropertyKey(key), value)
		}
	}
	return out
}

// besideSecrets are the types whose outputs become part of a secret. The SDK's
// mocks can't carry a secret that is unknown, so a preview knows these.
var besideSecrets = map[string]bool{
	"random:index/randomPassword:RandomPassword":        true,
	"random:index/randomString:RandomString":            true,
	"aws:rds/instance:Instance":                         true,
	"aws:elasticache/replicationGroup:ReplicationGroup": true,
	"aws:iam/accessKey:AccessKey":                       true,
}

// withheld answers a registration in a preview.
func withheld(args pulumi.MockResourceArgs) resource.PropertyMap {
	if !besideSecrets[args.TypeToken] {
		return args.Inputs
	}
	out := maps.Clone(args.Inputs)
	for key, value := range computed[args.TypeToken](args, "planned") {
		out[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
	}
	return out
}

// arn has the shape of one: arn:aws:<service>:<region>:<account>:<kind>/<id>.
// IAM, S3 and Route 53 ARNs have no region, S3 bucket ARNs no account either.
func arn(token, id string) string {
	service, kind, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	kind, _, _ = strings.Cut(kind, ":")
	switch service {
	case "iam":
		return fmt.Sprintf("arn:aws:iam::%s:%s/%s", Account, kind, id)
	case "s3":
		return "arn:aws:s3:::" + id
	default:
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, Region, Account, kind, id)
	}
}

var computed = map[string]func(args pulumi.MockResourceArgs, id string) map[string]any{
	"aws:acm/certificate:Certificate": func(args pulumi.MockResourceArgs, _ string) map[string]any {
		var options []any
		for _, domain := range domains(args.Inputs) {
			options = append(options, map[string]any{
				"domainName":          domain,
				"resourceRecordName":  "_validate." + domain + ".",
				"resourceRecordType":  "CNAME",
				"resourceRecordValue": "_answer.acm-validations.aws.",
			})
		}
		return map[string]any{"domainValidationOptions": options}
	},
	"aws:acm/certificateValidation:CertificateValidation": func(pulumi.MockResourceArgs, string) map[string]any {
		return nil
	},
	"aws:lb/loadBalancer:LoadBalancer": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		return map[string]any{
			"dnsName": id + "." + Region + ".elb.amazonaws.com", "zoneId": "Z3AADJGX6KTTL2",
			"arnSuffix": "app/" + id + "/0123456789abcdef",
		}
	},
	"aws:lb/targetGroup:TargetGroup": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		return map[string]any{"arnSuffix": "targetgroup/" + id + "/0123456789abcdef"}
	},
	"aws:route53/zone:Zone": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		return map[string]any{"zoneId": id, "nameServers": []any{"ns-1.awsdns-01.org", "ns-2.awsdns-02.com"}}
	},
	"aws:route53/record:Record": func(args pulumi.MockResourceArgs, _ string) map[string]any {
		if name := args.Inputs["name"]; name.IsString() {
			return map[string]any{"fqdn": strings.TrimSuffix(name.StringValue(), ".")}
		}
		return nil
	},
	"aws:ec2/vpc:Vpc": func(args pulumi.MockResourceArgs, _ string) map[string]any {
		if v := args.Inputs["assignGeneratedIpv6CidrBlock"]; v.IsBool() && v.BoolValue() {
			return map[string]any{"ipv6CidrBlock": "2600:1f16:abc:de00::/56"}
		}
		return nil
	},
	"aws:ec2/launchTemplate:LaunchTemplate": func(pulumi.MockResourceArgs, string) map[string]any {
		return map[string]any{"latestVersion": 1}
	},
	"aws:rds/instance:Instance": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		host := id + ".abcdefghijkl." + Region + ".rds.amazonaws.com"
		return map[string]any{"address": host, "endpoint": host + ":5432", "port": 5432}
	},
	"aws:elasticache/replicationGroup:ReplicationGroup": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		return map[string]any{"primaryEndpointAddress": "master." + id + ".abcdef.use2.cache.amazonaws.com"}
	},
	"aws:s3/bucketV2:BucketV2": func(_ pulumi.MockResourceArgs, id string) map[string]any {
		return map[string]any{
			"bucket":                   id,
			"bucketRegionalDomainName": id + ".s3." + Region + ".amazonaws.com",
		}
	},
	"aws:iam/accessKey:AccessKey": func(pulumi.MockResourceArgs, string) map[string]any {
		return map[string]any{"secret": resource.MakeSecret(resource.NewStringProperty("mock-secret-key"))}
	},
	"random:index/randomPassword:RandomPassword": func(args pulumi.MockResourceArgs, _ string) map[string]any {
		return map[string]any{"result": resource.MakeSecret(resource.NewStringProperty("generated-" + args.Name))}
	},
	"random:index/randomString:RandomString": func(args pulumi.MockResourceArgs, _ string) map[string]any {
		return map[string]any{"result": "generated" + strings.ReplaceAll(args.Name, "-", "")}
	},
}

func domains(inputs resource.PropertyMap) (names []string) {
	if v := inputs["domainName"]; v.IsString() {
		names = append(names, v.StringValue())
	}
	if v := inputs["subjectAlternativeNames"]; v.IsArray() {
		for _, element := range v.ArrayValue() {
			names = append(names, element.StringValue())
		}
	}
	return names
}

// Call answers the provider functions that the platform looks things up with.
func (r *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mutex.Lock()
	r.calls = append(r.calls, Call{Token: args.Token, Args: args.Args})
	r.mutex.Unlock()
	answer, known := lookups[args.Token]
	if !known {
		return nil, fmt.Errorf("infratest: no answer for function %s; add it to lookups", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer(args.Args)), nil
}

var lookups = map[string]func(args resource.PropertyMap) map[string]any{
	"aws:ec2/getAmi:getAmi": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": "ami-0123456789abcdef0", "imageId": "ami-0123456789abcdef0"}
	},
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(resource.PropertyMap) map[string]any {
		return map[string]any{"names": []any{Region + "-lax-1a", Region + "a", Region + "b", Region + "c"}}
	},
	"aws:route53/getZone:getZone": func(args resource.PropertyMap) map[string]any {
		return map[string]any{"id": "Z0123456789ABCDEFGHIJ", "zoneId": "Z0123456789ABCDEFGHIJ", "name": args["name"].StringValue()}
	},
}
