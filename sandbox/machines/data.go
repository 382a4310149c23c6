package machines

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"
)

// dataMachine is the id of the machine that is the database and the cache.
const dataMachine = "data"

// data is that machine, and what it was told.
type data struct {
	machine *machine
	ready   bool     // it has booted and what is in it has been applied
	stores  stores   // what AWS has
	applied stores   // what the servers have
	shown   identity // what they show to who connects; only its own goroutine has it
}

// identity is a certificate and its key.
type identity struct {
	names            []string
	certificate, key []byte
}

// login is what an application connects with.
type login struct{ user, password, database string }

// stores are the databases and caches of the emulated AWS.
type stores struct {
	names     []string // host names of all, ordered
	databases []login  // of PostgreSQL, ordered
	passwords []string // of the cache, ordered
}

// reconcileData boots the machine when there is a database or a cache, tells its
// servers who may connect, and every machine their names.
func (h *Host) reconcileData(ctx context.Context, cloud *cloud) error {
	found, err := cloud.stores(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	if h.data == nil && len(found.names) > 0 {
		h.data = &data{machine: h.newMachine(dataMachine, dataAddress, instance{})}
		h.running.Go(func() { h.liveData(h.data) })
	}
	if h.data != nil {
		h.data.stores = found
		if len(found.names) == 0 {
			h.data.machine.state = Stopping
			h.data.machine.powerOff()
		}
	}
	var renamed []*machine
	for _, m := range h.machines {
		if m.hosts != hostsFile(m.hostname(), m.address, found.names) && m.hosts != "" {
			renamed = append(renamed, m)
		}
	}
	h.mu.Unlock()
	for _, m := range renamed {
		h.tell(m)
	}
	return nil
}

// dataBehind tells whether the servers have yet to be told something.
func (h *Host) dataBehind() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.data != nil && h.data.machine.state != Failed && (!h.data.ready || !reflect.DeepEqual(h.data.stores, h.data.applied))
}

// setHosts is what a machine's /etc/hosts is to be, and notes it down.
func (m *machine) setHosts() string {
	m.host.mu.Lock()
	defer m.host.mu.Unlock()
	var names []string
	if m.host.data != nil {
		names = m.host.data.stores.names
	}
	m.hosts = hostsFile(m.hostname(), m.address, names)
	return m.hosts
}

// tell writes a running machine's /etc/hosts anew. One that has not come up yet
// is told at the next turn.
func (h *Host) tell(m *machine) {
	path, err := m.path("/etc/hosts")
	if err != nil {
		return
	}
	h.mu.Lock()
	before := m.hosts
	h.mu.Unlock()
	if err := os.WriteFile(path, []byte(m.setHosts()), 0o600); err != nil { // it exists, and keeps its mode
		h.mu.Lock()
		m.hosts = before
		h.mu.Unlock()
	}
}

// liveData is the life of the machine with the data.
func (h *Host) liveData(d *data) {
	m := d.machine
	err := m.start(append([]file{{path: "etc/hosts", text: hostsFile(m.hostname(), m.address, nil)}}, dataFiles()...))
	if err == nil {
		h.Log.Info("switched on", "machine", m.id)
		err = h.attendData(d)
	}
	if unclean := m.clean(); unclean != nil {
		h.Log.Error("not cleaned up", "machine", m.id, "error", unclean)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.state != Stopping && h.life.Err() == nil {
		m.state, m.failure = Failed, err.Error()
		h.Log.Error("failed", "machine", m.id, "error", err)
		return // and stays so: what the stack kept in it is gone
	}
	h.data = nil
}

func (h *Host) attendData(d *data) error {
	m := d.machine
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		select {
		case <-m.ended:
			return errors.New("the machine ended by itself, and the data with it; run bluegreen sandbox destroy, then up")
		case <-m.off:
			m.shutDown(powerOffLimit)
			return nil
		case <-h.life.Done():
			m.kill()
			return nil
		case <-tick.C:
			if err := h.apply(d); err != nil {
				m.kill()
				return err
			}
		}
	}
}

// apply tells the servers what has changed.
func (h *Host) apply(d *data) error {
	h.mu.Lock()
	wanted, applied, ready := d.stores, d.applied, d.ready
	h.mu.Unlock()
	if !d.machine.exists("/run/systemd/system") || !d.machine.exists("/run/dbus/system_bus_socket") || (ready && reflect.DeepEqual(wanted, applied)) {
		return nil
	}
	if err := h.configure(d, wanted); err != nil {
		return fmt.Errorf("machine %s: %w", d.machine.id, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d.applied = wanted
	if !d.ready {
		d.ready, d.machine.boot = true, time.Since(d.machine.began)
		if d.machine.state == Booting {
			d.machine.state = Running
		}
	}
	h.Log.Info("database and cache", "names", wanted.names, "logins", len(wanted.databases)+len(wanted.passwords))
	return nil
}

// settings is where a file for data.sh goes.
const settings = "/root/settings"

// configure puts certificates and passwords into files of root's and lets a
// script of the machine's take them from there: nothing secret is on a command
// line.
func (h *Host) configure(d *data, wanted stores) (err error) {
	m := d.machine
	if !slices.Equal(d.shown.names, wanted.names) { // another one restarts the cache, which loses what is in it
		d.shown.names = wanted.names
		if d.shown.certificate, d.shown.key, err = h.authority.sign(wanted.names); err != nil {
			return err
		}
	}
	folder, err := m.path(settings)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"certificate.pem": string(d.shown.certificate), "key.pem": string(d.shown.key),
		"roles.sql": roles(wanted.databases), "users.acl": users(wanted.passwords),
	} {
		if err := os.WriteFile(path.Join(folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	leader := m.leader()
	if leader == 0 {
		return errors.New("it does not run")
	}
	command := Enter(leader, "/bin/bash", "-s", "--", settings)
	return run(h.life, embedded("data.sh"), command[0], command[1:]...)
}

// dataFiles are the files of the machine with the data.
func dataFiles() []file {
	return []file{
		{path: "root/settings/README", text: "What the sandbox tells the servers of this machine.\n"},
		// Its servers are told first who may connect.
		{path: "etc/systemd/system/nginx.service", link: "/dev/null"},
	}
}

// roles is SQL that makes each user and its database, or changes the password.
func roles(logins []login) string {
	var sql strings.Builder
	for _, l := range logins {
		user, database := identifier(l.user), identifier(l.database)
		fmt.Fprintf(&sql, "SELECT %s WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) \\gexec\n",
			literal("CREATE ROLE "+user), literal(l.user))
		// As the master user of RDS, which is no superuser.
		fmt.Fprintf(&sql, "ALTER ROLE %s LOGIN CREATEDB CREATEROLE PASSWORD %s;\n", user, literal(l.password))
		fmt.Fprintf(&sql, "SELECT %s WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = %s) \\gexec\n",
			literal("CREATE DATABASE "+database+" OWNER "+user), literal(l.database))
	}
	return sql.String()
}

// identifier and literal quote (PostgreSQL Documentation, "Lexical Structure").
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
func literal(text string) string    { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// users is the cache's access control list: its one user has every password, and
// without any nobody gets in.
func users(passwords []string) string {
	var hashes []string
	for _, password := range passwords {
		sum := sha256.Sum256([]byte(password))
		hashes = append(hashes, " #"+hex.EncodeToString(sum[:]))
	}
	if len(hashes) == 0 {
		return "user default off\n"
	}
	slices.Sort(hashes)
	return "user default on" + strings.Join(slices.Compact(hashes), "") + " ~* &* +@all\n"
}
