# guest-backoff.sh NAME: runs before each start of a service and waits the longer the more often it was started in the
# last two minutes, on top of the unit's RestartSec. (systemd's own RestartSteps= is newer than Debian 12, and does not
# forget deaths of long ago.)
# shellcheck shell=bash
file=/run/nexus/services/$1.starts
waits=(0 0 1 3 7)
recent=()
[[ ! -r $file ]] || read -ra recent <"$file"
kept=()
for start in "${recent[@]}"; do
  # One that is still to come is of before the clock was put back.
  ((EPOCHSECONDS - start >= 120 || start > EPOCHSECONDS)) || kept+=("$start")
done
printf '%s ' "${kept[@]}" "$EPOCHSECONDS" >"$file"
count=${#kept[@]}
exec sleep "${waits[count < 4 ? count : 4]}"
