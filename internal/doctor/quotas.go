package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bluegreen/infra/celery"
	"bluegreen/stacks"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
)

// quota is a limit of the account in the region, and what the stack needs of it
// while a release has its fleet twice.
type quota struct {
	name          string
	service, code string // of Service Quotas
	need          func(ctx context.Context, p *patient, account aws.Config) (int, error)
	others        func(ctx context.Context, account aws.Config, s stacks.Settings) (int, error) // what the rest of the account uses
}

// quotas takes the codes of AWS General Reference, "Service endpoints and
// quotas". Elastic IP addresses are not among them: the platform has none.
func quotas() []check {
	var checks []check
	for _, q := range []quota{
		{"spot vCPUs", "ec2", "L-34B43A08", spotCPUs, func(ctx context.Context, c aws.Config, s stacks.Settings) (int, error) {
			return cpusOfOthers(ctx, c, s, true)
		}},
		{"on-demand vCPUs", "ec2", "L-1216C47A", onDemandCPUs, func(ctx context.Context, c aws.Config, s stacks.Settings) (int, error) {
			return cpusOfOthers(ctx, c, s, false)
		}},
		{"Auto Scaling groups", "autoscaling", "L-CDE20ADC", groups, groupsOfOthers},
		{"load balancers", "elasticloadbalancing", "L-53DA6B97", one, balancersOfOthers},
		{"VPCs", "vpc", "L-F678F1CE", one, networksOfOthers},
	} {
		checks = append(checks, check{"quotas: " + q.name, []need{online, settings, signedIn}, q.check})
	}
	return checks
}

func (q quota) check(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	account, err := p.account()
	if err != nil {
		return notChecked(err)
	}
	need, err := q.need(ctx, p, account)
	if err != nil {
		return fault(plain(err), "")
	}
	if need == 0 {
		return ok("none needed")
	}
	limit, err := q.limit(ctx, account)
	if err != nil {
		return fault(fmt.Errorf("%d needed during a release, but %w", need, err), "see the Service Quotas console")
	}
	others, err := q.others(ctx, account, found.Settings)
	if err != nil {
		return fault(plain(err), "")
	}
	if need+others > limit {
		return failed(fmt.Sprintf("%d needed during a release, %d used by others, and the account may have %d", need, others, limit),
			fmt.Sprintf("ask for more: aws service-quotas request-service-quota-increase --service-code %s --quota-code %s --desired-value %d", q.service, q.code, need+others))
	}
	return ok("%d needed during a release, %d used by others, of %d", need, others, limit)
}

// limit is the account's own, or AWS's default where it was never changed.
func (q quota) limit(ctx context.Context, account aws.Config) (int, error) {
	client := servicequotas.NewFromConfig(account)
	answer, err := client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String(q.service), QuotaCode: aws.String(q.code)})
	if err == nil && answer.Quota != nil && answer.Quota.Value != nil {
		return int(*answer.Quota.Value), nil
	}
	if emulated() {
		return 0, &unanswered{"the emulated AWS has no quota of " + q.name}
	}
	usual, err := client.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String(q.service), QuotaCode: aws.String(q.code)})
	switch {
	case err != nil:
		return 0, plain(err)
	case usual.Quota == nil || usual.Quota.Value == nil:
		return 0, fmt.Errorf("quota %s of %s: AWS says no value", q.code, q.service)
	}
	return int(*usual.Quota.Value), nil
}

// instances are the most that one fleet has of a kind.
type instances struct {
	types          []string
	spot, onDemand int
}

// most are all instances that the stack can have at once: the web fleet twice,
// since a release copies it, the others once, since they are released in place.
func most(s stacks.Settings) []instances {
	web := split(s.Fleet.MaxSize, s.Fleet.OnDemandBaseCapacity, s.Fleet.OnDemandPercentage)
	all := []instances{{s.Fleet.InstanceTypes, 2 * web.spot, 2 * web.onDemand}}
	worker, beat := s.Celery.Worker, s.Celery.Beat
	for _, fleet := range s.Celery.Fleets() {
		one := split(fleet.MaxSize, worker.OnDemandBaseCapacity, worker.OnDemandPercentage)
		if s.Celery.Mode == celery.WorkerAndBeatFleets && fleet.Services == "beat" {
			one = split(fleet.MaxSize, 0, map[bool]int{true: 100}[beat.OnDemand])
		}
		one.types = fleet.InstanceTypes
		if len(one.types) == 0 {
			one.types = s.Fleet.InstanceTypes
		}
		all = append(all, one)
	}
	return all
}

// split shares instances among on-demand and spot as Auto Scaling does, which
// rounds the share of on-demand up (Amazon EC2 Auto Scaling User Guide,
// "Allocation strategies for multiple instance types").
func split(size, base, percent int) instances {
	base = min(size, base)
	onDemand := base + ((size-base)*percent+99)/100
	return instances{spot: size - onDemand, onDemand: onDemand}
}

func one(context.Context, *patient, aws.Config) (int, error) { return 1, nil }

// groups are the Auto Scaling groups at once: the web fleet's two, and one of
// each fleet of Celery.
func groups(_ context.Context, p *patient, _ aws.Config) (int, error) {
	found, _ := p.settings()
	return 2 + len(found.Celery.Fleets()), nil
}

func spotCPUs(ctx context.Context, p *patient, account aws.Config) (int, error) {
	return cpus(ctx, p, account, func(i instances) int { return i.spot })
}

func onDemandCPUs(ctx context.Context, p *patient, account aws.Config) (int, error) {
	return cpus(ctx, p, account, func(i instances) int { return i.onDemand })
}

// cpus are the vCPUs of the instances of a kind, each of the largest of the types
// that its fleet may launch.
func cpus(ctx context.Context, p *patient, account aws.Config, count func(instances) int) (int, error) {
	found, _ := p.settings()
	fleets := most(found.Settings)
	input := &ec2.DescribeInstanceTypesInput{}
	for _, fleet := range fleets {
		for _, name := range fleet.types {
			if kind := ec2types.InstanceType(name); !slices.Contains(input.InstanceTypes, kind) {
				input.InstanceTypes = append(input.InstanceTypes, kind)
			}
		}
	}
	answer, err := ec2.NewFromConfig(account).DescribeInstanceTypes(ctx, input)
	if err != nil {
		return 0, err
	}
	of := map[string]int{}
	for _, kind := range answer.InstanceTypes {
		if kind.VCpuInfo != nil {
			of[string(kind.InstanceType)] = int(aws.ToInt32(kind.VCpuInfo.DefaultVCpus))
		}
	}
	total := 0
	for _, fleet := range fleets {
		largest := 0
		for _, name := range fleet.types {
			if standard(name) {
				largest = max(largest, of[name])
			}
		}
		total += count(fleet) * largest
	}
	return total, nil
}

// standard tells whether a type counts as one of the standard families, A, C, D,
// H, I, M, R, T and Z (Amazon EC2 User Guide, "Spot Instance quotas"); DL and
// HPC, Inf and Trn have quotas of their own.
func standard(name string) bool {
	family, _, _ := strings.Cut(name, ".")
	letters := strings.TrimRight(family[:strings.IndexAny(family+"0", "0123456789")], "-")
	return slices.Contains([]string{"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}, letters)
}
