#!/usr/bin/env bash
# Formatting, linters and module files, as the checks of a pull request.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH=$PWD/.sandbox/tools/bin:$PATH
failed=0

unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
if [[ -n $unformatted ]]; then
	printf 'not formatted; run gofmt -w on:\n%s\n' "$unformatted" >&2
	failed=1
fi
# Scripts have no common ending: find them by their first line.
git ls-files -z | xargs -0 grep -lIZ -m1 '^#!/usr/bin/env bash' | xargs -0 shellcheck --external-sources || failed=1
go mod tidy -diff || failed=1
go vet ./... || failed=1
golangci-lint run ./... || failed=1
# The parts that do things at the same time, under the race detector.
go test -race -short ./sandbox/emulator ./sandbox/parts/... || failed=1
exit "$failed"
