/**
 * What keeps containers that share a kernel apart beyond the engine's defaults: a range of user ids for each, and
 * system calls that namespaces do not confine. See docs/decisions/010.
 */

/** The files on the disk have the ids that they have inside; mounting maps them to the container's own. */
export const mappedRootfs = 'lxc.rootfs.options = idmap=container';

const noSuchCall = 38;
const notSupported = 97;
const notPermitted = 1;
const addressFamilyVsock = 40;

/** Btrfs' requests that make a subvolume or a snapshot, which no quota of the container would hold for. */
const subvolumeRequests = ['0x50009401', '0x5000940e', '0x50009417', '0x50009418'] as const;

/**
 * In the words of liblxc's seccomp policy, one a line; they hold for 32-bit programs too. Kernel keyrings have no
 * namespaces. A vsock leads to the hypervisor, and to whatever listens on one on the host; io_uring would open one
 * past this filter.
 */
const deniedCalls: readonly string[] = [
  ...['add_key', 'keyctl', 'request_key'].map((call) => `${call} errno ${noSuchCall}`),
  ...['io_uring_setup', 'io_uring_enter', 'io_uring_register'].map((call) => `${call} errno ${noSuchCall}`),
  `socket errno ${notSupported} [0,${addressFamilyVsock},SCMP_CMP_EQ]`,
  ...subvolumeRequests.map((request) => `ioctl errno ${notPermitted} [1,${request},SCMP_CMP_MASKED_EQ,0xffffffff]`),
];

/** For every workspace. The files of a container whose ids are mapped must never be given others on the disk. */
export const isolationConfig: Readonly<Record<string, string>> = {
  'security.nesting': 'false',
  'security.privileged': 'false',
  'security.idmap.isolated': 'true',
  'security.protection.shift': 'true',
  'security.syscalls.deny': deniedCalls.join('\n'),
};
