#!/bin/sh
# Everything a fresh Debian or Ubuntu machine needs to build Nexus and to run workspaces. Does only what is missing.
set -eu
cd "$(dirname "$0")/.."

tools='btrfs-progs ca-certificates curl git iproute2 libatomic1 mmdebstrap nftables openssh-client procps rsync shellcheck xz-utils zstd'

fail() {
  printf 'make setup: %s\n' "$1" >&2
  printf '  Without it you can still: make test-unit, make build, make check (Node.js 18+, npm, libatomic1).\n' >&2
  exit 1
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Debian packages LXD; Ubuntu only hands out its snap under that name, and packages Incus from 24.04 on.
engine_package() {
  if command -v lxd >/dev/null 2>&1 || command -v incusd >/dev/null 2>&1; then
    return
  fi
  case "$1" in
    ubuntu) echo incus ;;
    *) echo lxd dnsmasq-base ;;
  esac
}

[ "$(uname -s)" = Linux ] || fail "workspaces run on Linux; this is $(uname -s). Use a Debian or Ubuntu machine (or VM) for the server."
[ -r /etc/os-release ] || fail 'this Linux does not say what it is (/etc/os-release). Debian 12 or Ubuntu 24.04 and newer are supported.'
# shellcheck source=/dev/null
. /etc/os-release
case "${ID:-} ${ID_LIKE:-}" in
  *debian* | *ubuntu*) ;;
  *) fail "this is ${ID:-unknown}; only Debian and Ubuntu are set up by themselves. Install by hand: LXD or Incus, $tools" ;;
esac

wanted="$tools $(engine_package "${ID:-}")"
if ! command -v npm >/dev/null 2>&1; then
  wanted="$wanted nodejs npm"
fi
missing=
for package in $wanted; do
  is_installed "$package" || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif sudo -n true 2>/dev/null; then
    as_root=sudo
  else
    fail "needs root to install:$missing
  Run: sudo apt-get install --no-install-recommends$missing"
  fi
  printf 'Installing:%s\n' "$missing"
  # shellcheck disable=SC2086 # lists of words
  {
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  }
fi

scripts/start-engine.sh
scripts/install-deps.sh
