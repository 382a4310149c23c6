package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// renewal is how long before its end AWS has renewed a certificate (AWS
// Certificate Manager User Guide, "Managed certificate renewal": 60 days before).
const renewal = 30 * 24 * time.Hour

func checkCertificate(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	b, err := p.balancer()
	switch {
	case err != nil:
		return fault(err, "run: pulumi up")
	case b.certificate == "":
		return failed("the load balancer has no HTTPS listener", "see that the certificate is issued, set edge.certificate to await, then pulumi up")
	}
	account, err := p.account()
	if err != nil {
		return notChecked(err)
	}
	answer, err := acm.NewFromConfig(account).DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(b.certificate)})
	if err != nil {
		return fault(plain(err), "run: pulumi up")
	}
	certificate := answer.Certificate
	if missing := difference(append(found.Edge.Hosts(), found.Edge.Names...), certificate.SubjectAlternativeNames); len(missing) > 0 {
		return failed(fmt.Sprintf("the certificate is for %s and not for %s", strings.Join(certificate.SubjectAlternativeNames, ", "), strings.Join(missing, ", ")), "run: pulumi up")
	}
	if certificate.Status != acmtypes.CertificateStatusIssued {
		return failed(fmt.Sprintf("the certificate is %s", certificate.Status), "add the records in the output recordsToAddByHand, see dns: delegation, and wait for AWS to find them")
	}
	if certificate.NotAfter != nil && time.Until(*certificate.NotAfter) < renewal {
		return warning(fmt.Sprintf("the certificate ends on %s and was not renewed", certificate.NotAfter.Format(time.DateOnly)), "see that its validation records are still in DNS: AWS renews only then")
	}
	return ok("issued for %s", strings.Join(certificate.SubjectAlternativeNames, ", "))
}
