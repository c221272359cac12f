# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-service-start.sh NAME FOLDER: puts the unit's files from stdin into place and starts it. One that runs as it should is
# left alone; one whose command or environment changed is restarted.
name=$1 unit=nexus-$1.service folder=$2 changed=

wait_for_run
if [[ ! -d $folder ]]; then
  printf 'problem\tits folder %s does not exist\n' "$folder"
  exit 1
fi
install_files
show "$unit" NeedDaemonReload ActiveState
[[ ${shown[NeedDaemonReload]} != yes ]] || systemctl daemon-reload

case ${shown[ActiveState]} in
  active | activating | reloading) [[ -z $changed ]] || verb=restart ;;
  *) verb=start ;;
esac
if [[ -n ${verb-} ]]; then
  rm -f "$boot/services/$name.starts"
  systemctl reset-failed -- "$unit" 2>/dev/null
  if ! problem=$(systemctl "$verb" -- "$unit" 2>&1); then
    printf 'problem\t%s\n' "${problem%%$'\n'*}"
    unit_states "$unit"
    exit 1
  fi
fi
facts
