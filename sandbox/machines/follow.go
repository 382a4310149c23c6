package machines

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

const (
	followInterval = 500 * time.Millisecond // for instances
	storesInterval = 2 * time.Second        // for databases and caches
	readyInterval  = 50 * time.Millisecond
	bootLimit      = 15 * time.Minute // user data may install a lot; after it the machine counts as failed
	powerOffLimit  = time.Minute
)

var errNoMachine = errors.New("no such machine")

// follow makes machines and ends them as EC2's instances come and go.
func (h *Host) follow() {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	silent := false
	for {
		err := h.reconcile(h.life)
		if err != nil && !silent && h.life.Err() == nil {
			h.Log.Warn("the emulated AWS does not answer", "error", err)
		}
		silent = err != nil
		select {
		case <-h.life.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *Host) reconcile(ctx context.Context) error {
	h.mu.Lock()
	cloud := h.cloud
	h.mu.Unlock()
	alive, err := cloud.alive(ctx)
	if err != nil {
		return err
	}
	if time.Since(h.asked) >= storesInterval {
		h.asked = time.Now()
		err = h.reconcileData(ctx, cloud)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, m := range h.machines {
		if _, lives := alive[id]; lives {
			continue
		}
		if m.state == Failed {
			delete(h.machines, id)
			continue
		}
		m.state = Stopping
		m.powerOff()
	}
	for id, described := range alive {
		if _, known := h.machines[id]; known {
			continue
		}
		m := h.newMachine(id, h.choose(described.address), described)
		h.machines[id] = m
		h.running.Go(func() { h.live(m) })
	}
	return err
}

// choose gives an instance its private address, or one of the Host's own where
// that does not fit the network or is taken. The lock is held.
func (h *Host) choose(private netip.Addr) netip.Addr {
	taken := map[netip.Addr]bool{gateway: true, dataAddress: true}
	for _, m := range h.machines {
		taken[m.address] = m.state != Failed
	}
	if private.Is4() && private.IsPrivate() && !spare.Contains(private) && !taken[private] {
		return private
	}
	address := spare.Addr().Next()
	for taken[address] {
		address = address.Next()
	}
	return address
}

// live is a machine's life.
func (h *Host) live(m *machine) {
	log := h.Log.With("machine", m.id, "address", m.address.String())
	err := m.start(first(h.authority.pem(), m.setHosts()))
	if err == nil {
		log.Info("switched on")
		err = h.attend(m)
	}
	if unclean := m.clean(); unclean != nil {
		log.Error("not cleaned up", "error", unclean)
	}
	h.mu.Lock()
	stopped := m.state == Stopping || h.life.Err() != nil
	if stopped {
		delete(h.machines, m.id)
	} else {
		m.state, m.failure = Failed, err.Error()
	}
	cloud := h.cloud
	h.mu.Unlock()
	if stopped {
		log.Info("gone")
		return
	}
	log.Warn("failed", "error", err)
	if err := cloud.replace(h.life, m.id); err != nil {
		log.Error("not replaced", "error", err)
	}
}

// attend returns when the machine has ended, with the reason when it was not
// told to.
func (h *Host) attend(m *machine) error {
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	late := time.NewTimer(bootLimit)
	defer late.Stop()
	for {
		select {
		case <-m.ended:
			return errors.New("the machine ended by itself")
		case <-m.off:
			m.shutDown(powerOffLimit)
			return errors.New("powered off")
		case <-h.life.Done():
			m.kill()
			return h.life.Err()
		case <-late.C:
			m.kill()
			return fmt.Errorf("its user data has not ended within %s", bootLimit)
		case <-tick.C:
			if m.exists("/var/lib/cloud/instance/boot-finished") {
				late.Stop()
				tick.Stop()
				h.booted(m)
			}
		}
	}
}

// booted notes that the machine's user data has run, and how.
func (h *Host) booted(m *machine) {
	failure := ""
	if path, err := m.path("/run/cloud-init/result.json"); err == nil {
		failure = readResult(path)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m.boot, m.failure = time.Since(m.began), failure
	if m.state == Booting {
		m.state = Running
	}
	h.Log.Info("booted", "machine", m.id, "took", m.boot.Round(time.Millisecond), "failure", failure)
}
