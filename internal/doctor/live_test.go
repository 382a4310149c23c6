package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const zones = `<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>r</CallerReference></HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>`

const noZones = `<ListHostedZonesByNameResponse><HostedZones></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>`

const zone = `<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>r</CallerReference></HostedZone><DelegationSet><NameServers><NameServer>ns-1.awsdns.com</NameServer><NameServer>ns-2.awsdns.org</NameServer></NameServers></DelegationSet></GetHostedZoneResponse>`

// made is a stack that is up.
func made(context.Context, string) (map[string]any, error) {
	return map[string]any{"loadBalancerDnsName": "LB-1.elb.amazonaws.com", "loadBalancerName": "lb", "targetGroupName": "tg"}, nil
}

func TestAccount(t *testing.T) {
	folder := checkout(t)
	expect(t, examineOne(t, Options{Root: folder, aws: at(t, amazon{"GetCallerIdentity": identity(account12)})}, "account: credentials"),
		"account: credentials", OK, "account 111122223333, as arn:aws:iam::111122223333:user/one")

	other := at(t, amazon{"GetCallerIdentity": identity("999900001111")})
	expect(t, examineOne(t, Options{Root: folder, aws: other}, "account: credentials"),
		"account: credentials", Failed, "signed in to account 999900001111 as arn:aws:iam::999900001111:user/one, but the stack allows 111122223333 only; sign in")
	for _, check := range []string{"dns: hosted zone", "quotas: VPCs"} { // another account says nothing of this stack
		expect(t, examineOne(t, Options{Root: folder, aws: other}, check), check, NotChecked, "signed in to another account, 999900001111")
	}

	nobody := &aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found")
	})}
	expect(t, examineOne(t, Options{Root: folder, aws: nobody}, "account: credentials"), "account: credentials", NotChecked, "no credentials")
	expect(t, examineOne(t, Options{Root: folder, aws: nobody}, "dns: hosted zone"), "dns: hosted zone", NotChecked, "not signed in, see account: credentials")
	expired := &aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the SSO session has expired")
	})}
	expect(t, examineOne(t, Options{Root: folder, aws: expired}, "account: credentials"), "account: credentials", Failed, "the SSO session has expired; sign in again")
}

func TestZoneAndDelegation(t *testing.T) {
	folder := checkout(t)
	well := amazon{
		"GetCallerIdentity": identity(account12), "/2013-04-01/hostedzonesbyname": zones, "/2013-04-01/hostedzone/Z1": zone,
	}
	delegated := internet{servers: map[string][]string{"example.com": {"NS-2.awsdns.org", "ns-1.awsdns.com"}}}
	found := func(answers amazon, dns internet, check string) map[string]Finding {
		return examineOne(t, Options{Root: folder, aws: at(t, answers), resolver: dns, masked: made}, check)
	}
	expect(t, found(well, delegated, "dns: hosted zone"), "dns: hosted zone", OK, "example.com is Z1, with 2 name servers")
	expect(t, found(well, delegated, "dns: delegation"), "dns: delegation", OK, "delegated to ns-1.awsdns.com, ns-2.awsdns.org")

	stranger := internet{servers: map[string][]string{"example.com": {"ns.registrar.example"}}}
	expect(t, found(well, stranger, "dns: delegation"), "dns: delegation", Failed,
		"example.com is delegated to ns.registrar.example, the zone is on ns-1.awsdns.com, ns-2.awsdns.org; set the name servers of example.com at its registrar")
	expect(t, found(well, internet{}, "dns: delegation"), "dns: delegation", Failed, "DNS knows no name servers of example.com")

	without := amazon{"GetCallerIdentity": identity(account12), "/2013-04-01/hostedzonesbyname": noZones}
	expect(t, found(without, delegated, "dns: hosted zone"), "dns: hosted zone", Failed, "no such public hosted zone in Route 53; make it")
	expect(t, found(without, delegated, "dns: delegation"), "dns: delegation", NotChecked, "no such public hosted zone")

	refused := amazon{"GetCallerIdentity": identity(account12)}
	expect(t, found(refused, delegated, "dns: hosted zone"), "dns: hosted zone", NotChecked, "these credentials may not call ListHostedZonesByName")

	change(t, folder, "Pulumi.prod.yaml", "domain: example.com", "domain: example.com\n    dns: manual")
	expect(t, found(well, delegated, "dns: hosted zone"), "dns: hosted zone", NotChecked, "edge.dns is manual")
}

