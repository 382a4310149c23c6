#!/usr/bin/env bash
# Become the machine on a disk: boot.sh DISK TREE GROUP... -- OPTIONS...
# Runs in the machines' network namespace, and in a mount and a process namespace
# of its own. GROUP is a file of a control group; OPTIONS are those of
# systemd-nspawn. A machine that restarts itself gets here again.
set -euo pipefail
cd "$1"
ln -sfn "$2" tree # a path of ours has no colon or comma, which mean something here
shift 2
while [[ $1 != -- ]]; do
	echo 0 >"$1" # this process
	shift
done
shift
# Nothing of a machine outlives it, so nothing waits for the disk. The kernel takes
# what it finds in its own folder for a disk that was not waited for.
rm -rf work
mkdir work
layer() { mount -t overlay overlay -o "lowerdir=tree,upperdir=$1/upper,workdir=$1/work,volatile" root; }
if ! layer .; then
	echo 'this file system takes no layer of an overlay, as inside Docker; the machine writes to memory'
	mkdir -p memory
	mount -t tmpfs -o mode=0755 tmpfs memory
	cp -a upper work memory/
	layer memory
fi
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn # what it notes down is for this machine only
exec systemd-nspawn --directory=root "$@"
