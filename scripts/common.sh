# shellcheck shell=bash disable=SC2034,SC2154
# What the hooks share. Each of them sources this file first.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin" # the agent's own may be shorter
umask 022 # what is installed is for the service user, too

ROOT="${ROOT:-}" # another folder than / for trying the hooks out
service_user=bluegreen
# The release that this script is part of: the bundle, or what is installed of it.
bundle=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=app/release.sh
source "$bundle/app/release.sh"

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
warn() { printf '%s: warning: %s\n' "$(basename "$0")" "$*" >&2; }
fail() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# read_instance reads what the first start of the instance wrote down.
read_instance() {
	local file=$ROOT/etc/bluegreen.env
	[[ -n $ROOT ]] || ((EUID == 0)) || fail 'want to run as root, as appspec.yml says; by hand use sudo'
	[[ -r $file ]] || fail "$file: not there; the instance's user data writes it at the first start"
	SERVICES=
	# shellcheck source=/dev/null
	source "$file" || fail "$file: want lines like NAME=value; write it anew as the instance's user data does"
	[[ ${PARAMETER_PATH:-} =~ ^/([a-z][a-z0-9-]*)/ ]] ||
		fail "$file: PARAMETER_PATH: want a path like /example/prod/, got '${PARAMETER_PATH:-}'"
	project=${BASH_REMATCH[1]}
	home=$ROOT/srv/$project
	releases=$home/releases
	current=$home/current
	environments=$ROOT/run/$project
}

# read_release finds out where this deployment's release belongs.
read_release() {
	read_instance
	[[ ${DEPLOYMENT_ID:-} =~ ^[A-Za-z0-9-]+$ ]] ||
		fail "DEPLOYMENT_ID: want an id like d-ABC123XYZ, got '${DEPLOYMENT_ID:-}'"
	release=$releases/$DEPLOYMENT_ID
}

# installed makes sure that AfterInstall has done its part.
installed() { [[ -d $release ]] || fail "$release: not installed; see the log of AfterInstall"; }

# read_roles finds the services of this instance: those that the stack has
# written down for it (celery.mode), else its row of the table in app/release.sh.
# A group that the table does not know is an error, and so is a service that
# app/release.sh has no function for.
read_roles() {
	local group=${DEPLOYMENT_GROUP_NAME:-} ending known role
	roles=()
	for ending in "${!services[@]}"; do
		if [[ $group == "$ending" || $group == *-"$ending" ]]; then
			read -r -a roles <<<"${services[$ending]}"
		fi
	done
	known=$(printf '%s\n' "${!services[@]}" | sort | tr '\n' ' ')
	((${#roles[@]} > 0)) ||
		fail "DEPLOYMENT_GROUP_NAME: '$group' ends in none of: ${known% }; add it to services in app/release.sh"
	if [[ -n ${SERVICES:-} ]]; then read -r -a roles <<<"$SERVICES"; fi
	for role in "${roles[@]}"; do
		declare -F "${role%%@*}" >/dev/null ||
			fail "$role: no function of app/release.sh; write one, or choose another celery.mode of the stack (none: no Celery)"
	done
}

# usable prints the services that have the variables they need.
usable() {
	local role need
	for role in "${roles[@]}"; do
		need=${needs[${role%%@*}]:-}
		if [[ -z $need || -n $(variable "${role%%@*}" "$need") ]]; then printf '%s\n' "$role"; fi
	done
}

# variable SERVICE NAME prints the value of one of a service's variables.
variable() (
	[[ ! -r $environments/$1.env ]] || source_environment "$1"
	printf '%s' "${!2:-}"
)

# source_environment SERVICE exports a service's variables; for subshells.
source_environment() {
	set -a
	# shellcheck source=/dev/null
	source "$environments/$1.env"
	set +a
}

# unit ROLE is the name of the systemd unit of a service.
unit() { printf '%s-%s.service' "$project" "$1"; }

# as_service SERVICE COMMAND... runs a command as the service user, with the
# variables that the service gets from systemd. The file is read before root's
# rights are given up, and only in a shell of its own.
as_service() (
	[[ -r $environments/$1.env ]] || fail "$environments/$1.env: not there; run scripts/load-environment $1"
	source_environment "$1"
	shift
	export HOME=/nonexistent # as systemd has it; libpq would look for certificates in root's
	exec setpriv --reuid "$service_user" --regid "$service_user" --init-groups --no-new-privs -- "$@"
)
