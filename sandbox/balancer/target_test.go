package balancer

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthFollowsChecks(t *testing.T) {
	mismatch := failure(seen{outcome: "L7STS", code: "503"})
	assert.Equal(t, "Health checks failed with these codes: [503]", mismatch.Why)
	for name, c := range map[string]struct {
		before health
		seen   seen
		want   health
	}{
		"nothing checked yet":         {checking, seen{up: true, outcome: "INI"}, checking},
		"no server yet":               {checking, seen{}, checking},
		"one check is enough":         {checking, seen{up: true, outcome: "L7OK"}, healthy},
		"one failure is not":          {checking, seen{up: true, outcome: "L7STS", code: "503"}, checking},
		"enough of them":              {checking, seen{outcome: "L7STS", code: "503"}, mismatch},
		"a healthy one may fail once": {healthy, seen{up: true, outcome: "L4CON"}, healthy},
		"but not so often":            {healthy, seen{outcome: "L4CON"}, failure(seen{outcome: "L4CON"})},
		"no answer in time":           {healthy, seen{outcome: "L7TOUT"}, failure(seen{outcome: "L7TOUT"})},
		"one pass is not enough then": {mismatch, seen{outcome: "L7OK"}, mismatch},
		"enough of those":             {mismatch, seen{up: true, outcome: "L7OK"}, healthy},
		"a new HAProxy knows nothing": {mismatch, seen{outcome: "INI"}, mismatch},
		"a draining one stays so":     {draining, seen{up: true, outcome: "L7OK"}, draining},
	} {
		t.Run(name, func(t *testing.T) {
			one := &target{health: c.before}
			one.judge(c.seen)
			assert.Equal(t, c.want, one.health)
		})
	}
	assert.Equal(t, elbtypes.TargetHealthReasonEnumTimeout, failure(seen{outcome: "L4TOUT"}).Reason)
	assert.Equal(t, elbtypes.TargetHealthReasonEnumFailedHealthChecks, failure(seen{outcome: "L7RSP"}).Reason)
}

func TestRegistrations(t *testing.T) {
	g := &group{targets: map[string]*target{}}
	addresses := map[string]netip.Addr{"i-1": netip.MustParseAddr("10.0.0.1")}
	address := func(instance string) (netip.Addr, bool) { at, known := addresses[instance]; return at, known }
	both := map[string]registration{"i-1": {port: 80}, "i-2": {port: 8080}}
	now := time.Now()

	g.register(both, address, now)
	assert.Equal(t, "10.0.0.1:80", g.targets["i-1"].server)
	assert.Equal(t, checking, g.targets["i-1"].health)
	assert.Equal(t, registering, g.targets["i-2"].health, "its machine has no address yet")
	assert.False(t, g.targets["i-2"].toCheck())

	addresses["i-2"] = netip.MustParseAddr("10.0.0.2")
	g.register(both, address, now)
	assert.Equal(t, "10.0.0.2:8080", g.targets["i-2"].server)
	assert.True(t, g.targets["i-2"].toCheck())

	g.targets["i-1"].health = healthy
	g.register(map[string]registration{"i-2": {port: 8080}}, address, now)
	assert.Equal(t, draining, g.targets["i-1"].health)
	assert.Equal(t, now, g.targets["i-1"].left)
	g.register(both, address, now.Add(time.Second))
	assert.Equal(t, checking, g.targets["i-1"].health, "it begins anew")
}

func TestConfigurationKeepsTextAsItIs(t *testing.T) {
	assert.Equal(t, `'it'\''s "100%" $HOME'`, quoted(`it's "100%" $HOME`))
}

func TestOldHAProxyIsRefused(t *testing.T) {
	for version, fits := range map[string]bool{"2.4.18": false, "2.5.0": true, "2.6.12-1+deb12u4": true, "3.0.2": true, "1.9.9": false, "nonsense": false} {
		path := filepath.Join(t.TempDir(), "haproxy")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho HAProxy version "+version+" - https://haproxy.org/\n"), 0o700))
		err := checkVersion(t.Context(), path)
		assert.Equal(t, fits, err == nil, "%s: %v", version, err)
	}
}
