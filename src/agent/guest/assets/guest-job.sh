# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-job.sh UNIT MARK: runs a unit that ends (a clone, a hook) once. It is done when MARK is there, which only the
# unit itself makes. The unit outlives this script: one that runs already is joined.
unit=$1 mark=$2

follow() {
  exec journalctl --quiet --follow --no-tail --since "@${EPOCHREALTIME/,/.}" --output cat "_SYSTEMD_UNIT=$unit" 2>/dev/null
}

wait_for_run
if [[ ! -e $mark ]]; then
  show "$unit" ActiveState
  case ${shown[ActiveState]} in
    active | activating | reloading) ;;
    *)
      install_files
      show "$unit" NeedDaemonReload
      [[ ${shown[NeedDaemonReload]} != yes ]] || systemctl daemon-reload
      systemctl reset-failed -- "$unit" 2>/dev/null
      ;;
  esac
  follow > >(while IFS= read -r line; do printf 'progress\t%s\n' "$line"; done) &
  follower=$!
  systemctl start -- "$unit" 2>/dev/null
  kill "$follower"
  if [[ ! -e $mark ]]; then
    [[ $(systemctl is-system-running) != stopping ]] || printf 'stopping\n'
    journalctl --sync
    show "$unit" ExecMainCode ExecMainStatus ExecMainStartTimestamp
    printf 'failed\t%s\t%s\n' "${shown[ExecMainCode]}" "${shown[ExecMainStatus]}"
    # Not by the invocation's id: what a process said just before its end may not carry it.
    journalctl --quiet --reverse --lines 40 --since "${shown[ExecMainStartTimestamp]#* }" --output cat "_SYSTEMD_UNIT=$unit" |
      tac | while IFS= read -r line; do printf 'output\t%s\n' "$line"; done
    exit 1
  fi
fi
facts
