# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-service-stop.sh NAME FORCE: ends the unit's whole control group: TERM, and KILL after its TimeoutStopSec, or
# KILL at once.
name=$1 unit=nexus-$1.service force=$2

wait_for_run
rm -f "$boot/services/$name.probe"
if [[ -e $units/$unit ]]; then
  [[ $force != yes ]] || systemctl kill --signal KILL -- "$unit" 2>/dev/null
  if ! problem=$(systemctl stop -- "$unit" 2>&1); then
    printf 'problem\t%s\n' "${problem%%$'\n'*}"
    exit 1
  fi
  systemctl reset-failed -- "$unit" 2>/dev/null
fi
facts
