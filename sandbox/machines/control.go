package machines

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ControlPath answers about machines: GET lists them, and POST with
// {"instance": "i-…", "action": "kill"} or "interrupt" does that to one. No AWS
// service has such a path.
const ControlPath = "/_bluegreen/machines"

// longestNotice is how long a spot instance goes on after its interruption was
// announced (Amazon EC2 User Guide, "Spot Instance interruption notices").
const longestNotice = 2 * time.Minute

// ServeHTTP is for ControlPath.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		err := h.act(r)
		if errors.Is(err, errNoMachine) {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "want GET or POST", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(h.Machines()) // the client has gone: nobody to tell
}

func (h *Host) act(r *http.Request) error {
	var order struct {
		Instance string `json:"instance"`
		Action   string `json:"action"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<10))
	decoder.DisallowUnknownFields() // a misspelt key must not pass for one that is set
	if err := decoder.Decode(&order); err != nil {
		return err
	}
	switch order.Action {
	case "kill":
		return h.Kill(order.Instance)
	case "interrupt":
		return h.Interrupt(order.Instance)
	default:
		return fmt.Errorf("action: want kill or interrupt, got %q", order.Action)
	}
}

// Interrupt announces to an instance that it is about to end, as EC2 does to a
// spot instance, and returns. Its metadata say so at once, it leaves its group's
// target groups, and when they have drained, or after two minutes, Auto Scaling
// ends and replaces it.
func (h *Host) Interrupt(instance string) error {
	m, err := h.find(instance)
	if err != nil {
		return err
	}
	h.mu.Lock()
	known, again, cloud := m.id != dataMachine, !m.notice.IsZero(), h.cloud
	if known && !again {
		m.notice = time.Now().Add(longestNotice)
	}
	h.mu.Unlock()
	if !known {
		return fmt.Errorf("machine %s is no instance of EC2", instance)
	}
	if again || h.life.Err() != nil {
		return nil
	}
	h.Log.Info("interruption announced", "machine", instance)
	drain, err := cloud.deregister(h.life, instance)
	if err != nil {
		return err
	}
	h.running.Go(func() {
		select {
		case <-h.life.Done():
		case <-m.ended:
		case <-time.After(min(drain, longestNotice)):
			if err := cloud.replace(h.life, instance); err != nil {
				h.Log.Error("not replaced", "machine", instance, "error", err)
			}
		}
	})
	return nil
}
