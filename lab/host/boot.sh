#!/bin/sh
# boot.sh STATE IMAGE GROUP NETNS MACHINE HOSTNAME UUID [NSPAWN-OPTION...]: becomes a running host.
# Runs in a mount namespace of its own: the overlay, the loop device and the copy-on-write file system live exactly as
# long as the host's processes, whatever kills them.
set -eu
state=$1 image=$2 group=$3 netns=$4 machine=$5 hostname=$6 uuid=$7
shift 7

echo $$ >"$group/cgroup.procs"
mount -t overlay -o "lowerdir=$image,upperdir=$state/upper,workdir=$state/work" "sluice-$machine" "$state/root"
if [ -e "$state/btrfs.img" ]; then
  mount -t btrfs -o loop,noatime,discard=async "$state/btrfs.img" "$state/srv"
  set -- "--bind=$state/srv:/srv" "$@"
fi
if [ -d "$state/mysql" ]; then
  set -- "--bind=$state/mysql:/var/lib/mysql" "$@"
fi
# The outer machine need not run systemd: nothing to register with, and cgroup2 for the host in any case.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --register=no --keep-unit --settings=no --link-journal=no --resolv-conf=off --timezone=off \
  --console=pipe --boot --directory="$state/root" --network-namespace-path="/run/netns/$netns" \
  --machine="$machine" --hostname="$hostname" --uuid="$uuid" "$@"
