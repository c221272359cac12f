# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-monitor.sh ADDRESS: watches the services until its stdin ends. A line on stdin makes it look at once. Prints
#   unit  Id=… (systemd's properties, see unit_states)       when one has changed
#   probe NAME PID MILLISECONDS RETRIES RESULT DETAIL        after each probe; RESULT is ok, failed or timeout
#   beat                                                     after each look at the units
# Nothing but the probes starts a process while all is well: a service lives as long as its process is in /proc.
address=$1
quick_ms=30000 # from its start a service is probed quickly, until it is healthy for the first time
quick_step_ms=250
settled_look_ms=30000 unsettled_look_ms=300
jump_ms=10000 # a busy machine may be late by less

wait_for_run
queue=$boot/monitor.$$
printf '%s\n' "$$" >"$boot/monitor.pid"
mkfifo "$queue" && exec {events}<>"$queue" && rm -f "$queue"
exec {input}<&0
(
  while IFS= read -r _; do printf 'look\n'; done
  printf 'end\n'
) <&"$input" >&"$events" &
exec {input}<&- </dev/null
stop_children() {
  local children
  mapfile -t children < <(jobs -p)
  [[ ${#children[@]} -eq 0 ]] || kill "${children[@]}" 2>/dev/null
}
trap stop_children EXIT

declare -A seen pid since healthy due probing
names=()

now() {
  now_ms=$((${EPOCHREALTIME/[.,]/} / 1000))
}

# A clock that was put forward or back while we waited (at most MS) takes all that is due along.
follow_clock() {
  local before=$1 waited=$2 name
  local jump=$((now_ms - before))
  ((jump < 0 || jump > waited + jump_ms)) || return 0
  look_at=$((look_at + jump))
  for name in "${!due[@]}"; do
    due[$name]=$((due[$name] + jump)) since[$name]=$((since[$name] + jump))
  done
}

# When the service was started last, as guest-backoff.sh has noted it.
set_since() {
  local starts=()
  [[ ! -r $boot/services/$1.starts ]] || read -ra starts <"$boot/services/$1.starts"
  since[$1]=${starts[-1]:-0}999
  ((since[$1] <= now_ms)) || since[$1]=$now_ms
}

# Sets the unit's fields from its line.
take_unit() {
  local line=$1 field fields name='' main=0 active='' sub=''
  IFS=$'\t' read -ra fields <<<"$line"
  for field in "${fields[@]}"; do
    case $field in
      Id=*) name=${field#Id=nexus-} name=${name%.service} ;;
      MainPID=*) main=${field#*=} ;;
      ActiveState=*) active=${field#*=} ;;
      SubState=*) sub=${field#*=} ;;
    esac
  done
  [[ $active/$sub == active/running ]] || main=0
  if [[ $main != "${pid[$name]-}" ]]; then
    pid[$name]=$main healthy[$name]='' due[$name]=$now_ms probing[$name]=''
    set_since "$name"
  fi
  case $active/$sub in active/running | inactive/dead | failed/*) ;; *) settled= ;; esac
  names+=("$name")
  [[ $line != "${seen[$name]-}" ]] || return 0
  seen[$name]=$line
  printf '%s\n' "$line"
}

look() {
  local file line ids=()
  settled=yes names=()
  for file in "$units"/nexus-*.service; do ids+=("${file##*/}"); done
  if [[ ${#ids[@]} -gt 0 ]]; then
    while IFS= read -r line; do take_unit "$line"; done < <(unit_states "${ids[@]}")
  fi
  now
  look_at=$((now_ms + (${#settled} ? settled_look_ms : unsettled_look_ms)))
  printf 'beat\n' || exit 0
  local owner=
  read -r owner <"$boot/monitor.pid"
  [[ $owner == "$$" ]] || exit 0 # another one has taken over
}

# Sets `probe`: type, port, path or folder, command, interval (ms), timeout (s), retries.
read_probe() {
  probe=()
  [[ ! -r $boot/services/$1.probe ]] || mapfile -d $'\x1e' -t probe <"$boot/services/$1.probe"
  # A service without a check is well once it has run for a second.
  [[ ${#probe[@]} -ge 7 ]] || probe=(none 0 '' '' 30000 1 1)
}

# limited SECONDS COMMAND...: 124 when it took longer.
limited() {
  timeout -k 1 "$@"
}

probe_tcp() {
  local port=$1 seconds=$2
  # shellcheck disable=SC2016 # for the inner shell
  limited "$seconds" bash -c 'for host in 127.0.0.1 ::1 "$2"; do { : </dev/tcp/$host/$1; } 2>/dev/null && exit; done; exit 1' probe "$port" "$address"
  case $? in
    0) echo ok ;;
    124 | 137) printf 'timeout\tport %s does not answer in %s s' "$port" "$seconds" ;;
    *) printf 'failed\tnothing listens on port %s' "$port" ;;
  esac
}

probe_http() {
  local port=$1 path=$2 seconds=$3 host code
  for host in localhost "$address"; do
    code=$(curl --silent --noproxy '*' --output /dev/null --max-time "$seconds" --write-out '%{http_code}' "http://$host:$port$path")
    case $?/$code in
      0/[23]??) echo ok && return ;;
      0/* | *[1-9]??) printf 'failed\t%s answers %s' "$path" "$code" && return ;;
      28/*) printf 'timeout\tno answer in %s s' "$seconds" && return ;;
      7/*) ;;
      *) printf 'failed\tport %s does not speak HTTP' "$port" && return ;;
    esac
  done
  printf 'failed\tnothing listens on port %s' "$port"
}

probe_command() {
  local name=$1 folder=$2 command=$3 seconds=$4 output code
  output=$(
    set -a
    # shellcheck disable=SC1090
    . "$boot/services/$name.env"
    cd -- "$folder" 2>/dev/null || cd /
    limited "$seconds" setpriv --reuid dev --regid dev --init-groups --inh-caps=-all \
      env HOME=/home/dev USER=dev LOGNAME=dev SHELL=/bin/bash bash -lc "$command" 2>&1 </dev/null | tail -n 1
    exit "${PIPESTATUS[0]}"
  )
  code=$?
  case $code in
    0) echo ok ;;
    124 | 137) printf 'timeout\tthe check did not end in %s s' "$seconds" ;;
    *) printf 'failed\tthe check ended with %s%s' "$code" "${output:+: ${output//$'\t'/ }}" ;;
  esac
}

run_probe() {
  local name=$1 result
  case ${probe[0]} in
    tcp) result=$(probe_tcp "${probe[1]}" "${probe[5]}") ;;
    http) result=$(probe_http "${probe[1]}" "${probe[2]}" "${probe[5]}") ;;
    command) result=$(probe_command "$name" "${probe[2]}" "${probe[3]}" "${probe[5]}") ;;
    *) result=ok ;;
  esac
  now
  printf 'probe\t%s\t%s\t%s\t%s\t%.500s\n' "$name" "${pid[$name]}" "$now_ms" "${probe[6]}" "$result" >&"$events"
}

start_probe() {
  local name=$1 interval
  read_probe "$name"
  interval=${probe[4]}
  if [[ ${probe[0]} == none && -z ${healthy[$name]} ]] && ((now_ms - since[$name] < 1000)); then
    due[$name]=$((since[$name] + 1000))
    return
  fi
  if [[ -z ${healthy[$name]} ]] && ((now_ms - since[$name] < quick_ms && interval > quick_step_ms)); then interval=$quick_step_ms; fi
  due[$name]=$((now_ms + interval)) probing[$name]=yes
  run_probe "$name" &
}

take_probe() {
  local IFS=$'\t' line=$1 name main result
  read -r _ name main _ _ result _ <<<"$line"
  [[ $main == "${pid[$name]-}" ]] || return 0 # of a process that is no more
  probing[$name]=''
  if [[ $result == ok && -z ${healthy[$name]} ]]; then
    healthy[$name]=yes
    read_probe "$name"
    due[$name]=$((now_ms + probe[4]))
  fi
  printf '%s\n' "$line"
}

partial=''
now
look
while :; do
  now
  wake=$((now_ms + 1000 < look_at ? now_ms + 1000 : look_at))
  for name in "${names[@]}"; do
    [[ ${pid[$name]} != 0 ]] || continue
    if [[ ! -d /proc/${pid[$name]} ]]; then
      wake=$now_ms look_at=$now_ms
      continue
    fi
    [[ -z ${probing[$name]} ]] || continue
    if ((due[$name] <= now_ms)); then start_probe "$name"; fi
    if [[ -z ${probing[$name]} ]] && ((due[$name] < wake)); then wake=${due[$name]}; fi
  done
  if ((look_at <= now_ms)); then
    look
    continue
  fi
  wait_ms=$((wake > now_ms ? wake - now_ms : 1))
  slept_at=$now_ms
  printf -v seconds '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000))
  if ! IFS= read -r -t "$seconds" -u "$events" event; then
    partial+=$event # the time was over in the middle of a line
    now
    follow_clock "$slept_at" "$wait_ms"
  else
    event=$partial$event partial=''
    now
    follow_clock "$slept_at" "$wait_ms"
    case $event in
      end) exit 0 ;;
      look) look ;;
      probe*) take_probe "$event" ;;
    esac
  fi
done