func TestNamesInDNS(t *testing.T) {
	folder := checkout(t)
	t.Setenv("AWS_ENDPOINT_URL", "")
	look := func(hosts map[string][]string) map[string]Finding {
		return examineOne(t, Options{Root: folder, resolver: internet{hosts: hosts}, masked: made}, "dns: names")
	}
	balancer := []string{"192.0.2.1", "192.0.2.2"}
	expect(t, look(map[string][]string{"LB-1.elb.amazonaws.com": balancer, "example.com": balancer, "www.example.com": balancer[:1]}), "dns: names", OK, "example.com, www.example.com")
	expect(t, look(map[string][]string{"LB-1.elb.amazonaws.com": balancer, "example.com": {"198.51.100.7"}, "www.example.com": balancer}), "dns: names", Failed, "example.com is 198.51.100.7; want an address of LB-1")
	expect(t, look(map[string][]string{"LB-1.elb.amazonaws.com": balancer, "example.com": balancer}), "dns: names", Failed, "www.example.com: lookup www.example.com: no such host")
	expect(t, look(nil), "dns: names", Failed, "DNS does not know the load balancer")
}

func TestSite(t *testing.T) {
	folder := checkout(t)
	status := http.StatusOK
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.Path)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	released := amazon{"GetCallerIdentity": identity(account12), "GetDeploymentGroup": `{"deploymentGroupInfo": {"lastSuccessfulDeployment": {"deploymentId": "d-1"}}}`}
	look := func() map[string]Finding {
		return examineOne(t, Options{Root: folder, Site: server.URL, masked: made, aws: at(t, released)}, "health: site")
	}
	expect(t, look(), "health: site", OK, "/healthz answers 200 for example.com, www.example.com")
	assert.Equal(t, []string{"example.com/healthz", "www.example.com/healthz"}, asked)
	status = http.StatusServiceUnavailable
	expect(t, look(), "health: site", Failed, "https://example.com/healthz: want 200, got 503")
	released["GetDeploymentGroup"] = `{"deploymentGroupInfo": {}}`
	expect(t, look(), "health: site", Warning, "no release yet: https://example.com/healthz: want 200, got 503; https://www.example.com/healthz: want 200, got 503; run: bluegreen release --stack prod")
	delete(released, "GetDeploymentGroup")
	server.Close()
	expect(t, look(), "health: site", Failed, "connection refused")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	expect(t, examineOne(t, Options{Root: folder, masked: made}, "health: site"), "health: site", NotChecked, "name its address with --site-url")
}

func TestQuotas(t *testing.T) {
	folder := checkout(t) // t3.small and t3a.small, 4 instances at most, all spot
	world := func(spot, demand string) amazon {
		quota := func(value string) string { return `{"Quota": {"Value": ` + value + `}}` }
		return amazon{
			"GetCallerIdentity":     identity(account12),
			"DescribeInstanceTypes": `<R><instanceTypeSet><item><instanceType>t3.small</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo></item><item><instanceType>t3a.small</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo></item></instanceTypeSet></R>`,
			"DescribeInstances": `<R><reservationSet><item><instancesSet>
				<item><instanceType>m5.large</instanceType><instanceLifecycle>spot</instanceLifecycle><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item>
				<item><instanceType>g5.large</instanceType><instanceLifecycle>spot</instanceLifecycle><cpuOptions><coreCount>9</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item>
				<item><instanceType>m5.large</instanceType><cpuOptions><coreCount>2</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item>
				<item><instanceType>t3.small</instanceType><instanceLifecycle>spot</instanceLifecycle><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>
					<tagSet><item><key>Project</key><value>example</value></item><item><key>Environment</key><value>prod</value></item></tagSet></item>
			</instancesSet></item></reservationSet></R>`,
			"DescribeAutoScalingGroups": `<R><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>other</AutoScalingGroupName></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></R>`,
			"DescribeLoadBalancers":     `<R><DescribeLoadBalancersResult><LoadBalancers></LoadBalancers></DescribeLoadBalancersResult></R>`,
			"DescribeVpcs":              `<R><vpcSet><item><vpcId>v1</vpcId></item><item><vpcId>v2</vpcId></item></vpcSet></R>`,

			"GetServiceQuota L-34B43A08": quota(spot), "GetServiceQuota L-1216C47A": quota(demand),
			"GetServiceQuota L-CDE20ADC": quota("3"), "GetServiceQuota L-53DA6B97": quota("50"), "GetServiceQuota L-F678F1CE": quota("2"),
		}
	}
	look := func(answers amazon, check string) map[string]Finding {
		return examineOne(t, Options{Root: folder, aws: at(t, answers)}, check)
	}
	expect(t, look(world("18", "5"), "quotas: spot vCPUs"), "quotas: spot vCPUs", OK, "16 needed during a release, 2 used by others, of 18")
	expect(t, look(world("17", "5"), "quotas: spot vCPUs"), "quotas: spot vCPUs", Failed,
		"16 needed during a release, 2 used by others, and the account may have 17; ask for more: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-34B43A08 --desired-value 18")
	expect(t, look(world("17", "0"), "quotas: on-demand vCPUs"), "quotas: on-demand vCPUs", OK, "none needed")
	expect(t, look(world("17", "0"), "quotas: Auto Scaling groups"), "quotas: Auto Scaling groups", OK, "2 needed during a release, 1 used by others, of 3")
	expect(t, look(world("17", "0"), "quotas: load balancers"), "quotas: load balancers", OK, "1 needed")
	expect(t, look(world("17", "0"), "quotas: VPCs"), "quotas: VPCs", Failed, "1 needed during a release, 2 used by others, and the account may have 2")

	change(t, folder, "Pulumi.prod.yaml", "minSize: 2", "onDemandBaseCapacity: 1\n    onDemandPercentage: 50\n    minSize: 2")
	expect(t, look(world("8", "12"), "quotas: on-demand vCPUs"), "quotas: on-demand vCPUs", Failed, "12 needed during a release, 4 used by others, and the account may have 12")
	expect(t, look(world("6", "16"), "quotas: spot vCPUs"), "quotas: spot vCPUs", OK, "4 needed")

	unknown := world("1", "1")
	delete(unknown, "GetServiceQuota L-34B43A08")
	expect(t, look(unknown, "quotas: spot vCPUs"), "quotas: spot vCPUs", NotChecked, "may not call GetAWSDefaultServiceQuota")
}

