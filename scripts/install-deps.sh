#!/bin/sh
# Installs what package-lock.json names, once: the lock that was installed last is kept in node_modules.
# Needs no root and no engine; any npm from 9 and Node from 18 on will do, since Node 26 comes with it.
set -eu
cd "$(dirname "$0")/.."

# npm must run on the Node it came with, also when make has put node_modules/.bin first.
PATH=$(printf '%s' "$PATH" | sed "s|$PWD/node_modules/.bin:||g")
installed=node_modules/.installed-lock.json

if ! command -v npm >/dev/null 2>&1; then
  echo 'nexus: npm is missing. Install Node.js 18 or newer with npm (Debian: apt-get install nodejs npm).' >&2
  exit 1
fi

if ! cmp -s package-lock.json "$installed"; then
  npm ci --ignore-scripts --loglevel=error
  cp package-lock.json "$installed"
elif [ -n "$(find package-lock.json -newer "$installed")" ]; then
  touch "$installed"
fi

if ! node_modules/.bin/node --version >/dev/null 2>&1; then
  echo 'nexus: the Node.js of this project does not start here:' >&2
  node_modules/.bin/node --version >&2 || true
  echo 'nexus: on Debian and Ubuntu it needs libatomic1: apt-get install libatomic1' >&2
  exit 1
fi
