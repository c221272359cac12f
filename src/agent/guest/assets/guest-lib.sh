# shellcheck shell=bash
# What the agent's scripts inside a workspace have in common; it is put before each of them. They run as root.
# They print what is afterwards (`facts`) as lines of a key and values, separated by tabs.
set -u
shopt -s nullglob
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC
umask 022
# By which the agent knows that it has heard all.
trap 'echo end' EXIT

marks=/var/lib/nexus # for as long as the instance lives
boot=/run/nexus      # until it stops
units=/run/systemd/system
host_key=/etc/ssh/ssh_host_ed25519_key

exec {silence}<> <(:)

# Waits without starting a program: `sleep` costs a process each time.
pause() {
  read -rt "$1" -u "$silence"
}

# systemd's first deed is to mount /run; what is written before would be hidden below it.
wait_for_run() {
  local mounts
  until mapfile -t mounts </proc/mounts && [[ " ${mounts[*]} " == *' /run tmpfs '* ]]; do pause 0.01; done
  [[ -d $boot/hooks && -d $boot/services && -d $marks/hooks ]] || mkdir -p "$boot"/{hooks,services} "$marks/hooks"
}

# write_file PATH MODE OWNER CONTENT: in its place at once. Sets `changed` when it was not so before.
write_file() {
  local path=$1 mode=$2 owner=$3 content=$4 before=
  if [[ -f $path ]]; then
    IFS= read -r -d '' before <"$path"
    [[ $before == "$content" ]] && return
  fi
  # shellcheck disable=SC2034 # for the script that it is put before
  changed=yes
  [[ -d ${path%/*} ]] || install -d -m 0755 -o "$owner" -g "$owner" "${path%/*}"
  (umask 077 && printf '%s' "$content" >"$path.new")
  chmod "$mode" "$path.new"
  [[ $owner == root ]] || chown "$owner:$owner" "$path.new"
  mv -f "$path.new" "$path"
}

# Puts the files that stdin brings into place: path, mode, owner and content, each ended by a NUL.
install_files() {
  local path mode owner content
  while IFS= read -r -d '' path && IFS= read -r -d '' mode && IFS= read -r -d '' owner && IFS= read -r -d '' content; do
    write_file "$path" "$mode" "$owner" "$content"
  done
}

# Something listens on port 22 (0x16; state 0A is LISTEN).
sshd_listens() {
  local local_address state
  while read -r _ local_address _ state _; do
    [[ $state == 0A && $local_address == *:0016 ]] && return 0
  done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  return 1
}

# show UNIT PROPERTY...: fills `shown` with systemd's properties. (It prints them in an order of its own.)
declare -A shown
show() {
  local unit=$1 key value
  shift
  shown=()
  # shellcheck disable=SC2034 # for the scripts
  while IFS='=' read -r key value; do shown[$key]=$value; done < <(systemctl show --timestamp=us+utc "${@/#/--property=}" -- "$unit")
}

# unit_states UNIT...: a line for each, `unit` and systemd's properties.
unit_states() {
  local line properties=
  while IFS= read -r line; do
    if [[ -n $line ]]; then
      properties+=$'\t'$line
    else
      [[ -z $properties ]] || printf 'unit%s\n' "$properties"
      properties=
    fi
  done < <(
    systemctl show --timestamp=us+utc \
      -p Id -p ActiveState -p SubState -p Result -p NRestarts -p MainPID -p ExecMainCode -p ExecMainStatus \
      -p ExecMainStartTimestamp -- "$@"
    echo
  )
}

facts() {
  local file line names=()
  if [[ -r $boot/configured ]]; then
    read -r line <"$boot/configured"
    printf 'configured\t%s\n' "$line"
  fi
  ! sshd_listens || printf 'sshd\tlistens\n'
  if [[ -s $host_key.pub ]] && read -r -a line <"$host_key.pub"; then
    printf 'host_key\t%s %s\n' "${line[0]}" "${line[1]-}"
  fi
  for file in clone base; do
    [[ -s $marks/$file ]] && IFS= read -r line <"$marks/$file" && printf '%s\t%s\n' "$file" "$line"
  done
  [[ -s $boot/config ]] && IFS= read -r line <"$boot/config" && printf 'config\t%s\n' "$line"
  for file in "$marks"/hooks/* "$boot"/hooks/*; do printf 'hook\t%s\n' "${file##*/}"; done
  for file in "$units"/nexus-*.service; do names+=("${file##*/}"); done
  [[ ${#names[@]} -eq 0 ]] || unit_states "${names[@]}"
}
