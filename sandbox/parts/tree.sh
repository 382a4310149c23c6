#!/usr/bin/env bash
# Make the tree that the sandbox's machines start from, as an image of EC2 is
# made: tree.sh FOLDER SUITE MIRROR USERDATA
# USERDATA is the script of an instance's first start; it prepares the image.
set -euo pipefail
folder=$1 suite=$2 mirror=$3 userdata=$4

# What a cloud image has, and what the machine with the data needs beside it.
packages=(
	systemd systemd-sysv dbus ca-certificates curl iproute2 openssl passwd procps python3 python3-venv
	postgresql redis-server
)

in_tree() {
	unshare --mount --pid --fork --root="$folder" --wd=/ --mount-proc \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 "$@"
}

debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$folder" "$mirror"

# Nothing starts while this is no machine.
install -D --mode=0755 /dev/stdin "$folder/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101'
# In place of what AWS's installer would bring. The program itself comes from
# outside when a machine starts.
install -D --mode=0755 /dev/null "$folder/opt/codedeploy-agent/bin/codedeploy-agent"
install -D --mode=0644 /dev/stdin "$folder/etc/systemd/system/codedeploy-agent.service" <<'UNIT'
[Unit]
Description=CodeDeploy agent
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/opt/codedeploy-agent/bin/codedeploy-agent
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
UNIT

install --mode=0755 "$userdata" "$folder/root/userdata"
in_tree /root/userdata prepare-image

# The data is for one machine only, which switches them on.
in_tree systemctl disable postgresql redis-server
version=$(basename "$folder"/usr/lib/postgresql/*)
in_tree pg_dropcluster "$version" main
in_tree pg_createcluster --locale C.UTF-8 --encoding UTF8 "$version" main
in_tree systemctl enable systemd-networkd systemd-networkd-wait-online
in_tree systemctl mask console-getty.service getty.target apt-daily.timer apt-daily-upgrade.timer systemd-firstboot.service

# What is done at the first start of a copy, once for all.
in_tree ldconfig
in_tree journalctl --update-catalog
in_tree apt-get clean
rm -rf "$folder"/{root/userdata,usr/sbin/policy-rc.d,etc/machine-id,etc/hostname,etc/resolv.conf} \
	"$folder"/var/{lib/apt/lists,cache/apt}/* "$folder"/usr/share/{doc,man,locale}/*
find "$folder/var/log" -type f -delete
: >"$folder/etc/machine-id" # each copy gets its own
: >"$folder/etc/resolv.conf" # nobody answers; names fail at once
: >"$folder/etc/hosts"
touch "$folder/etc/.updated" "$folder/var/.updated"
in_tree dpkg-query --show >"$folder/../packages.txt"
