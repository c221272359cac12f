#!/bin/sh
# Removes everything that Nexus made on this machine: what is on the engine, the data, the build. Nothing of anyone else's.
set -eu
cd "$(dirname "$0")/.."
. scripts/instance.sh

scripts/down.sh

if [ "$(id -u)" = 0 ]; then
  [ -x "$nexus" ] || make build
  "$nexus" node teardown --yes
  # Only a folder that a server made: NEXUS_DATA_DIR may be mistyped.
  if [ -e "$data_dir/local-token" ] || [ -e "$data_dir/server.json" ]; then
    rm -rf "$data_dir"
  fi
elif [ -e "$data_dir" ]; then
  fail "needs root: $data_dir and the engine's instances are root's"
fi
rm -rf dist coverage .cache
