#!/usr/bin/env bash
# Tell PostgreSQL and Redis of this machine who may connect, and start them when
# they do not run: data.sh SETTINGS. Running it again changes what has changed.
set -euo pipefail
cd "$1"

version=$(basename /etc/postgresql/*)
postgresql=/etc/postgresql/$version/main

# place OWNER SOURCE PLACE puts a file that only its owner reads in its place;
# it fails when the same is there already.
place() {
	if cmp --silent "$2" "$3"; then return 1; fi
	install --owner="$1" --group="$1" --mode=0600 "$2" "$3"
}

place postgres certificate.pem "$postgresql/sandbox.crt" || true
place postgres key.pem "$postgresql/sandbox.key" || true
# No caution with the disk: nothing of this machine outlives it.
cat >"$postgresql/conf.d/sandbox.conf" <<END
listen_addresses = '*'
ssl_cert_file = '$postgresql/sandbox.crt'
ssl_key_file = '$postgresql/sandbox.key'
shared_buffers = 32MB
max_connections = 200
fsync = off
full_page_writes = off
synchronous_commit = off
END
# Over TLS only, as rds.force_ssl makes it.
cat >"$postgresql/pg_hba.conf" <<'END'
local all postgres peer
hostssl all all 0.0.0.0/0 scram-sha-256
END

changed=
if place redis certificate.pem /etc/redis/sandbox.crt; then changed=yes; fi
if place redis key.pem /etc/redis/sandbox.key; then changed=yes; fi
if place redis users.acl /etc/redis/users.acl; then changed=yes; fi
cat >/etc/redis/redis.conf <<'END'
bind *
port 0
tls-port 6379
tls-cert-file /etc/redis/sandbox.crt
tls-key-file /etc/redis/sandbox.key
tls-ca-cert-file /etc/redis/sandbox.crt
tls-auth-clients no
aclfile /etc/redis/users.acl
dir /var/lib/redis
save ""
END
if [[ $changed ]]; then systemctl restart redis-server; fi
systemctl enable --quiet redis-server postgresql
systemctl start redis-server postgresql "postgresql@$version-main"
systemctl reload "postgresql@$version-main"
cd /
runuser --user postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --tuples-only --dbname postgres <"$1/roles.sql"
rm -f "$1"/*
