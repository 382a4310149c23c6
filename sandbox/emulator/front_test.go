package emulator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	smithycbor "github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedBuffer is a log that a server writes while a test reads.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// serveFront serves a front with a given handler in moto's place.
func serveFront(t *testing.T, upstream http.HandlerFunc, services map[string]http.Handler) (url string, log *lockedBuffer) {
	t.Helper()
	fake := httptest.NewServer(upstream)
	t.Cleanup(fake.Close)
	log = &lockedBuffer{}
	server := httptest.NewServer(newFront(&moto{url: fake.URL, logPath: "/run/moto.log"}, services, log))
	t.Cleanup(server.Close)
	return server.URL, log
}

// client is what every SDK client of the tests is made with; its retries are the SDK's own.
func client(endpoint string) aws.Config {
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "very-secret-key", ""),
	}
}

func TestAFaultOfMotoIsAnErrorOfItsProtocolAndIsNotRetried(t *testing.T) {
	var calls atomic.Int32
	url, _ := serveFront(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "KeyError: 'subnet-1'")
	}, nil)
	config := client(url)
	requests := map[string]func(context.Context) error{
		"ec2 DescribeVpcs": func(ctx context.Context) error {
			_, err := ec2.NewFromConfig(config).DescribeVpcs(ctx, nil)
			return err
		},
		"iam ListRoles": func(ctx context.Context) error {
			_, err := iam.NewFromConfig(config).ListRoles(ctx, nil)
			return err
		},
		"ssm DescribeParameters": func(ctx context.Context) error {
			_, err := ssm.NewFromConfig(config).DescribeParameters(ctx, nil)
			return err
		},
		"route53 GET /2013-04-01/hostedzone": func(ctx context.Context) error {
			_, err := route53.NewFromConfig(config).ListHostedZones(ctx, nil)
			return err
		},
		"s3 GET /bucket?versioning": func(ctx context.Context) error {
			_, err := s3.NewFromConfig(config).GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String("bucket")})
			return err
		},
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			err := request(t.Context())
			var fault smithy.APIError
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, emulatorFault, fault.ErrorCode())
			assert.Equal(t, name+": the emulated AWS cannot answer this: KeyError: 'subnet-1'; traceback in /run/moto.log", fault.ErrorMessage())
			assert.EqualValues(t, 1, calls.Load(), "tries")
		})
	}
}

func TestAMotoThatIsGoneIsAFaultToo(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	server := httptest.NewServer(newFront(&moto{url: gone.URL, logPath: "/run/moto.log"}, nil, io.Discard))
	t.Cleanup(server.Close)
	_, err := ssm.NewFromConfig(client(server.URL)).DescribeParameters(t.Context(), nil)
	var fault smithy.APIError
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, emulatorFault, fault.ErrorCode())
	assert.Contains(t, fault.ErrorMessage(), "connection refused")
}

func TestFaultsOfProtocolsThatNoClientOfOursSpeaks(t *testing.T) {
	url, _ := serveFront(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, nil)

	response := send(t, http.MethodPost, url+"/2015-03-31/functions", "lambda", nil)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assert.Equal(t, emulatorFault, response.Header.Get("X-Amzn-ErrorType"))
	assert.Contains(t, string(body), `"__type":"EmulatorFault"`)

	response = send(t, http.MethodPost, url+"/service/X/operation/PutMetricAlarm", "monitoring", http.Header{"Smithy-Protocol": {"rpc-v2-cbor"}})
	body, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "rpc-v2-cbor", response.Header.Get("Smithy-Protocol"))
	content, err := smithycbor.Decode(body)
	require.NoError(t, err)
	require.IsType(t, smithycbor.Map{}, content)
	assert.Equal(t, smithycbor.String(emulatorFault), content.(smithycbor.Map)["__type"])
	assert.Equal(t, smithycbor.String("monitoring PutMetricAlarm: moto does not speak CBOR; use a client that calls this service in JSON"), content.(smithycbor.Map)["message"])
}

