#!/bin/sh
# Removes everything that Nexus made on this machine: what is on the engine, the data, the build. Nothing of anyone else's.
set -eu
cd "$(dirname "$0")/.."
. scripts/instance.sh

[ ! -e "$data_dir" ] || [ -w "$data_dir" ] || needs_root clean

scripts/down.sh

if [ "$(id -u)" = 0 ]; then
  [ -x "$nexus" ] || make build
  "$nexus" node teardown --yes
  # Only a folder that a server made: NEXUS_DATA_DIR may be mistyped.
  if [ -e "$data_dir/local-token" ] || [ -e "$data_dir/server.json" ]; then
    rm -rf "$data_dir"
  fi
elif [ -e "$data_dir" ]; then
  needs_root clean
fi
rm -rf dist coverage .cache
