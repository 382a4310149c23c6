#!/usr/bin/env bash
# Run every test of the project: the root module, then the AWS plugin's own. At the
# end it lists the tests that this computer could not run, and what they lack.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH=$PWD/.sandbox/tools/bin:$PATH
# Long, because the first run builds the engine and the provider. Two packages at
# a time: those that run engines and emulators keep every core busy by themselves.
everything=$(go list ./...)
rehearsal=bluegreen/sandbox/rehearsal
mapfile -t packages < <(grep -vx "$rehearsal" <<<"$everything")
gotestsum --format pkgname -- -p 2 -timeout 60m "${packages[@]}"
# Alone, since it counts what visitors notice of releases, not of other tests.
gotestsum --format pkgname -- -timeout 60m "$rehearsal"
# The flags are those of the plugin's own build, so that they share its cache.
go test -C sandbox/awsplugin -gcflags='all=-N -l' -timeout 30m ./...
