package codedeploy

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fill gives every field of a value a content that is not empty.
func fill(value reflect.Value, depth int) {
	switch value.Kind() {
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem(), depth)
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[time.Time]() {
			value.Set(reflect.ValueOf(time.UnixMilli(1700000000123).UTC()))
			return
		}
		for field, content := range value.Fields() {
			skipped := field.Type == reflect.TypeFor[middleware.Metadata]() ||
				field.Name == "String_" // deprecated, and of Lambda
			if field.IsExported() && !skipped {
				fill(content, depth+1)
			}
		}
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		for i := range 2 {
			fill(value.Index(i), depth+1)
		}
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		content := reflect.New(value.Type().Elem()).Elem()
		fill(content, depth+1)
		value.SetMapIndex(reflect.ValueOf("key").Convert(value.Type().Key()), content)
	case reflect.String:
		value.SetString("text")
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int32, reflect.Int64:
		value.SetInt(7)
	case reflect.Float64:
		value.SetFloat(7.5)
	}
}

// Every answer that the service gives must be read by the AWS SDK as it was
// meant, and every request be read by the service as the SDK meant it.
func TestTheSDKReadsWhatIsWrittenAndWritesWhatIsRead(t *testing.T) {
	var answer, request []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ = io.ReadAll(r.Body)
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	client := reflect.ValueOf(codedeploy.NewFromConfig(aws.Config{
		BaseEndpoint: &server.URL, Region: testRegion, Credentials: aws.CredentialsProviderFunc(emulatedCredentials),
	}))
	for name := range operations() {
		t.Run(name, func(t *testing.T) {
			method := client.MethodByName(name)
			require.True(t, method.IsValid(), "the SDK has no such operation")
			in := reflect.New(method.Type().In(1).Elem())
			fill(in.Elem(), 0)
			out := reflect.New(method.Type().Out(0).Elem())
			fill(out.Elem(), 0)
			var err error
			answer, err = json.Marshal(wire(out))
			require.NoError(t, err)

			results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
			require.Nil(t, results[1].Interface())
			got := results[0]
			if metadata := got.Elem().FieldByName("ResultMetadata"); metadata.IsValid() {
				metadata.SetZero()
			}
			assert.Equal(t, out.Interface(), got.Interface())

			if name == "ListDeployments" { // has a type of its own, for its times
				var read listRequest
				require.NoError(t, json.Unmarshal(request, &read))
				assert.InDelta(t, 1700000000.123, *read.CreateTimeRange.Start, 0.001)
				assert.Equal(t, "text", *read.DeploymentGroupName)
				return
			}
			read := reflect.New(in.Type().Elem())
			require.NoError(t, json.Unmarshal(request, read.Interface()))
			assert.Equal(t, in.Interface(), read.Interface())
		})
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t, Settings{})
	call := func(target, body string) (int, fault, http.Header) {
		request, err := http.NewRequest(http.MethodPost, w.url, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("X-Amz-Target", target)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		var f fault
		require.NoError(t, json.NewDecoder(response.Body).Decode(&f))
		return response.StatusCode, f, response.Header
	}
	for _, test := range []struct{ target, body, code string }{
		{targetPrefix + "RegisterOnPremisesInstance", "{}", "UnknownOperationException"},
		{"Other_20141006.ListApplications", "{}", "UnknownOperationException"},
		{targetPrefix + "CreateApplication", "{", "SerializationException"},
		{targetPrefix + "CreateApplication", `{"applicationName": 7}`, "SerializationException"},
		{targetPrefix + "CreateApplication", "", "ApplicationNameRequiredException"},
	} {
		status, got, header := call(test.target, test.body)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, test.code, got.Code, got.Message)
		assert.Equal(t, test.code, header.Get("X-Amzn-ErrorType"))
		assert.Equal(t, contentType, header.Get("Content-Type"))
		assert.NotEmpty(t, got.Message)
	}
}

func TestTimesAreNumbers(t *testing.T) {
	w := newWorld(t, Settings{})
	w.make()
	answer, err := w.service.perform(t.Context(), "GetApplication", []byte(`{"applicationName": "shop"}`))
	require.NoError(t, err)
	created := answer.(map[string]any)["application"].(map[string]any)["createTime"]
	assert.InDelta(t, float64(time.Now().Unix()), created, 60)
}
