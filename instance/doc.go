// Package instance holds the tests of what runs on an instance: appspec.yml,
// scripts and app. They run the real scripts against real PostgreSQL, Redis and
// nginx, in a folder that the scripts take for the root of an instance. What
// belongs to the machine as a whole (systemd, users) is stood in for by the
// programs in testdata/bin.
//
// Where root may boot machines with systemd-nspawn, the scripts run on them, too:
// with systemd's own parser, users and units. Elsewhere those tests are skipped
// and say what is missing; BLUEGREEN_REQUIRE_MACHINES=1 makes that a failure.
package instance
