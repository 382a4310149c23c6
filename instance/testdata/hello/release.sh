# shellcheck shell=bash disable=SC2034
# A program in Go, released by the same scripts: what there is to change for
# another framework is this file. See app/release.sh for what each part means.

declare -A services=([DeploymentGroup-01]='web')
declare -A needs=()

health_path=/healthz
ready_path=/readyz
interface=wsgi
body_size=1m
once_timeout=60
start_timeout=60

host_names() { echo "$HOSTS"; }
build() { CGO_ENABLED=0 go build -o app/hello app/main.go; }
prepare() { [[ -x app/hello ]] || fail 'app/hello: not in the bundle; run scripts/build'; }
once() { ./hello once; }
web() { exec ./hello web; }
check() { :; }
