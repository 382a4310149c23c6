#!/usr/bin/env bash
# What the tutorial's install_dependencies does at each deploy: upgrade and
# install packages, make a virtual environment and install the requirements from
# the package index. Runs in a container that has the application in /app.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet --quiet
apt-get upgrade --quiet --quiet --yes
apt-get install --quiet --quiet --yes awscli nginx python3 python3-dev python3-venv build-essential libpq-dev gettext
python3 -m venv /srv/venv
/srv/venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --upgrade pip
/srv/venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --requirement /app/requirements.txt