// Who works on a stack holds a file in its state.
func TestLocks(t *testing.T) {
	folder, states := checkout(t), t.TempDir()
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "file://` + states + `"}' ;; *ls*) echo '[{"name": "me/prod", "updateInProgress": true}]' ;; esac`})
	look := func(check string) map[string]Finding { return examineOne(t, Options{Root: folder}, check) }
	expect(t, look("state: backend"), "state: backend", OK, "file://"+states)
	expect(t, look("state: lock"), "state: lock", OK, "nobody holds it")

	locks := filepath.Join(states, ".pulumi/locks/organization/bluegreen")
	for _, stack := range []string{"staging", "prod"} {
		require.NoError(t, os.MkdirAll(filepath.Join(locks, stack), 0o755))
		text, err := json.Marshal(map[string]any{"pid": 4711, "username": "ann", "hostname": "laptop", "timestamp": "2026-05-04T03:02:01Z"})
		require.NoError(t, err)
		expect(t, look("state: lock"), "state: lock", OK, "") // another stack's is nobody's business
		require.NoError(t, os.WriteFile(filepath.Join(locks, stack, "1.json"), text, 0o600))
	}
	expect(t, look("state: lock"), "state: lock", Failed, "locked by ann@laptop, process 4711, since 2026-05-04 03:02:01; wait for that run to end; if it has been killed: pulumi cancel --stack prod")

	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "https://app.example"}' ;; *ls*) echo '[{"name": "me/prod", "updateInProgress": true}]' ;; esac`})
	expect(t, look("state: lock"), "state: lock", Failed, "a run is under way")
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "https://app.example"}' ;; *ls*) echo '[{"name": "prod"}]' ;; esac`})
	expect(t, look("state: lock"), "state: lock", OK, "no run is under way")
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "gs://one"}' ;; esac`})
	expect(t, look("state: lock"), "state: lock", NotChecked, "locks of gs are not read here")
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "postgres://me:hunter2@database/states"}' ;; esac`})
	expect(t, look("state: backend"), "state: backend", OK, "postgres://me:xxxxx@database/states")
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *) echo "error: not logged in" >&2; exit 255 ;; esac`})
	expect(t, look("state: backend"), "state: backend", Failed, "pulumi whoami: not logged in; run: pulumi login")
	expect(t, look("state: lock"), "state: lock", NotChecked, "not logged in")
}

func TestLocksInABucket(t *testing.T) {
	folder := checkout(t)
	programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "s3://states/team?region=us-east-2"}' ;; esac`})
	const prefix = "team/.pulumi/locks/organization/bluegreen/prod/"
	var listed string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/states" && r.URL.Query().Get("prefix") == prefix:
			_, _ = w.Write([]byte("<ListBucketResult>" + listed + "</ListBucketResult>"))
		case r.URL.Path == "/states/"+prefix+"1.json":
			_, _ = w.Write([]byte(`{"pid": 7, "username": "ci", "hostname": "runner", "timestamp": "2026-05-04T03:02:01Z"}`))
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code></Error>"))
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	config := &aws.Config{Region: "us-east-2", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	look := func() map[string]Finding { return examineOne(t, Options{Root: folder, aws: config}, "state: lock") }
	expect(t, look(), "state: lock", OK, "nobody holds it")
	listed = "<Contents><Key>" + prefix + "1.json</Key></Contents>"
	expect(t, look(), "state: lock", Failed, "locked by ci@runner, process 7")
}

