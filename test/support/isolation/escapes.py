"""What the root of a workspace tries against the machine that it is on.

Prints one JSON object: 'done', or the name of the error, by what was tried. Nothing changes when an attempt gets
through: files are written with what they hold.
"""
import ctypes
import errno
import glob
import json
import os
import socket
import stat

libc = ctypes.CDLL(None, use_errno=True)
outcomes = {}


def check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def attempt(name, action):
    try:
        action()
        outcomes[name] = "done"
    except OSError as error:
        outcomes[name] = errno.errorcode.get(error.errno, str(error))


def rewrite(path):
    with open(path, "r+", encoding="ascii") as file:
        text = file.read()
        file.seek(0)
        file.write(text)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def open_device(kind, major, minor):
    path = "/root/device"
    os.mknod(path, kind | 0o600, os.makedev(major, minor))
    try:
        os.close(os.open(path, os.O_RDWR))
    finally:
        os.unlink(path)


def mount(source, kind):
    os.makedirs("/root/target", exist_ok=True)
    check(libc.mount(source.encode(), b"/root/target", kind.encode(), 0, b""))


def subvolume(request, name_at):
    """BTRFS_IOC_SUBVOL_CREATE and its second form: a name in a struct of a page."""
    body = bytearray(4096)
    body[name_at : name_at + 7] = b"escaped"
    folder = os.open("/root", os.O_RDONLY)
    try:
        check(libc.ioctl(folder, ctypes.c_ulong(request), (ctypes.c_char * 4096).from_buffer(body)))
    finally:
        os.close(folder)


for major, minor in ((7, 0), (8, 0), (254, 0), (259, 0)):
    attempt(f"block device {major}:{minor}", lambda: open_device(stat.S_IFBLK, major, minor))
for name, minor in {"/dev/mem": 1, "/dev/kmsg": 11}.items():
    attempt(name, lambda: open_device(stat.S_IFCHR, 1, minor))
for name in ("btrfs", "ext4"):
    attempt(f"mount /dev/loop0 as {name}", lambda: mount("/dev/loop0", name))
for name in ("debugfs", "securityfs"):
    attempt(f"mount {name}", lambda: mount("none", name))

for name in (
    *("core_pattern", "modprobe", "panic", "sysrq", "randomize_va_space", "keys/maxkeys", "dmesg_restrict"),
    *("../vm/overcommit_memory", "../vm/panic_on_oom", "../fs/file-max", "../fs/inotify/max_user_instances"),
    *("../fs/protected_symlinks", "../fs/suid_dumpable", "../net/netfilter/nf_conntrack_max"),
):
    path = os.path.normpath(f"/proc/sys/kernel/{name}")
    attempt(path, lambda: rewrite(path))
attempt("/proc/sys/vm/drop_caches", lambda: write("/proc/sys/vm/drop_caches", "1"))
attempt("/proc/sysrq-trigger", lambda: write("/proc/sysrq-trigger", "h"))
for path in ("/proc/kcore", "/proc/kmsg"):
    attempt(path, lambda: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK)))
for path in (
    "/sys/kernel/uevent_helper",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    *glob.glob("/sys/block/*/queue/read_ahead_kb")[:2],
    *glob.glob("/sys/module/*/parameters/*")[:3],
    *glob.glob("/sys/fs/btrfs/*/label"),
    *glob.glob("/sys/fs/cgroup/*/release_agent"),
):
    attempt(path, lambda: rewrite(path))
for pattern in ("memory/memory.limit_in_bytes", "pids/pids.max", "cpuset/cpuset.cpus", "memory.max", "pids.max", "cpu.max"):
    for path in glob.glob(f"/sys/fs/cgroup/{pattern}"):
        attempt(f"own limit {path}", lambda: rewrite(path))
for path in glob.glob("/sys/fs/cgroup/devices/devices.allow"):
    attempt(path, lambda: write(path, "a *:* rwm"))

buffer = ctypes.create_string_buffer(4096)
for name, number, arguments in (
    ("init_module", 175, (buffer, 10, buffer)),
    ("kexec_load", 246, (0, 0, 0, 0)),
    ("open_by_handle_at", 304, (-100, buffer, 0)),
    ("settimeofday", 164, (buffer, 0)),
    ("swapon", 167, (b"/root/device", 0)),
    ("syslog", 103, (3, buffer, 100)),
    ("bpf", 321, (5, buffer, 120)),
    ("io_uring_setup", 425, (4, buffer)),
    ("add_key", 248, (b"user", b"mine", b"x", 1, -4)),
    ("keyctl", 250, (0, -4, 1)),
    ("request_key", 249, (b"user", b"mine", 0, -4)),
):
    attempt(name, lambda: check(libc.syscall(number, *arguments)))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM).close())
attempt("subvolume", lambda: subvolume(0x5000940E, 8))
attempt("subvolume, second form", lambda: subvolume(0x50009418, 56))

with open("/proc/net/unix", encoding="utf8") as sockets:
    outcomes["sockets of the host"] = [line.split()[-1] for line in sockets if "lxd" in line or "nexus-lock" in line]
folders = ("/dev/lxd", "/dev/incus", "/var/lib/lxd", "/var/snap/lxd", "/run/incus")
outcomes["folders of the engine"] = [path for path in folders if os.path.isdir(path) and os.listdir(path)]
print(json.dumps(outcomes))
