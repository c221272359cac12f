# shellcheck shell=bash
# guest-exec.sh FOLDER [NAME=VALUE...] COMMAND...: in a login shell of dev, in the repository where there is one.
cd ~/workspace 2>/dev/null || cd ~ || exit 1
if [[ -n $1 ]] && ! cd -- "$1"; then exit 1; fi
shift
exec env -- "$@"
