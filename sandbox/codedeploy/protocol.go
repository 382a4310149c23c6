package codedeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

const (
	targetPrefix = "CodeDeploy_20141006."
	contentType  = "application/x-amz-json-1.1"
	maxRequest   = 1 << 20

	// emulatorFault is the code of errors that AWS would not give, as in package
	// emulator: the sandbox is at fault, or the limits of it, not the request.
	emulatorFault = "EmulatorFault"
)

// operation answers a request's body. The lock is held.
type operation func(s *Service, ctx context.Context, body []byte) (any, error)

// answer makes an operation of a method. Requests decode into the AWS SDK's own
// types, since encoding/json does not mind the case of names.
func answer[In, Out any](method func(*Service, context.Context, *In) (*Out, error)) operation {
	return func(s *Service, ctx context.Context, body []byte) (any, error) {
		in := new(In)
		if len(body) > 0 {
			if err := json.Unmarshal(body, in); err != nil {
				return nil, &smithy.GenericAPIError{Code: "SerializationException", Message: err.Error()}
			}
		}
		return method(s, ctx, in)
	}
}

func (s *Service) serveOperation(w http.ResponseWriter, r *http.Request) {
	name, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var content any
	if err == nil {
		content, err = s.perform(r.Context(), name, body)
	}
	status := http.StatusOK
	if err != nil {
		// Never in the 500s: a client tries again on those, and gets the same.
		status, content = http.StatusBadRequest, faultOf(err)
		w.Header().Set("X-Amzn-ErrorType", faultOf(err).Code)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content) // the client has gone: nobody to tell
}

// perform runs an operation and returns its answer as JSON's own types, which
// share nothing with the state.
func (s *Service) perform(ctx context.Context, name string, body []byte) (any, error) {
	operation, known := operations()[name]
	if !known {
		return nil, &smithy.GenericAPIError{
			Code: "UnknownOperationException", Message: fmt.Sprintf("the sandbox's CodeDeploy does not emulate %q", name),
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := operation(s, ctx, body)
	if err != nil {
		return nil, err
	}
	return wire(reflect.ValueOf(out)), nil
}

type fault struct {
	Code    string `json:"__type"`
	Message string `json:"message"`
}

func faultOf(err error) fault {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return fault{api.ErrorCode(), api.ErrorMessage()}
	}
	return fault{emulatorFault, err.Error()}
}

// say is the message of one of the AWS SDK's exceptions.
func say(format string, arguments ...any) *string {
	message := fmt.Sprintf(format, arguments...)
	return &message
}

// wire turns a value of the AWS SDK's types into what its JSON is made of: times
// as seconds since 1970, and nothing for what is not set.
func wire(value reflect.Value) any {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return wire(value.Elem())
	case reflect.Struct:
		if at, ok := value.Interface().(time.Time); ok {
			return float64(at.UnixMilli()) / 1000
		}
		return wireStruct(value)
	case reflect.Slice:
		list := make([]any, value.Len())
		for i := range list {
			list[i] = wire(value.Index(i))
		}
		return list
	default:
		return value.Interface()
	}
}

func wireStruct(value reflect.Value) map[string]any {
	object := map[string]any{}
	for field, content := range value.Fields() {
		if !field.IsExported() || field.Type == reflect.TypeFor[middleware.Metadata]() || unset(content) {
			continue
		}
		object[wireName(value.Type(), field.Name)] = wire(content)
	}
	return object
}

func unset(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Pointer, reflect.Slice:
		return value.IsNil()
	case reflect.String:
		return value.Len() == 0
	default:
		return false // zero and false are answers
	}
}

// wireName is a field's name in JSON: with a small first letter, except in the
// few types that have capitals (API model 2014-10-06).
func wireName(of reflect.Type, field string) string {
	switch of {
	case reflect.TypeFor[types.Tag](), reflect.TypeFor[types.TagFilter](), reflect.TypeFor[types.EC2TagFilter](),
		reflect.TypeFor[types.DeploymentOverview](), reflect.TypeFor[codedeploy.ListTagsForResourceOutput]():
		return field
	}
	field = strings.TrimSuffix(field, "_") // String_ is "string"
	return strings.ToLower(field[:1]) + field[1:]
}
