import { basePackages } from './base-packages.ts';

/**
 * The shell scripts that turn a distribution's root file system into a base. They run as root in a started
 * instance, whatever that came from, and may be run again.
 */

export const scriptHead = `set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
`;

/** A boot that is still going on empties folders and changes units under an installation's feet. */
const bootedScript = `
for attempt in $(seq 300); do
  case $(systemctl is-system-running 2>/dev/null) in running|degraded) break ;; esac
  sleep 0.1
done
`;

/** Package installation that starts no service: what a repository needs is declared in its own configuration. */
const quietApt = `
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
install_packages() {
  apt-get -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 -qq update
  apt-get -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 -qq \\
    -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold --no-install-recommends -y install -- "$@"
}
enabled_units() { systemctl list-unit-files --state=enabled --no-legend --plain | cut -d' ' -f1 | sort; }
`;

const cleanUp = `
apt-get clean
rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log
`;

/**
 * Left out of every package, as the distributions do for their own container images. The engine looks at each file
 * of a base whenever it is copied: half the files, half the time of a creation.
 */
export const leftOutPaths = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/locale/*',
  'path-include=/usr/share/locale/locale.alias',
] as const;

const leaveOutScript = `
printf '%s\\n' ${leftOutPaths.map((line) => `'${line}'`).join(' ')} > /etc/dpkg/dpkg.cfg.d/90nexus
find /usr/share/doc ! -type d ! -name copyright -delete
find /usr/share/doc -mindepth 1 -type d -empty -delete
find /usr/share/man /usr/share/info /usr/share/lintian /usr/share/locale ! -type d ! -name locale.alias -delete 2>/dev/null || true
find /usr/share/locale -mindepth 1 -type d -empty -delete 2>/dev/null || true
`;

/**
 * Replaces the distribution's npm, which is 300 packages of 24,000 files, with npm's own, where the registry can be
 * reached and the distribution's Node is new enough for it.
 */
export const npmScript = `${scriptHead}
[ "$(node --print 'process.versions.node.split(".")[0]')" -ge 18 ] || exit 0
npm install --global --prefix /usr/local --no-audit --no-fund --fetch-retries 1 npm@10 || exit 0
echo 'prefix=/usr/local' > /usr/local/lib/node_modules/npm/npmrc
rm -rf /usr/local/lib/node_modules/npm/docs /usr/local/lib/node_modules/npm/man /root/.npm
apt-mark manual nodejs ca-certificates >/dev/null
apt-get -qq -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io -y purge --auto-remove npm >/dev/null
/usr/local/bin/npm --version
`;

/** Makes `dev`, sshd, logging and a short boot. Installs what the root file system does not have of the packages. */
export function provisionScript(): string {
  return `${scriptHead}${bootedScript}${quietApt}
missing=
for package in ${basePackages.join(' ')}; do
  dpkg-query -W -f '\${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
[ -z "$missing" ] || install_packages $missing
${leaveOutScript}${userScript}${sshdScript}${bootScript}${filesScript}${cleanUp}`;
}

const userScript = `
if ! id dev >/dev/null 2>&1; then
  other=$(getent passwd 1000 | cut -d: -f1)
  [ -z "$other" ] || userdel --remove --force "$other"
  useradd --create-home --uid 1000 --user-group --shell /bin/bash --password '*' dev
fi
printf 'dev ALL=(ALL) NOPASSWD:ALL\\n' > /etc/sudoers.d/90-nexus
chmod 440 /etc/sudoers.d/90-nexus
install -d -m 700 -o dev -g dev /home/dev/.ssh
touch /home/dev/.hushlogin
chown dev:dev /home/dev/.hushlogin
`;

/**
 * sshd starts before all that it does not need. Its host key is made at a workspace's first start: a base has none,
 * or all its copies would share it. PAM is there for /etc/environment and limits only.
 */
const sshdScript = `
cat > /etc/ssh/sshd_config <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
AllowUsers dev
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
PrintMotd no
PrintLastLog no
X11Forwarding no
AllowAgentForwarding yes
AllowTcpForwarding yes
StreamLocalBindUnlink yes
AcceptEnv LANG LC_* TZ COLORTERM TERM_PROGRAM GIT_* NEXUS_*
MaxStartups 100:30:300
MaxSessions 100
Subsystem sftp internal-sftp
END
cat > /etc/pam.d/sshd <<'END'
auth     required pam_deny.so
account  required pam_permit.so
session  required pam_env.so
session  required pam_limits.so
END
rm -f /etc/ssh/ssh_host_* /etc/systemd/system/*.wants/ssh.* /etc/systemd/system/*.requires/ssh.*
rm -rf /etc/systemd/system/ssh.service.d /etc/systemd/system/ssh.socket.d
cat > /etc/systemd/system/ssh.service <<'END'
[Unit]
Description=OpenSSH server
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryMode=0755
ExecStartPre=/bin/sh -c '[ -s /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/ssh_host_ed25519_key'
ExecStart=/usr/sbin/sshd -D -e
ExecReload=/bin/kill -HUP $MAINPID
KillMode=process
Restart=always
RestartSec=100ms
[Install]
WantedBy=sysinit.target
END
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -sf /etc/systemd/system/ssh.service /etc/systemd/system/sysinit.target.wants/ssh.service
ln -sf /etc/systemd/system/ssh.service /etc/systemd/system/sshd.service
`;

