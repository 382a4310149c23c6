package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// sdk is the Go SDK's source, which has the tokens and names to agree with.
type sdk struct{ folder string }

func newSDK(t *testing.T) sdk {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/pulumi/pulumi-aws/sdk/v6")
	cmd.Dir = filepath.Join("..", "..") // the root module chooses the version
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	if module.Version != "v"+version {
		t.Fatalf("the program imports SDK %s, the plugin's tables are for v%s", module.Version, version)
	}
	return sdk{filepath.Join(module.Dir, "go", "aws")}
}

// source is the text of the file in which the SDK declares a token: aws:ec2/vpc:Vpc
// in ec2/vpc.go, aws:index/getRegion:getRegion in getRegion.go.
func (s sdk) source(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ":")
	file := filepath.Join(s.folder, strings.TrimPrefix(parts[1], "index/")+".go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%s: %v", token, err)
		return ""
	}
	return string(text)
}

var tag = regexp.MustCompile("`pulumi:\"(\\w+)\"`")

// TestTables compares every resource and function with the SDK: none missing,
// each under the token that the SDK sends, each property under a name it has.
func TestTables(t *testing.T) {
	info, err := newInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := newSDK(t)
	compare := func(t *testing.T, name, token, call string, schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) {
		t.Helper()
		source := s.source(t, token)
		if !strings.Contains(source, fmt.Sprintf("%s(%q", call, token)) {
			t.Errorf("%s: the SDK has no %s(%q", name, call, token)
		}
		known := map[string]bool{"id": true}
		for _, match := range tag.FindAllStringSubmatch(source, -1) {
			known[match[1]] = true
		}
		schema.Range(func(field string, _ shim.Schema) bool {
			if property := tfbridge.TerraformToPulumiNameV2(field, schema, fields); !known[property] {
				t.Errorf("%s: %s is called %s, which the SDK does not have", name, field, property)
			}
			return true
		})
		for field := range fields {
			if _, ok := schema.GetOk(field); !ok {
				t.Errorf("%s: the tables name %s, which the provider does not have", name, field)
			}
		}
	}
	info.P.ResourcesMap().Range(func(name string, r shim.Resource) bool {
		if mapped, ok := info.Resources[name]; ok {
			compare(t, name, string(mapped.Tok), "RegisterResource", r.Schema(), mapped.Fields)
		} else {
			t.Errorf("resource %s is not in resources.txt", name)
		}
		return true
	})
	info.P.DataSourcesMap().Range(func(name string, r shim.Resource) bool {
		if mapped, ok := info.DataSources[name]; ok {
			compare(t, name, string(mapped.Tok), "Invoke", r.Schema(), mapped.Fields)
		} else {
			t.Errorf("data source %s is not in functions.txt", name)
		}
		return true
	})
	for name := range info.Resources {
		if _, ok := info.P.ResourcesMap().GetOk(name); !ok {
			t.Errorf("resources.txt has %s, the provider has not", name)
		}
	}
	for name := range info.DataSources {
		if _, ok := info.P.DataSourcesMap().GetOk(name); !ok {
			t.Errorf("functions.txt has %s, the provider has not", name)
		}
	}
}

// TestRows is about tables that are not well formed.
func TestRows(t *testing.T) {
	if _, err := rows("aws_vpc ec2 Vpc\naws_subnet ec2\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("want an error that names line 2, got %v", err)
	}
}

// TestDefaults asks the plugin, as the engine does, to complete inputs.
func TestDefaults(t *testing.T) {
	info, err := newInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := pfbridge.MakeMuxedServer(t.Context(), info.Name, info, []byte(`{"name":"aws"}`))(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, property string
		inputs          map[string]any
		want            string // regular expression; empty for no value
	}{
		{"aws:ec2/vpc:Vpc", "name", map[string]any{"cidrBlock": "10.0.0.0/16"}, ""},
		{"aws:ec2/securityGroup:SecurityGroup", "name", nil, `^Web-[0-9a-f]{7}$`},
		{"aws:ec2/securityGroup:SecurityGroup", "name", map[string]any{"namePrefix": "x"}, ""},
		{"aws:ec2/securityGroup:SecurityGroup", "description", nil, `^Managed by Pulumi$`},
		{"aws:ec2/securityGroup:SecurityGroup", "description", map[string]any{"description": "own"}, `^own$`},
		{"aws:ec2/keyPair:KeyPair", "keyName", map[string]any{"publicKey": "ssh-ed25519 AAAA"}, `^Web-[0-9a-f]{7}$`},
		{"aws:kms/alias:Alias", "name", map[string]any{"targetKeyId": "k"}, `^alias/Web-[0-9a-f]{7}$`},
		{"aws:s3/bucketV2:BucketV2", "bucket", nil, `^web-[0-9a-f]{7}$`},
		{"aws:s3/bucketObjectv2:BucketObjectv2", "key", map[string]any{"bucket": "b"}, `^Web$`},
		{"aws:elasticache/replicationGroup:ReplicationGroup", "replicationGroupId", map[string]any{"description": "d"}, `^web-[0-9a-f]{7}$`},
		{"aws:cloudwatch/metricAlarm:MetricAlarm", "name", map[string]any{"comparisonOperator": "LessThanThreshold", "evaluationPeriods": 1}, `^Web-[0-9a-f]{7}$`},
		{"aws:codedeploy/deploymentConfig:DeploymentConfig", "deploymentConfigName", nil, `^Web_[0-9a-f]{7}$`},
		{"aws:route53/zone:Zone", "comment", map[string]any{"name": "example.org"}, `^Managed by Pulumi$`},
		{"aws:iam/role:Role", "name", map[string]any{"assumeRolePolicy": map[string]any{"Version": "2012-10-17"}}, `^Web-[0-9a-f]{7}$`},
	} {
		t.Run(c.token+"."+c.property, func(t *testing.T) {
			news, err := structpb.NewStruct(c.inputs)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := server.Check(t.Context(), &pulumirpc.CheckRequest{
				Urn: "urn:pulumi:stack::project::" + c.token + "::Web", Olds: &structpb.Struct{}, News: news, RandomSeed: []byte("seed"),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(answer.Failures) != 0 {
				t.Fatal(answer.Failures)
			}
			got := answer.Inputs.Fields[c.property].GetStringValue()
			if c.want == "" && got != "" || !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("%s is %q, want %s", c.property, got, c.want)
			}
		})
	}
}
