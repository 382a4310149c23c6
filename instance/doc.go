// Package instance holds the tests of what runs on an instance: appspec.yml,
// scripts and app. They run the real scripts against real PostgreSQL, Redis and
// nginx, in a folder that the scripts take for the root of an instance. What
// belongs to the machine as a whole (systemd, users) is stood in for by the
// programs in testdata/bin.
package instance
