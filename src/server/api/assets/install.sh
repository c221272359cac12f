#!/bin/sh
# Installs the nexus command of the server that this script comes from:
#   curl -fsS SERVER/install.sh | sh
# NEXUS_INSTALL_DIR says where to; ~/.local/bin when it is not set. Settings that are there already are kept.
set -eu

server='@SERVER@'
server_host='@SERVER_HOST@'
server_port='@SERVER_PORT@'

# The SHA-256 of the program that the server has for a platform; empty when it has none.
checksum_of() {
  case $1 in
    linux-x64) echo '@SHA256_LINUX_X64@' ;;
    linux-arm64) echo '@SHA256_LINUX_ARM64@' ;;
    darwin-x64) echo '@SHA256_DARWIN_X64@' ;;
    darwin-arm64) echo '@SHA256_DARWIN_ARM64@' ;;
  esac
}

done_with() { printf '✔ %s\n' "$1"; }
warn() { printf '! %s\n' "$1"; }
refuse() {
  printf '✖ Could not install nexus\n  %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf '  → %s\n' "$2" >&2; fi
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

platform_here() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) refuse "It runs on Linux and macOS, and this is $(uname -s)." ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) refuse "It runs on x64 and arm64, and this is $(uname -m)." ;;
  esac
  platform=$os-$cpu
}

download() {
  if has curl; then
    curl -fsS --connect-timeout 20 -o "$2" "$1" || return 1
  elif has wget; then
    wget -q -T 20 -O "$2" "$1" || return 1
  else
    refuse 'Neither curl nor wget is here to download it with.'
  fi
}

sha256_of() {
  if has sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  else
    refuse 'Neither sha256sum nor shasum is here to check it with.'
  fi
}

# Beside its place first: whoever runs the old one is not disturbed, and a download that breaks off leaves nothing.
install_program() {
  expected=$(checksum_of "$platform")
  if [ -z "$expected" ]; then
    refuse "$server has no program for $platform; whoever runs it can add one." "$server/download/nexus-$platform"
  fi
  mkdir -p "$folder" || refuse "$folder cannot be made." 'NEXUS_INSTALL_DIR says another folder'
  unfinished=$(mktemp "$folder/.nexus-XXXXXX") ||
    refuse "$folder cannot be written to." 'NEXUS_INSTALL_DIR says another folder'
  trap 'rm -f "$unfinished"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  download "$server/download/nexus-$platform" "$unfinished" ||
    refuse "$server/download/nexus-$platform could not be downloaded."
  actual=$(sha256_of "$unfinished")
  if [ "$actual" != "$expected" ]; then
    refuse "What was downloaded is not what the server announced (SHA-256 $actual, expected $expected)." \
      "curl -fsS $server/install.sh | sh"
  fi
  chmod 755 "$unfinished"
  version=$("$unfinished" --version </dev/null) ||
    refuse "The program for $platform does not run on this machine (on Linux it needs glibc)."
  mv -f "$unfinished" "$folder/nexus"
  done_with "$version is in $folder/nexus"
}

write_settings() {
  settings_folder=${NEXUS_HOME:-$HOME/.nexus}
  settings=$settings_folder/config.yaml
  if [ -e "$settings" ]; then
    done_with "$settings is kept as it is"
    return
  fi
  mkdir -p "$settings_folder"
  chmod 700 "$settings_folder"
  (
    umask 077
    set -C
    printf 'server: "%s"\nserver_port: %s\n' "$server_host" "$server_port" >"$settings"
  ) || refuse "$settings cannot be written."
  done_with "$settings names the server $server"
}

look_for_programs() {
  has git || warn 'git is missing: it sends your folders, and fetches your work'
  has ssh || warn 'ssh is missing: it, and editors that use it, reach your workspaces'
  has gh || warn 'gh is missing: only needed where you sign in with GitHub'
}

tell_about_path() {
  case ":${PATH:-}:" in
    *":$folder:"*) ;;
    *) warn "$folder is not on your PATH. Put this into your shell's profile:
  export PATH=\"$folder:\$PATH\"" ;;
  esac
}

tell_what_is_next() {
  cat <<'END'

Next
  export NEXUS_TOKEN=TOKEN                  # yours, from whoever runs the server
  nexus doctor
  nexus workspace create OWNER/REPOSITORY
END
}

# The last line starts it all: half a script does nothing.
main() {
  if [ -z "${HOME:-}" ]; then refuse 'HOME is not set.' 'export HOME'; fi
  folder=${NEXUS_INSTALL_DIR:-$HOME/.local/bin}
  platform_here
  install_program
  write_settings
  look_for_programs
  tell_about_path
  tell_what_is_next
}
main