// send sends a signed request without a body.
func send(t *testing.T, method, url, service string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Authorization", signedFor(service))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestAServiceOfOursAnswersInsteadOfMoto(t *testing.T) {
	ours := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "ours "+r.Header.Get("X-Amz-Target"))
	})
	url, log := serveFront(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "moto") },
		map[string]http.Handler{"codedeploy": ours})
	for service, want := range map[string]string{"codedeploy": "ours CodeDeploy_20141006.GetDeployment", "ssm": "moto"} {
		response := send(t, http.MethodPost, url, service, http.Header{"X-Amz-Target": {"CodeDeploy_20141006.GetDeployment"}})
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, want, string(body))
	}
	assert.Contains(t, log.String(), "service=codedeploy operation=GetDeployment status=200")
}

func TestRequestsAndAnswersPassUnchanged(t *testing.T) {
	const content = "Action=PutObject&not=a+form"
	url, _ := serveFront(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Host+" "+r.RequestURI+" "+r.Header.Get("Authorization")+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
	}, nil)
	host := strings.TrimPrefix(url, "http://")
	const path = "/bucket/a//b%2Fc/../d?x-id=PutObject&partNumber=1"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+path, strings.NewReader(content))
	require.NoError(t, err)
	request.Header.Set("Authorization", signedFor("s3"))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusTeapot, response.StatusCode, "an answer that is no fault keeps its status")
	assert.Equal(t, host+" "+path+" "+signedFor("s3")+" "+content, response.Header.Get("X-Seen"))
}

func TestAnswersStream(t *testing.T) {
	release := make(chan struct{})
	url, _ := serveFront(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "second\n")
	}, nil)
	response := send(t, http.MethodGet, url+"/bucket/key", "s3", nil)
	lines := bufio.NewReader(response.Body)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "first\n", first)
	close(release)
	second, err := lines.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "second\n", second)
}

func TestTheRequestLogHoldsNothingSecret(t *testing.T) {
	url, log := serveFront(t, func(http.ResponseWriter, *http.Request) {}, nil)
	config := client(url)
	_, err := ssm.NewFromConfig(config).PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/a/B"), Value: aws.String("very-secret-value")})
	var decoding *smithy.DeserializationError
	if err != nil && !errors.As(err, &decoding) { // an empty answer is no JSON
		t.Fatal(err)
	}
	presigned, err := s3.NewPresignClient(s3.NewFromConfig(config)).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")})
	require.NoError(t, err)
	response, err := http.Get(presigned.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	assert.Contains(t, log.String(), "service=ssm operation=PutParameter status=200 duration=")
	assert.Contains(t, log.String(), `service=s3 operation="GET /bucket/key" status=200`)
	for _, secret := range []string{"very-secret", "Signature", "AKIAEXAMPLE"} {
		assert.NotContains(t, log.String(), secret)
	}
}

// hurriedBody is a request's body whose end is read only when the answer is
// there, as on a busy machine, and which then ends as smithy-go's does.
type hurriedBody struct {
	io.Reader
	answered chan struct{}
}

func (b hurriedBody) WriteTo(io.Writer) (int64, error) {
	<-b.answered
	return 0, io.EOF
}

func TestAnAnswerSurvivesAClientInAHurry(t *testing.T) {
	for _, size := range []int{100, onePiece - 1, onePiece, 100 * onePiece} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			content := strings.Repeat("<member>subnet-1</member>", size)[:size]
			url, _ := serveFront(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(size))
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
				_, _ = io.WriteString(w, content)
			}, nil)
			const form = "Action=DescribeSubnets"
			body := hurriedBody{strings.NewReader(form), make(chan struct{})}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
			require.NoError(t, err)
			request.ContentLength = int64(len(form))
			request.Header.Set("Authorization", signedFor("ec2"))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			connection := &http.Transport{}
			defer connection.CloseIdleConnections()
			response, err := connection.RoundTrip(request)
			require.NoError(t, err)
			close(body.answered)
			time.Sleep(10 * time.Millisecond) // for the connection to be closed
			answer, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, content, string(answer))
		})
	}
}
