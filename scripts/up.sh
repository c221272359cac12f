#!/bin/sh
# From a built checkout to a running server with a first workspace. Does only what is missing.
set -eu
cd "$(dirname "$0")/.."
. scripts/instance.sh

needs_root up

first_workspace=shop
log=$data_dir/server.log

"$nexus" node setup

if server_answers && [ -n "$(find "$nexus" -newer "$data_dir/server.json")" ]; then
  say 'a newer build is there: restarting the server, the workspaces go on'
  scripts/down.sh
fi

if ! server_answers; then
  mkdir -p "$data_dir"
  setsid "$nexus" server start >>"$log" 2>&1 </dev/null &
  server=$!
  tries=0
  until server_answers; do
    tries=$((tries + 1))
    if [ "$tries" -gt 150 ] || ! kill -0 "$server" 2>/dev/null; then
      tail -n 20 "$log" >&2
      fail "the server did not start; its whole log is $log"
    fi
    sleep 0.2
  done
fi
NEXUS_SERVER=$(field "$data_dir/server.json" url)
export NEXUS_SERVER
say "server $NEXUS_SERVER (log: $log)"

"$nexus" ssh setup --yes
"$nexus" ssh config
status=$("$nexus" workspace show "$first_workspace" --json 2>/dev/null | sed -n 's/^  "status": "\(.*\)",$/\1/p')
case $status in
  '') "$nexus" workspace create "./examples/$first_workspace" --name "$first_workspace" ;;
  running) "$nexus" workspace show "$first_workspace" ;;
  *) "$nexus" workspace up "$first_workspace" ;;
esac
# Once more for the new host key; the summary above stays the last thing said.
"$nexus" ssh config >/dev/null
