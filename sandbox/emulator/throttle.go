package emulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"
)

// ThrottlePath says how many calls of each service will be refused, as a real
// account's are when it makes too many. GET answers the numbers as JSON, keyed
// by signing name; PUT sets them:
//
//	curl -X PUT -d '{"autoscaling": 20}' ENDPOINT/_bluegreen/throttle
const ThrottlePath = "/_bluegreen/throttle"

// throttle counts the calls that are still to be refused.
type throttle struct {
	mutex sync.Mutex
	left  map[string]int
}

// refuses tells whether a call is one of them.
func (t *throttle) refuses(c call) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.left[c.service] <= 0 {
		return false
	}
	t.left[c.service]--
	return true
}

// rateExceeded is the error of a refused call. Clients tell it by its code,
// and wait before they try again.
func rateExceeded(c call) fault {
	const message = "Rate exceeded"
	switch c.protocol {
	case s3XML: // by its status, since the answer to a HEAD has no text
		return fault{code: "SlowDown", message: message, status: http.StatusServiceUnavailable}
	case ec2Query:
		return fault{code: "RequestLimitExceeded", message: message}
	case awsJSON, restJSON, cbor:
		return fault{code: "ThrottlingException", message: message}
	case restXML, query:
	}
	return fault{code: "Throttling", message: message}
}

// ServeHTTP answers ThrottlePath.
func (t *throttle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		left := map[string]int{}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&left); err != nil {
			http.Error(w, "want an object of numbers keyed by service, such as {\"autoscaling\": 20}: "+err.Error(), http.StatusBadRequest)
			return
		}
		t.left = left
	default:
		w.Header().Set("Allow", "GET, PUT")
		http.Error(w, "want GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	maps.DeleteFunc(t.left, func(_ string, n int) bool { return n <= 0 })
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(t.left) // the client has gone: nobody to tell
}
