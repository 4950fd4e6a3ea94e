"""The peers that kernel tests talk to: real sockets, in whatever network namespace this is started in.

    peer.py listen|connect|talk|capture|inject '{"json": "arguments"}'

Every answer is one JSON object on a line of its own. Only the standard library is used.
"""

import errno
import fcntl
import ipaddress
import json
import os
import select
import socket
import struct
import sys
import threading
import time

SCTP = 132
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def plain(address):
    """An IPv4-mapped address as the IPv4 address that it is."""
    return address[7:] if address.startswith("::ffff:") else address


def name_of(error):
    if isinstance(error, socket.timeout):
        return "TIMEOUT"
    if isinstance(error, socket.gaierror):
        return "ENOTFOUND"
    return errno.errorcode.get(error.errno, str(error))


def open_socket(proto, family):
    if proto == "udp":
        return socket.socket(family, socket.SOCK_DGRAM)
    return socket.socket(family, socket.SOCK_STREAM, SCTP if proto == "sctp" else 0)


# listen


def listen(proto, port=0, address=None, device=None):
    family = socket.AF_INET if address and ":" not in address else socket.AF_INET6
    server = open_socket(proto, family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if address else 0)
    if device:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    server.bind(socket.getaddrinfo(address or "::", port, family, socket.SOCK_DGRAM)[0][4])
    if proto == "udp":
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    else:
        server.listen(1024)
    say(ready=server.getsockname()[1])
    if proto == "udp":
        answer_datagrams(server)
    while True:
        connection, peer = server.accept()
        threading.Thread(target=answer_stream, args=(connection, peer), daemon=True).start()


def answer_stream(connection, peer):
    try:
        local = connection.getsockname()
        seen = {"peer": plain(peer[0]), "peerPort": peer[1], "local": plain(local[0]), "localPort": local[1]}
        say(seen=seen)
        connection.sendall((json.dumps(seen) + "\n").encode())
        while True:
            received = connection.recv(65536)
            if not received:
                break
            connection.sendall(received)
    except OSError:
        pass
    finally:
        connection.close()


def answer_datagrams(server):
    port = server.getsockname()[1]
    while True:
        payload, ancillary, _, peer = server.recvmsg(65536, 256)
        local, control = "", []
        for level, kind, value in ancillary:
            if level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO:
                local = plain(socket.inet_ntop(socket.AF_INET6, value[:16]))
                control = [(level, kind, value)]
            elif level == socket.IPPROTO_IP and kind == IP_PKTINFO and not control:
                # struct in_pktinfo: what is sent must name its source in ipi_spec_dst.
                local = socket.inet_ntop(socket.AF_INET, value[8:12])
                control = [(level, kind, struct.pack("@i4s4s", 0, value[4:8], value[8:12]))]
        seen = {"peer": plain(peer[0]), "peerPort": peer[1], "local": local, "localPort": port}
        say(seen=seen)
        answer = (json.dumps(seen) + "\n").encode() if payload in (b"", b"hello\n") else payload
        try:
            server.sendmsg([answer], control, 0, peer)
        except OSError as error:
            say(error=name_of(error))


# connect and talk


def dial(proto, address, port, timeout, source=None, sourcePort=0, device=None, dontFragment=False):
    found = socket.getaddrinfo(address, port, 0, socket.SOCK_DGRAM)[0]
    client = open_socket(proto, found[0])
    try:
        if device:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        if dontFragment:
            client.setsockopt(socket.IPPROTO_IP, 10, 2)
        if source or sourcePort:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            any_address = "0.0.0.0" if found[0] == socket.AF_INET else "::"
            client.bind((source or any_address, sourcePort))
        client.settimeout(timeout)
        client.connect(found[4])
    except OSError:
        client.close()
        raise
    return client


def read_line(client, proto):
    if proto == "udp":
        return client.recv(65536).decode(errors="replace")
    text = b""
    while not text.endswith(b"\n"):
        part = client.recv(65536)
        if not part:
            break
        text += part
    if not text:
        raise ConnectionResetError(errno.ECONNRESET, "closed without an answer")
    return text.decode(errors="replace")


def connect(proto, address, port, timeoutMs, payload=None, **where):
    begin = time.monotonic()
    connected = False
    try:
        with dial(proto, address, port, timeoutMs / 1000, **where) as client:
            connected = proto != "udp"
            if proto == "udp" or payload is not None:
                client.sendall((payload if payload is not None else "hello\n").encode())
            data = read_line(client, proto)
            say(ok=True, data=data, ms=round((time.monotonic() - begin) * 1000, 2))
    except OSError as error:
        say(ok=False, error=name_of(error), connected=connected, ms=round((time.monotonic() - begin) * 1000, 2))


