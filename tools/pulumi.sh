#!/usr/bin/env bash
# Run pulumi: the one on PATH, else the one that the sandbox has built. Where no
# Go language host comes with it, bin/bluegreen stands in.
set -euo pipefail
cd "$(dirname "$0")/.."

export PULUMI_SKIP_UPDATE_CHECK=true
if [[ ${GITHUB_ACTIONS:-} == true ]]; then
	# A secret that is not there is an empty variable, and to Pulumi a passphrase.
	for name in PULUMI_BACKEND_URL PULUMI_ACCESS_TOKEN PULUMI_CONFIG_PASSPHRASE; do
		[[ -n ${!name:-} ]] || unset "$name"
	done
fi
pulumi=$(command -v pulumi || true)
if [[ -z $pulumi ]]; then
	for built in .sandbox/parts/pulumi-*/pulumi; do # the newest, whatever order names have
		if [[ -x $built ]] && [[ -z $pulumi || $built -nt $pulumi ]]; then
			pulumi=$PWD/$built
		fi
	done
fi
if [[ -z $pulumi ]]; then
	echo "pulumi is not installed; install it, or run make preview-offline STACK=prod once, which builds one" >&2
	exit 1
fi
if [[ ! -x $(dirname "$(readlink -f "$pulumi")")/pulumi-language-go ]]; then
	export PATH=$PATH:$PWD/tools/language
fi
exec "$pulumi" --non-interactive "$@"
