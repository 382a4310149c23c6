# shellcheck shell=bash disable=SC2034
# A FastAPI application, released by the same scripts: what there is to change
# for another framework is this file. See app/release.sh for what each part means.

declare -A services=([DeploymentGroup-01]='web')
declare -A needs=()

health_path=/healthz
ready_path=/readyz
interface=asgi
body_size=1m
once_timeout=60
start_timeout=60

host_names() { echo "$HOSTS"; }
build() { wheels app/requirements.txt; }
prepare() {
	virtual_environment app/requirements.txt app/venv
	app/venv/bin/python -m compileall -q app/main.py
}
once() { python -c 'import os; print("once for", os.environ["RELEASE"])'; }
# Only nginx can connect to the socket, so what it says of the visitor is true.
web() { exec uvicorn main:app --fd 3 --forwarded-allow-ips '*' --no-access-log; }
check() { :; }
