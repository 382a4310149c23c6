#!/usr/bin/env bash
# What the tutorial's install_dependencies and start_server do at each deploy:
# upgrade and install packages, make a virtual environment, install the
# requirements from the package index, start the server. Ends when the
# application answers. Runs in a container that has the application in /app.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet --quiet
apt-get upgrade --quiet --quiet --yes
apt-get install --quiet --quiet --yes awscli nginx python3 python3-dev python3-venv build-essential libpq-dev gettext
python3 -m venv /srv/venv
/srv/venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --upgrade pip
/srv/venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --requirement /app/requirements.txt

cp -R /app /srv/app
cd /srv/app
export DJANGO_SETTINGS_MODULE=config.settings.local
# Not port 5000, which may be taken: the container shares this computer's network.
/srv/venv/bin/gunicorn --config /dev/null --bind unix:/run/web.sock --daemon --pid /run/web.pid config.wsgi
until curl --silent --fail --output /dev/null --max-time 5 --unix-socket /run/web.sock http://localhost/healthz; do
	if [[ -e /run/web.pid ]]; then kill -0 "$(cat /run/web.pid)"; fi
	sleep 0.1
done
kill "$(cat /run/web.pid)"
