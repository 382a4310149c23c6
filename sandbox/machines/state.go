package machines

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// State is how a machine is doing.
type State string

// A machine that has ended in order is not listed any more.
const (
	Booting  State = "booting"  // until its user data has run
	Running  State = "running"  // whether or not its user data succeeded; see Machine.Failure
	Stopping State = "stopping" // its instance has ended
	Failed   State = "failed"   // it ended by itself, by Kill, or never started; its instance has not ended yet
)

// Machine is what Host tells of one.
type Machine struct {
	Instance string        `json:"instance"` // id of EC2, or "data"
	Hostname string        `json:"hostname"`
	Address  netip.Addr    `json:"address"`
	State    State         `json:"state"`
	Failure  string        `json:"failure,omitempty"` // what went wrong
	Leader   int           `json:"leader,omitempty"`  // process id of its first process; see Enter
	Began    time.Time     `json:"began"`             // when it was switched on
	Boot     time.Duration `json:"boot,omitempty"`    // from there until its user data had run, in nanoseconds
}

// Machines lists every machine, by instance.
func (h *Host) Machines() []Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []Machine{}
	for _, m := range h.all() {
		list = append(list, Machine{
			Instance: m.id, Hostname: m.hostname(), Address: m.address, State: m.state, Failure: m.failure,
			Leader: leaderOf(m.process), Began: m.began, Boot: m.boot,
		})
	}
	return list
}

// Address is where an instance's machine answers in the namespace: its private
// address where that is one of a private network, else one of the Host's own.
func (h *Host) Address(instance string) (netip.Addr, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, known := h.machines[instance]
	if !known {
		return netip.Addr{}, false
	}
	return m.address, true
}

// at is the machine of an instance with an address, nil when there is none.
func (h *Host) at(address netip.Addr) *machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.machines {
		if m.address == address && m.state != Failed {
			return m
		}
	}
	return nil
}

// find is the machine of an instance, or the one with the data.
func (h *Host) find(id string) (*machine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id == dataMachine && h.data != nil {
		return h.data.machine, nil
	}
	if m, known := h.machines[id]; known {
		return m, nil
	}
	return nil, fmt.Errorf("machine %s: %w", id, errNoMachine)
}

// background is for what has to be done although the Host is closing.
func (h *Host) background() context.Context { return context.WithoutCancel(h.life) }
