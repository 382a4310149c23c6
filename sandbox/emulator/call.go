package emulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// protocol is how a request and its answer are written. AWS defines them in the
// Smithy specification, "AWS protocols".
type protocol int

const (
	restJSON protocol = iota // method and path; the rest: errors in JSON
	restXML                  // method and path, errors in XML: Route 53
	s3XML                    // restXML with an error document of its own
	query                    // an Action in a form, XML back
	ec2Query                 // query with an error document of its own
	awsJSON                  // X-Amz-Target, JSON both ways
	cbor                     // /service/X/operation/Y, CBOR both ways
)

// call is what a request asks of AWS.
type call struct {
	protocol  protocol
	service   string // signing name ("elasticloadbalancing"); empty when the request is not signed
	operation string // name of the operation; method and path for the two REST protocols
	region    string // empty when not signed
}

func (c call) String() string { return c.service + " " + c.operation }

// maxForm bounds the forms that are read into memory; the largest that AWS takes
// is far below it (a launch template with 16 KB of user data).
const maxForm = 4 << 20

// recognise reads which operation a request calls, from its signature, headers,
// path and, for the query protocols, its form. The body can be read again.
func recognise(r *http.Request) (call, error) {
	c := call{operation: r.Method + " " + r.URL.Path}
	c.region, c.service = scope(r)
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		c.protocol = cbor
		if _, operation, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
			c.operation = operation
		}
	case r.Header.Get("X-Amz-Target") != "":
		c.protocol = awsJSON
		target := r.Header.Get("X-Amz-Target")
		c.operation = target[strings.LastIndexByte(target, '.')+1:]
	case c.service == "s3":
		c.protocol = s3XML
		if subresource := subresource(r.URL.RawQuery); subresource != "" {
			c.operation += "?" + subresource
		}
	case c.service == "route53":
		c.protocol = restXML
	default:
		action, err := action(r)
		if err != nil {
			return c, fmt.Errorf("%s: read form: %w", c, err)
		}
		if action == "" {
			break
		}
		c.protocol, c.operation = query, action
		if c.service == "ec2" {
			c.protocol = ec2Query
		}
	}
	return c, nil
}

// scope returns region and service of the credential scope (AWS Signature
// Version 4: KEY/DATE/REGION/SERVICE/aws4_request), from the header or, in a
// presigned URL, the query. Version 4A has no region.
func scope(r *http.Request) (region, service string) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		credential, _, _ = strings.Cut(rest, ",")
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if len(parts) >= 5 {
		region = parts[len(parts)-3]
	}
	if len(parts) >= 4 {
		service = parts[len(parts)-2]
	}
	return region, service
}

// subresource is the part of an S3 query that selects the operation: the first
// key without a value ("versioning"). Values are left out, signatures with them.
func subresource(query string) string {
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); value == "" {
			return key
		}
	}
	return ""
}

// action returns the Action of a query request, empty when it is none.
func action(r *http.Request) (string, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return r.URL.Query().Get("Action"), nil
	}
	form, err := readForm(r)
	return form.Get("Action"), err
}

// readForm reads the form of a query request and leaves the body to be read again.
func readForm(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxForm))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return url.ParseQuery(string(body))
}
