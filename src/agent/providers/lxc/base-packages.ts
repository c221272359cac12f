/** What every workspace has, by the names that Debian and Ubuntu share. */
export const basePackages = [
  'apt',
  'bash-completion',
  'build-essential',
  'ca-certificates',
  'curl',
  'dbus',
  'git',
  'git-lfs',
  'iproute2',
  'iputils-ping',
  'jq',
  'less',
  'libnss-myhostname',
  'libpam-modules',
  'locales',
  'netbase',
  'nodejs',
  'npm',
  'openssh-server',
  'openssl',
  'passwd',
  'procps',
  'python3',
  'python3-pip',
  'python3-venv',
  'rsync',
  'sudo',
  'systemd',
  'systemd-sysv',
  'tmux',
  'unzip',
  'vim-tiny',
  'xz-utils',
] as const;

/** Package names as apt knows them; also with a version or a release: `nodejs=18.13.0`, `git/bookworm-backports`. */
export function isPackageName(text: string): boolean {
  return /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:[=/][A-Za-z0-9.+:~-]+)?$/.test(text);
}
