# shellcheck shell=bash disable=SC2034
# What the scripts know of the application: this file, and nothing else. For
# Rails, Flask, FastAPI or a binary, change this file and leave the scripts.
#
# build and prepare run in the bundle. The other functions run in app, as the
# service user, with the variables of Parameter Store in the environment, and
# with RELEASE, the deployment's id.

# Which deployment groups there are, by the end of their names, and the services
# of instances that the stack says nothing of: celery.mode decides for its own
# (SERVICES in /etc/bluegreen.env). worker@NAME is a further worker.
declare -A services=(
	[DeploymentGroup-01]='web worker beat'
	[Celery]='worker beat'
	[CeleryWorker]='worker'
	[CeleryBeat]='beat'
)

# A service is left out where the variable that it needs has no value.
declare -A needs=([worker]=CELERY_BROKER_URL [beat]=CELERY_BROKER_URL)

health_path=/healthz # the stack's edge.healthCheckPath; answered for any host name
ready_path=/readyz   # answers 200 and names the release, if it could take visitors
interface=wsgi       # asgi for an asynchronous application: no buffering, WebSockets
body_size=2G         # the largest request
once_timeout=1500    # seconds that once may take on one instance and be waited for on the others
start_timeout=120    # seconds after which a service that was started has to work

# host_names prints the site's host names.
host_names() { tr ',' ' ' <<<"$DJANGO_ALLOWED_HOSTS"; }

# build runs in the pipeline, before the bundle is made: what an instance must
# not have to compile or download goes into the bundle.
build() { wheels app/requirements.txt; }

# prepare runs on each instance, as root, in the new release, with no network.
prepare() {
	virtual_environment app/requirements.txt app/venv
	app/venv/bin/python -m compileall -q app/config app/deployment app/notes
	app/venv/bin/python app/manage.py collectstatic --no-input --verbosity 0 --settings config.settings.local
}

# once runs on one instance of a release, before the release gets traffic.
once() {
	python manage.py migrate --no-input
	python manage.py publishstatic
}

# A service replaces the shell, so that systemd watches the server itself.
web() {
	case $interface in
	wsgi) exec gunicorn --config gunicorn.conf.py config.wsgi ;;
	# Django's connections to the database belong to threads, of which an
	# asynchronous server has ever new ones.
	asgi) CONN_MAX_AGE=0 exec gunicorn --config gunicorn.conf.py --worker-class uvicorn_worker.UvicornWorker config.asgi ;;
	esac
}
worker() { exec celery --app config worker --loglevel info --hostname "${1:-worker}@%h"; }
beat() { exec celery --app config beat --loglevel info; }

# check fails, and says why, if a service that systemd calls running is not.
check() {
	case $1 in
	worker*) celery --app config inspect ping --destination "${1#*@}@$(hostname)" ;;
	esac
}
