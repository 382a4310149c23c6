package access

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bluegreen/infra/naming"
	"bluegreen/infra/policy"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var here = scope{naming.Site{Project: "example", Environment: "prod"}, "aws", "us-east-2", "123456789012", false}

// documents are all that this package writes, for the default site.
func documents() map[string][]policy.Statement {
	const (
		key     = "arn:aws:kms:us-east-2:123456789012:key/1"
		storage = "arn:aws:s3:::example-prod-storage-0123456"
		release = "arn:aws:s3:::example-prod-releases-0123456"
		role    = "arn:aws:iam::123456789012:role/example-prod-ec2-0123456"
	)
	alternating := here
	alternating.pair = true
	all := map[string][]policy.Statement{
		"instance-trust":          here.trustInstances(),
		"instance-parameters":     here.readParameters(key),
		"instance-parameters-aws": here.readParameters(""),
		"instance-storage":        useStorage(storage),
		"instance-releases":       readReleases(release),
		"instance-agent":          here.installAgent(),
		"instance-sessions":       here.openSessions(),
		"instance-logs":           here.writeLogs(),
		"service-trust":           here.trustCodeDeploy(false),
		"service-trust-regional":  here.trustCodeDeploy(true),
		"service-copy-fleet":      here.copyFleet(role),
		"service-stay-in-region":  here.stayInRegion(),
		"key":                     here.keyPolicy(),
		"workflow-trust":          trustWorkflows(here.provider(), []string{"repo:octo-org/site:environment:prod", "repo:octo-org/site:pull_request"}),
		"workflow-preview":        here.preview(),
		"workflow-preview-state":  here.readState("state-bucket"),
		"workflow-up-roles-bound": here.manageRoles("arn:aws:iam::123456789012:policy/boundary", true),
		"workflow-up-state":       here.writeState("state-bucket"),
		"release":                 here.release(release),
		"release-pair":            alternating.release(release),
	}
	for _, part := range here.up("", false) {
		all["workflow-up-"+part.name] = part.statements
	}
	return all
}

// updating is all that the up role may do.
func updating() []policy.Statement {
	statements := here.preview()
	for _, part := range here.up("", false) {
		statements = append(statements, part.statements...)
	}
	return statements
}

// UPDATE_GOLDEN=1 go test ./infra/access writes the files anew.
func TestDocuments(t *testing.T) {
	for name, statements := range documents() {
		t.Run(name, func(t *testing.T) {
			text, err := policy.Document(statements...)
			require.NoError(t, err)
			var got bytes.Buffer
			require.NoError(t, json.Indent(&got, []byte(text), "", "  "))
			got.WriteByte('\n')
			file := filepath.Join("testdata", name+".golden.json")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
		})
	}
	files, err := filepath.Glob("testdata/*.golden.json")
	require.NoError(t, err)
	assert.Len(t, files, len(documents()), "a golden file without its document")
}

// unbounded are the actions for which AWS knows no resource (Service
// Authorization Reference). Only they may be allowed on "*".
var unbounded = []string{
	"autoscaling:Describe*", "autoscaling:DescribeAutoScalingGroups", "ec2:Describe*", "elasticloadbalancing:Describe*",
	"elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroups",
	"kms:ListAliases", "kms:CreateKey", "logs:DescribeLogGroups", "ssm:DescribeParameters", "acm:RequestCertificate",
	"route53:ListHostedZones", "route53:ListHostedZonesByName", "route53:CreateHostedZone",
	"codedeploy:StopDeployment", "codedeploy:ListDeploymentTargets", "codedeploy:BatchGetDeploymentTargets",
	// These know the deployment group, which is gone when a fleet is deleted.
	"codedeploy:GetDeployment", "codedeploy:ListDeployments", "codedeploy:BatchGetDeployments",
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
}

func TestEveryResourceThatCanBeIsNamed(t *testing.T) {
	for name, statements := range documents() {
		sids := map[string]bool{}
		for _, s := range statements {
			if s.Sid != "" {
				assert.Regexp(t, `^[A-Za-z0-9]+$`, s.Sid, "IAM takes no other character")
				assert.False(t, sids[s.Sid], "%s has %s twice", name, s.Sid)
				sids[s.Sid] = true
			}
			if s.Effect == policy.Deny {
				continue
			}
			for _, action := range s.Actions {
				assert.False(t, action == "*" || strings.HasSuffix(action, ":*"), "%s: %s allows all of a service", name, s.Sid)
				// In a key's policy, which has a principal, "*" is the key.
				if slices.Contains(s.Resources, "*") && s.Principal == nil {
					assert.Contains(t, unbounded, action, "%s: %s", name, s.Sid)
				}
			}
		}
	}
}

// No ARN leaves the account and region by accident, and none begins like this
// site's names but belongs to another.
func TestARNsStayHome(t *testing.T) {
	for name, statements := range documents() {
		for _, s := range statements {
			for _, resource := range s.Resources {
				if resource == "*" {
					continue
				}
				part := strings.SplitN(resource, ":", 6)
				require.Len(t, part, 6, "%s: %s", name, resource)
				switch service, region, account, rest := part[2], part[3], part[4], part[5]; service {
				case "s3":
					if !strings.HasPrefix(rest, "aws-codedeploy-us-east-2") && !strings.HasPrefix(rest, "state-bucket") {
						assert.True(t, strings.HasPrefix(rest, "example-prod-"), "%s: %s", name, resource)
					}
				case "route53":
					assert.Empty(t, region+account, "%s: %s", name, resource)
				case "iam":
					assert.Equal(t, "123456789012", account, "%s: %s", name, resource)
					assert.Regexp(t, `^((role|instance-profile)/example-prod-|policy/example-prod-up-|oidc-provider/token.actions.githubusercontent.com$|role/aws-service-role/\*$)`, rest, "%s", name)
				default:
					assert.Equal(t, "us-east-2", region, "%s: %s", name, resource)
					if !strings.HasPrefix(rest, "image/") {
						assert.Equal(t, "123456789012", account, "%s: %s", name, resource)
					}
				}
			}
		}
	}
}
