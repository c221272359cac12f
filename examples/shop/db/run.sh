#!/bin/sh
# PostgreSQL as the user of the workspace, with its data outside of the repository; made at the first start.
set -eu

data="$HOME/.local/share/shop-db"

# Debian keeps the server's programs of each version in a folder of their own.
for folder in /usr/lib/postgresql/*/bin; do
  [ -d "$folder" ] && PATH="$folder:$PATH"
done

if ! command -v postgres >/dev/null; then
  echo 'PostgreSQL is not installed: apt-get install postgresql' >&2
  exit 1
fi

if [ ! -d "$data" ]; then
  # Made beside and moved, so that a start that was cut off leaves nothing half made. Waiting for the disk would take
  # longer than all the rest.
  rm -rf "$data.new"
  mkdir -p "$(dirname "$data")"
  initdb --no-sync --pgdata="$data.new" --username=shop --auth=trust --encoding=UTF8 --locale=C.UTF-8
  echo 'CREATE DATABASE shop' | postgres --single -D "$data.new" postgres
  mv "$data.new" "$data"
fi

exec postgres -D "$data" -h 127.0.0.1 -p 5432 -k /tmp
