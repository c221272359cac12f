"""What the kernel counts by user: `hold` takes as much as it gets and keeps it; `use` needs a little of each.

`use` prints one JSON object: what it got. Both run as root of a workspace, and as dev.
"""
import array
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import time

F_GETPIPE_SZ = 1032


def in_flight(count):
    """Files that were sent over a unix socket and are not received yet."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    file = os.open("/dev/null", os.O_RDONLY)
    message = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file] * count))]
    near.sendmsg([b"x"], message)
    return near, far


def hold():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    kept = [os.pipe() for _ in range(1500)]
    try:
        while True:
            kept.append(in_flight(250))
    except OSError as error:
        assert error.errno == errno.ETOOMANYREFS, error
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(600)
    print("held", flush=True)
    signal.pause()


def use():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    resource.setrlimit(resource.RLIMIT_NPROC, (100, 100))
    reader, _ = os.pipe()
    got = {"pipe": fcntl.fcntl(reader, F_GETPIPE_SZ)}
    try:
        in_flight(10)
        got["files in flight"] = 10
    except OSError as error:
        got["files in flight"] = str(error)
    try:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        got["process"] = True
    except OSError as error:
        got["process"] = str(error)
    print(json.dumps(got))


hold() if sys.argv[1] == "hold" else use()
