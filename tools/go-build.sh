#!/usr/bin/env bash
# Build one Go program and show how far it is: the first build of the AWS SDK
# takes minutes, and go itself says nothing meanwhile.
#
#   tools/go-build.sh OUTPUT [-C DIRECTORY] PACKAGE
set -euo pipefail

output=$1
shift
directory=.
if [[ $1 == -C ]]; then
	directory=$2
	shift 2
fi
package=$1

if ! command -v go >/dev/null; then
	echo "go is not installed; install Go $(awk '$1 == "go" { print $2 }' go.mod) or later from your system's packages" >&2
	exit 1
fi
mkdir -p "$(dirname "$output")"
output=$(cd "$(dirname "$output")" && pwd)/$(basename "$output")
total=$(go list -C "$directory" -deps "$package" | wc -l)

# -v names each package as it is compiled; one that is cached is not named.
show() {
	local compiled=0 line
	while IFS= read -r line; do
		if [[ $line =~ ^[a-z0-9._~/-]+$ || $line =~ ^[a-zA-Z0-9._~/-]+/[a-zA-Z0-9._~/-]+$ ]]; then
			compiled=$((compiled + 1))
			if [[ -t 2 ]]; then
				printf '\r\033[Kbuilding %s: %d of at most %d packages' "$(basename "$output")" "$compiled" "$total" >&2
			elif ((compiled % 100 == 0)); then
				printf 'building %s: %d of at most %d packages\n' "$(basename "$output")" "$compiled" "$total" >&2
			fi
		elif [[ $line != go:\ downloading* ]]; then
			printf '%s\n' "$line" >&2
		fi
	done
	if [[ -t 2 ]] && ((compiled > 0)); then
		printf '\r\033[K' >&2
	fi
}

go build -C "$directory" -v -o "$output" "$package" 2>&1 | show
