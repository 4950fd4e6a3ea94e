# A name server for tests, over UDP and TCP: every name has the address given, and each question is printed as a line
# "NAME TYPE". "reuseport" behind the address it listens at: with SO_REUSEPORT.
import select, socket, struct, sys

(address, *how), answer = sys.argv[1].split(), sys.argv[2]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
udp, tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_STREAM)
for server in udp, tcp:
    if "reuseport" in how:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
for server in udp, tcp:
    server.bind((address, 53))
tcp.listen()


def reply(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    kind = struct.unpack_from("!H", packet, at + 1)[0]
    print(".".join(labels).lower(), {1: "A", 28: "AAAA", 12: "PTR"}.get(kind, kind), flush=True)
    records = b"" if kind != 1 else b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(answer)
    header = packet[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if records else 0, 0, 0)
    return header + packet[12 : at + 5] + records


print("ready", flush=True)
while True:
    for server in select.select([udp, tcp], [], [])[0]:
        if server is udp:
            packet, peer = udp.recvfrom(4096)
            udp.sendto(reply(packet), peer)
            continue
        connection, _ = tcp.accept()
        with connection:
            packet = connection.recv(4096)
            answered = reply(packet[2:])
            connection.sendall(struct.pack("!H", len(answered)) + answered)
