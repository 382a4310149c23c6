package edge

import (
	"testing"

	"bluegreen/infra/infratest"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPendingCertificate(t *testing.T) {
	for _, dns := range []string{Create, Manual} {
		t.Run(dns, func(t *testing.T) {
			var recorder infratest.Recorder
			sink := declare(t, &recorder, complete(site(func(s *Spec) { s.DNS = dns })))

			doors := recorder.OfType(listeners)
			require.Equal(t, []string{"example-prod-http"}, names(doors), "an HTTPS listener needs an issued certificate")
			assert.Equal(t, map[string]any{"type": "fixed-response", "fixedResponse": map[string]any{
				"statusCode": "503", "contentType": "text/plain", "messageBody": "example.com waits for its certificate.\n",
			}}, action(t, doors[0]))
			assert.Empty(t, recorder.OfType("aws:acm/certificateValidation:CertificateValidation"), "nothing waits")

			rules := recorder.OfType("aws:lb/listenerRule:ListenerRule")
			require.Len(t, rules, 1, "a target group that no listener uses is never healthy")
			assert.Equal(t, []any{map[string]any{"pathPattern": map[string]any{"values": []any{"/healthz"}}}}, rules[0].Value("conditions").Mappable())
			assert.Equal(t, []any{map[string]any{"type": "forward", "targetGroupArn": sink.Text("targetGroupArn")}}, rules[0].Value("actions").Mappable())
		})
	}
}

func TestAwaitedCertificateGivesUp(t *testing.T) {
	for _, dns := range []string{Lookup, Create, Manual} {
		t.Run(dns, func(t *testing.T) {
			var timeout string
			recorder := infratest.Recorder{Fail: func(args pulumi.MockResourceArgs) error {
				if args.TypeToken == "aws:acm/certificateValidation:CertificateValidation" {
					timeout = args.RegisterRPC.GetCustomTimeouts().GetCreate()
				}
				return nil
			}}
			declare(t, &recorder, complete(site(func(s *Spec) { s.DNS, s.Certificate = dns, Await })))
			assert.Equal(t, "15m", timeout)
			assert.Len(t, recorder.OfType(listeners), 2)

			waiting := recorder.OfType("aws:acm/certificateValidation:CertificateValidation")[0]
			if dns == Manual {
				assert.False(t, waiting.Inputs.HasValue("validationRecordFqdns"))
				return
			}
			assert.Equal(t, []any{"_validate.example.com", "_validate.www.example.com"}, waiting.Value("validationRecordFqdns").Mappable())
		})
	}
}

func TestProofIsFoundByDomain(t *testing.T) {
	text := func(s string) *string { return &s }
	options := []acm.CertificateDomainValidationOption{
		{DomainName: text("www.example.com"), ResourceRecordName: text("_w.www.example.com."), ResourceRecordType: text("CNAME"), ResourceRecordValue: text("_x.")},
		{DomainName: text("*.example.com"), ResourceRecordName: text("_a.example.com."), ResourceRecordType: text("CNAME"), ResourceRecordValue: text("_b.")},
		{},
		{DomainName: text("half.example.com")},
	}
	for domain, want := range map[string]string{"example.com": "_a.example.com.", "www.example.com": "_w.www.example.com."} {
		found, err := proofOf(options, domain)
		require.NoError(t, err)
		assert.Equal(t, want, found.Name)
	}
	for _, domain := range []string{"example.org", "half.example.com"} {
		_, err := proofOf(options, domain)
		assert.EqualError(t, err, "certificate: AWS names no validation record for "+domain+"; run the update again")
	}
}