func TestState(t *testing.T) {
	folder := checkout(t)
	pulumi := func(exported string) {
		programs(t, map[string]string{"pulumi": `case "$*" in version*|*version) echo v3.230.0 ;; *whoami*) echo '{"url": "file:///s"}' ;; *export*) echo '` + exported + `' ;; esac`})
	}
	pulumi(`{"deployment": {"resources": [{}, {}]}}`)
	expect(t, examineOne(t, Options{Root: folder, masked: made}, "state: stack"), "state: stack", OK, "2 resources, nothing left open")
	pulumi(`{"deployment": {"resources": [{}], "pending_operations": [{"type": "creating", "resource": {"urn": "urn:pulumi:prod::b::aws:rds/instance:Instance::example-prod-database"}}]}}`)
	expect(t, examineOne(t, Options{Root: folder, masked: made}, "state: stack"), "state: stack", Failed, "an interrupted run left open: creating example-prod-database; run: pulumi refresh")

	nothing := func(_ context.Context, stack string) (map[string]any, error) {
		return nil, errors.New("stack prod: pulumi stack output: exit status 255: error: no stack named 'prod' found")
	}
	for _, check := range []string{"state: stack", "parameters: registry", "load balancer: times", "github: secrets", "dns: records"} {
		o := Options{Root: folder, aws: at(t, amazon{"GetCallerIdentity": identity(account12)}), masked: nothing, Secrets: func(context.Context) (Drift, error) { return Drift{}, nil }}
		expect(t, examineOne(t, o, check), check, NotChecked, ErrNoStack.Error())
	}
	locked := func(context.Context, string) (map[string]any, error) {
		return nil, errors.New("stack prod: pulumi stack output: exit status 255: error: incorrect passphrase")
	}
	expect(t, examineOne(t, Options{Root: folder, masked: locked}, "state: stack"), "state: stack", Failed, "incorrect passphrase; see that the passphrase")
}

func TestSecrets(t *testing.T) {
	folder := checkout(t)
	look := func(drift Drift, err error) map[string]Finding {
		return examineOne(t, Options{Root: folder, masked: made, Secrets: func(context.Context) (Drift, error) { return drift, err }}, "github: secrets")
	}
	expect(t, look(Drift{Where: "environment prod of example/website"}, nil), "github: secrets", OK, "environment prod of example/website has what the stack says")
	expect(t, look(Drift{Where: "there", Missing: []string{"A"}, Changed: []string{"B"}}, nil), "github: secrets", Failed, "there: missing: A; not the stack's value: B; run: bluegreen github secrets --stack prod")
	expect(t, look(Drift{Where: "there", Stale: []string{"C"}}, nil), "github: secrets", Warning, "C; run: bluegreen github secrets --stack prod --prune")
	expect(t, look(Drift{}, Unseen(errors.New("no token for GitHub"))), "github: secrets", NotChecked, "no token for GitHub")
	expect(t, look(Drift{}, errors.New("bad gateway")), "github: secrets", Failed, "bad gateway")
	expect(t, examineOne(t, Options{Root: folder, masked: made}, "github: secrets"), "github: secrets", NotChecked, "nobody was asked")
}

func TestReport(t *testing.T) {
	d := Diagnosis{Stack: "prod", Findings: []Finding{
		{"a: b", OK, "well", ""}, {"a: longer", Failed, "bad", "mend it"}, {"c", NotChecked, "offline", ""},
	}, Counts: map[Status]int{OK: 1, Failed: 1, NotChecked: 1}}
	var out strings.Builder
	d.Report(&out)
	assert.Equal(t, `ok           a: b       well
failed       a: longer  bad; mend it
not checked  c          offline
Stack prod: 3 checks: 1 ok, 1 failed, 0 warnings, 1 not checked
`, out.String())
}

// What never answers is given up, and is not ok.
func TestPatience(t *testing.T) {
	found := examine(t, Options{Root: checkout(t), patience: time.Second, aws: at(t, amazon{"GetCallerIdentity": identity(account12)}), resolver: internet{},
		masked: func(ctx context.Context, _ string) (map[string]any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
	for _, check := range []string{"parameters: registry", "load balancer: times", "health: site"} {
		expect(t, found, check, NotChecked, "no answer within 1s")
	}
}

func TestEndedByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Root: checkout(t), Stack: "prod", masked: func(ctx context.Context, _ string) (map[string]any, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	diagnosis, err := Examine(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	for _, found := range diagnosis.Findings {
		if strings.HasPrefix(found.Check, "parameters") {
			assert.NotEqual(t, OK, found.Status, found.Check)
		}
	}
}
