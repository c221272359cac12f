#!/bin/bash
# Starts the container engine where no service manager does (a container, a minimal image). Does nothing when it runs.
set -eu

if [ "$(id -u)" != 0 ] || [ -d /run/systemd/system ]; then
  exit 0
fi

# start PROGRAM GROUP READY...: READY is the command that waits for it.
start() {
  program=$1 group=$2
  shift 2
  if "$@" --timeout=1 >/dev/null 2>&1; then
    return
  fi
  log=/var/log/$program/$program.log
  mkdir -p "${log%/*}"
  # Each workspace takes some files; the usual 1024 end at a few dozen.
  ulimit -n 1048576 2>/dev/null || true
  setsid "$program" --group "$group" --logfile "$log" >/dev/null 2>&1 </dev/null &
  if ! "$@" --timeout=60 >/dev/null 2>&1; then
    echo "nexus: $program does not start; its log is $log" >&2
    exit 1
  fi
  echo "Started $program (log: $log)"
}

if command -v lxd >/dev/null 2>&1; then
  start lxd lxd lxd waitready
elif command -v incusd >/dev/null 2>&1; then
  start incusd incus-admin incusd waitready
fi
