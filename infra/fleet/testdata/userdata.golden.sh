#!/bin/bash
# The first start of a web instance. cloud-init runs this as root and keeps its
# output in /var/log/cloud-init-output.log. Running it again changes nothing.
#
# An image is baked by running this on it with the argument prepare-image: an
# instance that starts from such an image downloads nothing.
set -euo pipefail

ROOT="${ROOT:-}" # another folder than / for trying this script out
export AWS_REGION='us-east-2' # both installers of the agent read it
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

log() { printf '%s userdata: %s\n' "$(date --utc +%FT%TZ)" "$*"; }

# write PATH puts standard input into a file that everybody can read.
write() { install -D --mode=0644 /dev/stdin "$ROOT$1"; }

# retry COMMAND... tries three times, with breaks between.
retry() {
	local attempt
	for attempt in 1 2 3; do
		if "$@"; then return 0; fi
		log "attempt $attempt of 3 failed: $*"
		if [ "$attempt" -lt 3 ]; then sleep $((attempt * 15)); fi
	done
	return 1
}

# The daily jobs of apt hold its lock when they please. The setting is a file,
# so that installers which call apt-get themselves wait as well.
configure_apt() {
	write /etc/apt/apt.conf.d/90-wait <<'END'
DPkg::Lock::Timeout "300";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
END
}

install_packages() {
	apt-get update && apt-get install --yes --no-install-recommends "$@"
}

# Everything gets a 503, the path of the health check too: the load balancer
# sends no visitors before a release has put its own site in this place. The
# package's welcome page would pass for a site: it is out before nginx starts.
place_site() {
	write /etc/nginx/sites-available/no-release <<'END'
server {
	listen 80 default_server;
	listen [::]:80 default_server;
	server_name _;
	server_tokens off;
	default_type text/plain;
	add_header Cache-Control no-store always;
	return 503 "No release yet.\n";
}
END
	local site="$ROOT/etc/nginx/sites-enabled/default"
	mkdir -p "$ROOT/etc/nginx/sites-enabled"
	if [ "$(readlink "$site")" = /etc/nginx/sites-available/default ]; then rm "$site"; fi
	if [ ! -e "$site" ] && [ ! -L "$site" ]; then ln -s /etc/nginx/sites-available/no-release "$site"; fi
}

install_nginx() {
	if [ -x "$ROOT/usr/sbin/nginx" ]; then return 0; fi
	log 'installing nginx'
	retry install_packages nginx
}

start_nginx() {
	nginx -t
	systemctl enable nginx
	systemctl reload-or-restart nginx
	systemctl is-active nginx
}

AGENT="$ROOT/opt/codedeploy-agent/bin/codedeploy-agent"

# install_agent_from PREFIX runs the installer that AWS keeps there.
install_agent_from() {
	local installer
	installer="$(mktemp)" &&
		curl --fail --silent --show-error --location --connect-timeout 10 --max-time 60 \
			--retry 4 --retry-all-errors --retry-max-time 120 \
			--output "$installer" "https://aws-codedeploy-us-east-2.s3.us-east-2.amazonaws.com/$1/install" &&
		[ "$(head -c 2 "$installer")" = '#!' ] &&
		chmod +x "$installer" &&
		retry timeout 300 "$installer" auto &&
		[ -x "$AGENT" ]
}

# Agent 2.x needs nothing, but not every region has it. 1.8 is written in Ruby
# and logs to a file of its own; gdebi is what its installer would fetch itself.
install_agent() {
	if [ -x "$AGENT" ]; then return 0; fi
	log 'installing the CodeDeploy agent 2.x'
	if install_agent_from latestv2; then return 0; fi
	log "no agent 2.x from $AWS_REGION; installing 1.8"
	retry install_packages ruby-full gdebi-core
	if install_agent_from latest; then return 0; fi
	tail -n 50 "$ROOT/tmp/codedeploy-agent.update.log" || true
	log 'the CodeDeploy agent could not be installed: this instance takes no releases'
	return 1
}

start_agent() {
	systemctl enable codedeploy-agent
	systemctl start codedeploy-agent
	systemctl is-active codedeploy-agent
}

# What an instance needs once, whichever site and environment it is for.
prepare_image() {
	configure_apt
	place_site
	install_nginx
	start_nginx
	install_agent
}

# What makes it an instance of this one. Release scripts read the file: the
# application's variables are in Parameter Store under this path.
configure_instance() {
	write /etc/bluegreen.env <<'END'
AWS_DEFAULT_REGION=us-east-2
PARAMETER_PATH=/example/prod/
END
}

case "${1:-}" in
prepare-image)
	prepare_image
	log 'ready to start instances from'
	;;
'')
	prepare_image
	configure_instance
	start_agent # last: a release may follow at once
	log 'ready for a release'
	;;
*)
	log "want prepare-image or no argument, got '$1'"
	exit 2
	;;
esac
