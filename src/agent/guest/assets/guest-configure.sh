# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-configure.sh FINGERPRINT SECONDS GIT_NAME GIT_EMAIL: puts the files from stdin into place, and waits until sshd
# listens. It may come before sshd or after it: keys and environment are read anew for each session.
fingerprint=$1 seconds=$2 git_name=$3 git_email=$4
marker='# Of this workspace, written at every start.'

# /etc/environment is the base's; what PAM gives to sessions of this workspace comes after it.
merge_environment() {
  local line kept='' own=
  while IFS= read -r line; do
    [[ $line == "$marker" ]] && break
    kept+=$line$'\n'
  done </etc/environment
  IFS= read -r -d '' own </etc/nexus/environment
  write_file /etc/environment 0644 root "$kept$marker"$'\n'"$own"
}

# It counts after what the system's own configuration says, and the person's own counts after both.
include_git_config() {
  local file=/etc/gitconfig include='path = /etc/nexus/gitconfig'
  [[ -f $file && $(<"$file") == *"$include"* ]] || printf '[include]\n\t%s\n' "$include" >>"$file"
}

# The identity that somebody chose inside is theirs.
set_git_identity() {
  local file=/home/dev/.gitconfig
  [[ -n $git_name ]] && ! git config --file "$file" user.name >/dev/null || return 0
  git config --file "$file" user.name "$git_name"
  git config --file "$file" user.email "$git_email"
  chown dev:dev "$file"
}

wait_for_run
[[ -d /home/dev/.ssh ]] || install -d -m 0700 -o dev -g dev /home/dev/.ssh
[[ -e /etc/environment ]] || : >/etc/environment
install_files
merge_environment
include_git_config
set_git_identity

until sshd_listens && [[ -s $host_key.pub ]]; do
  if ((SECONDS >= seconds)); then
    printf 'not_ready\t%s\n' "$(systemctl is-active ssh.service)"
    exit 1
  fi
  pause 0.015
done
write_file "$boot/configured" 0644 root "$fingerprint"$'\n'
facts
