#!/bin/sh
# Installs what package-lock.json names, once: the lock that was installed last is kept in node_modules.
# Needs no root and no engine; any npm from 9 and Node.js from 18 on will do: Node.js 26 comes with it.
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

  # npm 9 leaves this link out.
  node=$(find node_modules/node-* -path '*/bin/node' -type f | head -n 1)
  ln -sf "../${node#node_modules/}" node_modules/.bin/node
  if ! node_modules/.bin/node --version >/dev/null; then
    echo "nexus: this project's own Node.js does not start. On Debian and Ubuntu: apt-get install libatomic1" >&2
    exit 1
  fi

  cp package-lock.json "$installed"
elif [ -n "$(find package-lock.json -newer "$installed")" ]; then
  touch "$installed"
fi
