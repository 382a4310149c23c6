package codedeploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// alarming asks CloudWatch in its query protocol: the AWS SDK's client speaks
// CBOR, which emulators do not.
func (e *emulated) alarming(ctx context.Context, names []string) ([]string, error) {
	form := url.Values{"Action": {"DescribeAlarms"}, "Version": {"2010-08-01"}}
	for i, name := range names {
		form.Set(fmt.Sprintf("AlarmNames.member.%d", i+1), name)
	}
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, *e.config.BaseEndpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256([]byte(body))
	credentials, _ := emulatedCredentials(ctx) // any
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "monitoring", e.config.Region, time.Now()); err != nil {
		return nil, err
	}
	response, err := e.config.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxRequest))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("DescribeAlarms: %s: %s", response.Status, content)
	}
	var answer struct {
		Metric    []alarm `xml:"DescribeAlarmsResult>MetricAlarms>member"`
		Composite []alarm `xml:"DescribeAlarmsResult>CompositeAlarms>member"`
	}
	if err := xml.Unmarshal(content, &answer); err != nil {
		return nil, fmt.Errorf("DescribeAlarms: %w", err)
	}
	var active []string
	for _, described := range slices.Concat(answer.Metric, answer.Composite) {
		if described.StateValue == "ALARM" {
			active = append(active, described.AlarmName)
		}
	}
	return active, nil
}

// alarm is what is read of CloudWatch's answer.
type alarm struct{ AlarmName, StateValue string }
