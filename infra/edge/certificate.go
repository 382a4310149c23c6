package edge

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

const (
	// AWS usually needs a few minutes once the records stand. Beyond this
	// something is wrong with them, and waiting on would not mend it.
	validationTimeout = "15m"
	// timeToLive of the records that prove the domain, in seconds.
	timeToLive = 300
)

// newCertificate requests the certificate, proves its domains where the stack
// writes their records, and, unless that is left pending, waits for it.
func (e *Edge) newCertificate(ctx *pulumi.Context, name string, args Args, zone pulumi.StringInput, own pulumi.ResourceOption) (*acm.Certificate, error) {
	certificate, err := acm.NewCertificate(ctx, name+"-certificate", &acm.CertificateArgs{
		DomainName:              pulumi.String(args.Domain),
		SubjectAlternativeNames: pulumi.ToStringArray(args.alternatives()),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    pulumi.StringMap{"Name": pulumi.String(name + "-certificate")},
	}, own)
	if err != nil {
		return nil, err
	}
	written := pulumi.StringArray{}
	for _, domain := range args.proofs() {
		if args.outside(domain) {
			continue
		}
		record, err := newProof(ctx, name, domain, certificate, zone, own)
		if err != nil {
			return nil, err
		}
		written = append(written, record.Fqdn)
	}
	e.CertificateARN = certificate.Arn
	if args.pending() {
		return certificate, nil
	}
	waiting := &acm.CertificateValidationArgs{CertificateArn: certificate.Arn}
	if len(written) == len(args.proofs()) { // the provider insists on all of them or none
		waiting.ValidationRecordFqdns = written
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-certificate", waiting, own,
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: validationTimeout}))
	if err != nil {
		return nil, err
	}
	e.CertificateARN = issued.CertificateArn
	return certificate, nil
}

// newProof declares the record by which AWS sees that the domain is ours. AWS
// gives an account the same record for a domain every time, so one that is
// left from an earlier certificate is taken over.
func newProof(ctx *pulumi.Context, name, domain string, certificate *acm.Certificate, zone pulumi.StringInput, own pulumi.ResourceOption) (*route53.Record, error) {
	proof := pulumix.ApplyErr(proofs(certificate), func(all []acm.CertificateDomainValidationOption) (record, error) {
		return proofOf(all, domain)
	})
	return route53.NewRecord(ctx, name+"-validation-"+domain, &route53.RecordArgs{
		ZoneId:         zone.ToStringOutput(),
		Name:           pulumi.StringOutput(pulumix.Apply(proof, record.name)),
		Type:           pulumi.StringOutput(pulumix.Apply(proof, record.kind)),
		Records:        pulumi.StringArray{pulumi.StringOutput(pulumix.Apply(proof, record.value))},
		Ttl:            pulumi.Int(timeToLive),
		AllowOverwrite: pulumi.Bool(true),
	}, own)
}

// proofs are the records that AWS wants, typed.
func proofs(certificate *acm.Certificate) pulumix.Output[[]acm.CertificateDomainValidationOption] {
	return pulumix.Output[[]acm.CertificateDomainValidationOption](certificate.DomainValidationOptions)
}

// proofOf finds the record for domain. AWS answers with a set, so its order
// says nothing.
func proofOf(all []acm.CertificateDomainValidationOption, domain string) (record, error) {
	for _, option := range all {
		if option.DomainName == nil || strings.TrimPrefix(*option.DomainName, wildcard) != domain {
			continue
		}
		if option.ResourceRecordName == nil || option.ResourceRecordType == nil || option.ResourceRecordValue == nil {
			break
		}
		return record{*option.ResourceRecordName, *option.ResourceRecordType, *option.ResourceRecordValue}, nil
	}
	return record{}, fmt.Errorf("certificate: AWS names no validation record for %s; run the update again", domain)
}
