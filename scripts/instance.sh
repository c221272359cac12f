# shellcheck shell=sh
# What up, down and clean share: where this machine's Nexus keeps its data, and which of its processes run.
# shellcheck disable=SC2034 # read by the scripts that source this
nexus=dist/nexus
data_dir=${NEXUS_DATA_DIR:-/var/lib/nexus}

say() {
  printf 'nexus: %s\n' "$1"
}

fail() {
  printf 'nexus: %s\n' "$1" >&2
  exit 1
}

# needs_root TARGET: says so before anything is done.
needs_root() {
  [ "$(id -u)" = 0 ] || fail "make $1 needs root: $data_dir and the engine's instances are root's
  → sudo make $1"
}

# field FILE KEY: the value of a top-level string or number of a JSON file that Nexus wrote; nothing when there is none.
field() {
  [ -r "$1" ] || return 0
  tr -d '\n' <"$1" | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# pid_of ROLE: of a process that runs and is a nexus; a process id in the file may have passed to another program.
pid_of() {
  for file in "$data_dir/$1.json" "$data_dir/$1/$1.json"; do
    pid=$(field "$file" pid)
    if [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q nexus; then
      echo "$pid"
      return
    fi
  done
}

server_answers() {
  url=$(field "$data_dir/server.json" url)
  [ -n "$url" ] && [ -n "$(pid_of server)" ] && curl -fsS --max-time 5 -o /dev/null "$url/health" 2>/dev/null
}
