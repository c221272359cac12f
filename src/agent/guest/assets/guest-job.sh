# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-job.sh UNIT MARK: runs a unit that ends (a clone, a hook) once. It is done when MARK is there, which only the
# unit itself makes. The unit outlives this script: one that runs already is joined.
unit=$1 mark=$2

follow() {
  exec journalctl --quiet --follow --no-tail --since "@$EPOCHSECONDS" --output cat "_SYSTEMD_UNIT=$unit" 2>/dev/null
}

wait_for_run
if [[ ! -e $mark ]]; then
  case $(systemctl show -P ActiveState -- "$unit") in
    active | activating | reloading) ;;
    *)
      install_files
      [[ $(systemctl show -P NeedDaemonReload -- "$unit") == no ]] || systemctl daemon-reload
      systemctl reset-failed -- "$unit" 2>/dev/null
      ;;
  esac
  follow > >(while IFS= read -r line; do printf 'progress\t%s\n' "$line"; done) &
  follower=$!
  systemctl start -- "$unit" 2>/dev/null
  kill "$follower"
  if [[ ! -e $mark ]]; then
    journalctl --sync
    mapfile -t state < <(systemctl show -P ExecMainCode -P ExecMainStatus -P InvocationID --value -- "$unit")
    printf 'failed\t%s\t%s\n' "${state[0]-}" "${state[1]-}"
    journalctl --quiet --lines 40 --output cat "_SYSTEMD_INVOCATION_ID=${state[2]-}" |
      while IFS= read -r line; do printf 'output\t%s\n' "$line"; done
    exit 1
  fi
fi
facts
