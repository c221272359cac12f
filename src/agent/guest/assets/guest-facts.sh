# shellcheck shell=bash
wait_for_run
facts