/**
 * Units that a container has no use for: hardware, consoles, network set-up (the engine has done it), periodic
 * upkeep of a machine that lives for years.
 */
const maskedUnits = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'cloud-config.service',
  'cloud-final.service',
  'cloud-init-local.service',
  'cloud-init.service',
  'console-getty.service',
  'container-getty@.service',
  'dev-hugepages.mount',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty-static.service',
  'getty.target',
  'getty@.service',
  'kmod-static-nodes.service',
  'ldconfig.service',
  'logrotate.timer',
  'man-db.timer',
  'modprobe@.service',
  'motd-news.timer',
  'multipathd.service',
  'networkd-dispatcher.service',
  'networking.service',
  'proc-sys-fs-binfmt_misc.automount',
  'proc-sys-fs-binfmt_misc.mount',
  'serial-getty@.service',
  'snapd.service',
  'snapd.socket',
  'snapd.seeded.service',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-ask-password-console.path',
  'systemd-ask-password-wall.path',
  'systemd-binfmt.service',
  'systemd-firstboot.service',
  'systemd-hwdb-update.service',
  'systemd-journal-catalog-update.service',
  'systemd-logind.service',
  'systemd-machine-id-commit.service',
  'systemd-modules-load.service',
  'systemd-networkd-wait-online.service',
  'systemd-networkd.service',
  'systemd-networkd.socket',
  'systemd-pcrphase-initrd.service',
  'systemd-pcrphase-sysinit.service',
  'systemd-pcrphase.service',
  'systemd-pstore.service',
  'systemd-random-seed.service',
  'systemd-remount-fs.service',
  'systemd-resolved.service',
  'systemd-sysctl.service',
  'systemd-sysext.service',
  'systemd-sysusers.service',
  'systemd-timesyncd.service',
  'systemd-tmpfiles-clean.timer',
  'systemd-udev-settle.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
  'systemd-update-done.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-update-utmp.service',
  'systemd-vconsole-setup.service',
  'unattended-upgrades.service',
  'update-notifier-download.timer',
  'update-notifier-motd.timer',
];

const bootScript = `
for unit in ${maskedUnits.join(' ')} ssh.socket; do ln -sf /dev/null "/etc/systemd/system/$unit"; done
ln -sf /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
mkdir -p /etc/systemd/system.conf.d /etc/systemd/journald.conf.d /etc/systemd/system-generators /var/log/journal
for generator in /lib/systemd/system-generators/*; do
  case $(basename "$generator") in
    postgresql-generator) ;;
    *) ln -sf /dev/null "/etc/systemd/system-generators/$(basename "$generator")" ;;
  esac
done
cat > /etc/systemd/journald.conf.d/nexus.conf <<'END'
[Journal]
Storage=persistent
RateLimitIntervalSec=0
SystemMaxUse=64M
RuntimeMaxUse=16M
ForwardToSyslog=no
ForwardToWall=no
Audit=no
END
touch /etc/cloud/cloud-init.disabled 2>/dev/null || true
`;

/** sshd answers before the boot is over: what is put into /tmp from then on must not be cleaned away. */
const filesScript = `
printf '127.0.0.1 localhost\\n' > /etc/hosts
sed -i 's/^hosts:.*/hosts: files myhostname dns/' /etc/nsswitch.conf
printf 'd /tmp 1777 root root -\\nd /var/tmp 1777 root root -\\n' > /etc/tmpfiles.d/tmp.conf
rm -f /etc/hostname /etc/motd /etc/update-motd.d/*
`;

/** Packages of a repository on top of a base. None of their services starts by itself. */
export function packagesScript(packages: readonly string[]): string {
  return `${scriptHead}${bootedScript}${quietApt}
case ' ${packages.join(' ')} ' in *' postgresql'*)
  # A repository's own service makes its database.
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf ;;
esac
enabled_units > /tmp/enabled-before
install_packages ${packages.map((name) => `'${name}'`).join(' ')}
enabled_units > /tmp/enabled-after
comm -13 /tmp/enabled-before /tmp/enabled-after | while read -r unit; do systemctl disable --quiet "$unit" 2>/dev/null || true; done
rm -f /tmp/enabled-before /tmp/enabled-after
# Its folder for sockets is for its group.
if getent group postgres >/dev/null; then usermod --append --groups postgres dev; fi
${cleanUp}`;
}

/** Last of all: takes away what must not be the same in every copy. */
export const sealScript = `${scriptHead}
rm -rf /etc/ssh/ssh_host_* /var/log/journal/* /tmp/* /var/tmp/* /root/.bash_history /var/lib/systemd/random-seed
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
[ ! -d /var/lib/dbus ] || ln -s /etc/machine-id /var/lib/dbus/machine-id
sync
`;