def talk(proto, address, port, timeoutMs, **where):
    """Keeps one connection: each JSON string on standard input is sent, and what comes back is the answer."""
    try:
        client = dial(proto, address, port, timeoutMs / 1000, **where)
        if proto == "udp":
            client.sendall(b"hello\n")
        say(ok=True, data=read_line(client, proto))
    except OSError as error:
        say(ok=False, error=name_of(error))
        return
    for line in sys.stdin:
        begin = time.monotonic()
        try:
            client.sendall((json.loads(line) + "\n").encode())
            say(ok=True, data=read_line(client, proto).rstrip("\n"), ms=round((time.monotonic() - begin) * 1000, 2))
        except OSError as error:
            say(ok=False, error=name_of(error), ms=round((time.monotonic() - begin) * 1000, 2))


# capture and inject

ETH_P_ALL = 3
PACKET_KINDS = {0: "to-us", 1: "broadcast", 2: "multicast", 3: "to-other", 4: "outgoing"}
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}


def mac(octets):
    return ":".join("%02x" % octet for octet in octets)


def describe(frame):
    (kind,) = struct.unpack("!H", frame[12:14])
    fields = {"dstMac": mac(frame[0:6]), "srcMac": mac(frame[6:12]), "etherType": kind}
    body = frame[14:]
    rest, protocol = b"", None
    if kind == 0x0800 and len(body) >= 20:
        protocol, rest = body[9], body[(body[0] & 15) * 4 :]
        fields.update(src=socket.inet_ntop(socket.AF_INET, body[12:16]), dst=socket.inet_ntop(socket.AF_INET, body[16:20]))
    elif kind == 0x86DD and len(body) >= 40:
        protocol, rest = body[6], body[40:]
        fields.update(
            src=socket.inet_ntop(socket.AF_INET6, body[8:24]), dst=socket.inet_ntop(socket.AF_INET6, body[24:40])
        )
    elif kind == 0x0806 and len(body) >= 28:
        fields.update(src=socket.inet_ntop(socket.AF_INET, body[14:18]), dst=socket.inet_ntop(socket.AF_INET, body[24:28]))
        fields["proto"] = "arp"
    if protocol is not None:
        fields["proto"] = PROTOCOLS.get(protocol, str(protocol))
        if fields["proto"] in ("tcp", "udp", "sctp") and len(rest) >= 4:
            fields["srcPort"], fields["dstPort"] = struct.unpack("!HH", rest[:4])
        elif len(rest) >= 2:
            fields["icmpType"], fields["icmpCode"] = rest[0], rest[1]
    return fields


def capture(ifname=None):
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    if ifname:
        tap.bind((ifname, ETH_P_ALL))
    say(ready=True)
    # Standard input asks for everything that has come so far to be printed before the answer.
    while True:
        readable, _, _ = select.select([tap, sys.stdin], [], [])
        if tap in readable:
            frame, where = tap.recvfrom(65536)
            say(frame=dict(describe(frame), ifname=where[0], kind=PACKET_KINDS.get(where[2], "?"), length=len(frame), hex=frame[:256].hex()))
        elif not os.read(0, 4096):
            return
        else:
            say(drained=True)


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(src, dst, srcPort, dstPort, payload, ttl=64):
    """An IP packet with one UDP datagram in it, whatever its source says."""
    source, target = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    length = 8 + len(payload)
    udp = struct.pack("!HHHH", srcPort, dstPort, length, 0) + payload
    if source.version == 4:
        pseudo = source.packed + target.packed + struct.pack("!BBH", 0, 17, length)
    else:
        pseudo = source.packed + target.packed + struct.pack("!IBBBB", length, 0, 0, 0, 17)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xFFFF) + udp[8:]
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, 17, ttl) + source.packed + target.packed + udp
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 1, 0, ttl, 17, 0, source.packed, target.packed)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def inject(ifname, dstMac, srcMac=None, src=None, dst=None, srcPort=40000, dstPort=9, payload="", frame=None, count=1):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((ifname, 0))
    own = fcntl.ioctl(out, 0x8927, struct.pack("256s", ifname.encode()))[18:24]
    octets = [bytes.fromhex(text.replace(":", "")) if text else own for text in (dstMac, srcMac)]
    if frame is None:
        body = datagram(src, dst, srcPort, dstPort, payload.encode())
        frame = (b"".join(octets) + struct.pack("!H", 0x86DD if ":" in src else 0x0800) + body).hex()
    for _ in range(count):
        out.send(bytes.fromhex(frame))
    say(ok=True, frame=frame)


try:
    globals()[sys.argv[1]](**json.loads(sys.argv[2]))
except OSError as failure:
    say(ok=False, error=name_of(failure))
    sys.exit(1)
except KeyboardInterrupt:
    pass
