#!/bin/sh
# build.sh MIRROR ROOT PACKAGES: a Debian root for lab hosts.
# Runs in a mount and pid namespace of its own, so an interrupted build leaves no /proc mounted and no process behind.
set -eu
mirror=$1 root=$2 packages=$3
here=$(dirname "$0")

debootstrap --variant=minbase --include="$packages" sid "$root" "$mirror"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
chroot "$root" /bin/sh -eu <"$here/configure.sh"
