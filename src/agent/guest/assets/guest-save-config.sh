# shellcheck shell=bash
wait_for_run
install_files
facts
