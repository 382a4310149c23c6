package emulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signedFor is an Authorization header as a client signs for a service.
func signedFor(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260601/eu-west-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0123"
}

func TestRecogniseTellsServiceAndOperationInEveryProtocol(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	tests := map[string]struct {
		method, target, body string
		header               map[string]string
		want                 call
	}{
		"query": {
			method: "POST", target: "/", body: "Action=CreateRole&Version=2010-05-08&RoleName=a%26b",
			header: map[string]string{"Authorization": signedFor("iam"), "Content-Type": form},
			want:   call{query, "iam", "CreateRole", "eu-west-1"},
		},
		"query of EC2": {
			method: "POST", target: "/", body: "Version=2016-11-15&Action=DescribeVpcs",
			header: map[string]string{"Authorization": signedFor("ec2"), "Content-Type": form},
			want:   call{ec2Query, "ec2", "DescribeVpcs", "eu-west-1"},
		},
		"query in a URL": {
			method: "GET", target: "/?Action=GetCallerIdentity&Version=2011-06-15",
			header: map[string]string{"Authorization": signedFor("sts")},
			want:   call{query, "sts", "GetCallerIdentity", "eu-west-1"},
		},
		"JSON": {
			method: "POST", target: "/", body: `{"Action":"no"}`,
			header: map[string]string{"Authorization": signedFor("ssm"), "X-Amz-Target": "AmazonSSM.PutParameter"},
			want:   call{awsJSON, "ssm", "PutParameter", "eu-west-1"},
		},
		"JSON with a version in the target": {
			method: "POST", target: "/", body: `{}`,
			header: map[string]string{"Authorization": signedFor("codedeploy"), "X-Amz-Target": "CodeDeploy_20141006.CreateDeployment"},
			want:   call{awsJSON, "codedeploy", "CreateDeployment", "eu-west-1"},
		},
		"CBOR": {
			method: "POST", target: "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
			header: map[string]string{"Authorization": signedFor("monitoring"), "Smithy-Protocol": "rpc-v2-cbor"},
			want:   call{cbor, "monitoring", "PutMetricAlarm", "eu-west-1"},
		},
		"REST with JSON": {
			method: "POST", target: "/2015-03-31/functions/f/invocations",
			header: map[string]string{"Authorization": signedFor("lambda")},
			want:   call{restJSON, "lambda", "POST /2015-03-31/functions/f/invocations", "eu-west-1"},
		},
		"REST with XML": {
			method: "GET", target: "/2013-04-01/hostedzone/Z1?maxitems=2",
			header: map[string]string{"Authorization": signedFor("route53")},
			want:   call{restXML, "route53", "GET /2013-04-01/hostedzone/Z1", "eu-west-1"},
		},
		"S3 object in path style": {
			method: "PUT", target: "/bucket/a//b.txt?x-id=PutObject", body: "Action=no",
			header: map[string]string{"Authorization": signedFor("s3"), "Content-Type": form},
			want:   call{s3XML, "s3", "PUT /bucket/a//b.txt", "eu-west-1"},
		},
		"S3 subresource": {
			method: "GET", target: "/bucket?versioning",
			header: map[string]string{"Authorization": signedFor("s3")},
			want:   call{s3XML, "s3", "GET /bucket?versioning", "eu-west-1"},
		},
		"S3 presigned": {
			method: "GET", target: "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20260601%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0123",
			want: call{s3XML, "s3", "GET /bucket/key", "eu-west-1"},
		},
		"signed for every region": {
			method: "GET", target: "/bucket/key",
			header: map[string]string{"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=AKIAEXAMPLE/20260601/s3/aws4_request, Signature=0123"},
			want:   call{s3XML, "s3", "GET /bucket/key", ""},
		},
		"not signed": {
			method: "GET", target: "/latest/meta-data/",
			want: call{restJSON, "", "GET /latest/meta-data/", ""},
		},
		"a signature that makes no sense": {
			method: "GET", target: "/x",
			header: map[string]string{"Authorization": "Bearer token"},
			want:   call{restJSON, "", "GET /x", ""},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			for key, value := range test.header {
				r.Header.Set(key, value)
			}
			got, err := recognise(r)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Equal(t, test.body, string(body), "the body must be there to pass on")
		})
	}
}

func TestRecogniseRefusesAFormBeyondTheLimit(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=CreateRole&Description="+strings.Repeat("a", maxForm)))
	r.Header.Set("Authorization", signedFor("iam"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := recognise(r)
	assert.ErrorContains(t, err, "request body too large")
}
