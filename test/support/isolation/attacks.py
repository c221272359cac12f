"""What a workspace tries against what is around it. Sent into one over standard input: `python3 - WHAT JSON`.

Prints one JSON value. Needs the root of the workspace, which everybody is who may log in.
"""
import concurrent.futures
import errno
import json
import os
import select
import socket
import struct
import sys
import time

MARK = b"NEXUS-FORGED"
STOP = "/run/stop-listening"


def outcome(attempt):
    """'ok', what the attempt returned, or the name of its error."""
    try:
        return attempt() or "ok"
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def reach(targets):
    """TCP connections to [address, port] each: 'ok' or the name of the error, all at once."""

    def connect(target):
        with socket.create_connection(tuple(target), timeout=4):
            return "ok"

    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        return list(pool.map(lambda target: outcome(lambda: connect(target)), targets))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4(source, target, protocol, payload, options=b""):
    words = 5 + len(options) // 4
    fields = (0x40 | words, 0, words * 4 + len(payload), 1, 0, 64, protocol, 0)
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", *fields) + addresses + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def payload_of(protocol, port):
    if protocol == 1:
        echo = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + MARK
        return echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    if protocol == 6:
        return struct.pack("!HHIIBBHHH", 4000, port, 1, 0, 0x50, 2, 1000, 0, 0) + MARK
    if protocol == 17:
        return struct.pack("!HHHH", 4000, port, 8 + len(MARK), 0) + MARK
    return MARK


def link():
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    packets.bind(("eth0", 0))
    return packets


def own_mac():
    with open("/sys/class/net/eth0/address", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace(":", ""))


def router_mac():
    outcome(lambda: socket.create_connection(("169.254.0.1", 9), timeout=2))
    with open("/proc/net/arp", encoding="ascii") as file:
        row = next(line.split() for line in file if line.startswith("169.254.0.1 "))
    return bytes.fromhex(row[3].replace(":", ""))


def frames(macs, kind, body):
    return [mac + own_mac() + struct.pack("!H", kind) + body for mac in macs]


def forge(given):
    """Every protocol from every source to every target, straight onto the link. Returns how many frames."""
    macs = [router_mac(), b"\xff" * 6]
    via = socket.inet_aton(given["router"])
    options = [b"", bytes([131, 7, 4]) + via + b"\0"]  # loose source routing, RFC 791
    sent = 0
    with link() as packets:
        for source in given["sources"]:
            for target in given["targets"]:
                for protocol in (1, 2, 4, 6, 17, 41, 47, 50, 132, 255):
                    for option in options:
                        body = ipv4(source, target, protocol, payload_of(protocol, given["port"]), option)
                        for frame in frames(macs, 0x0800, body):
                            packets.send(frame)
                            sent += 1
    return sent


def arp(operation, sender_mac, sender, target):
    return (
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + sender_mac
        + socket.inet_aton(sender)
        + bytes(6)
        + socket.inet_aton(target)
    )


def poison(given):
    """Claims others' addresses, by request, by answer and unasked, and then many that nobody has."""
    macs = [b"\xff" * 6, router_mac()]
    with link() as packets:
        for claimed in given["claimed"]:
            for operation in (1, 2):
                for asked in (claimed, "169.254.0.1"):
                    for frame in frames(macs, 0x0806, arp(operation, own_mac(), claimed, asked)):
                        packets.send(frame)
        for number in range(given["many"]):
            sender = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            packets.send(frames(macs[1:], 0x0806, arp(1, own_mac(), sender, "169.254.0.1"))[0])
    return "ok"


def icmpv6(source, target, body):
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    padded = body + b"\0" * (len(body) % 2)
    total = checksum(addresses + struct.pack("!IHBB", len(body), 0, 0, 58) + padded)
    head = struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
    return head + addresses + body[:2] + struct.pack("!H", total) + body[4:]


def advertise(prefix):
    """A router advertisement (RFC 4861) of a prefix, to everybody on the link."""
    option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, prefix)
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option
    packet = icmpv6("fe80::bad", "ff02::1", body)
    macs = [bytes.fromhex("333300000001"), router_mac()]
    with link() as packets:
        for frame in frames(macs, 0x86DD, packet):
            packets.send(frame)
    return "ok"


def listen(seconds):
    """Counts frames that carry the mark, until told to stop. Says so when it listens."""
    seen = 0
    if os.path.exists(STOP):
        os.remove(STOP)
    with link() as packets:
        open("/run/listening", "w", encoding="ascii").close()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([packets], [], [], 0.05)[0]:
                frame, (_, _, kind, *_) = packets.recvfrom(65536)
                seen += MARK in frame and kind != socket.PACKET_OUTGOING
            elif os.path.exists(STOP):
                break
    return seen


def flows(given):
    """So many UDP flows to one address, a port each."""
    refused = 0
    for port in range(given["count"]):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flow:
            flow.bind(("0.0.0.0", 10000 + port))
            refused += outcome(lambda: flow.sendto(MARK, (given["address"], 9)) and None) != "ok"
    return refused


ATTACKS = {
    "reach": reach,
    "forge": forge,
    "poison": poison,
    "advertise": advertise,
    "listen": listen,
    "flows": flows,
}

print(json.dumps(ATTACKS[sys.argv[1]](json.loads(sys.argv[2]))))
