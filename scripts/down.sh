#!/bin/sh
# Stops server, gateway and agent. Workspaces and what runs in them go on.
set -eu
cd "$(dirname "$0")/.."
. scripts/instance.sh

# Others cannot read which processes there are. Without any data there is nothing to stop.
[ ! -e "$data_dir" ] || [ -w "$data_dir" ] || needs_root down

# The first SIGTERM lets a gateway's open connections end by themselves, the second ends it.
patience_s=5

stop() {
  pid=$(pid_of "$1")
  [ -n "$pid" ] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  tenths=0
  while kill -0 "$pid" 2>/dev/null; do
    [ "$tenths" -eq $((patience_s * 10)) ] && kill -TERM "$pid" 2>/dev/null
    [ "$tenths" -lt $((patience_s * 40)) ] || fail "$1 (process $pid) does not stop"
    tenths=$((tenths + 1))
    sleep 0.1
  done
  say "stopped $1"
}

for role in server gateway agent; do
  stop "$role"
done
