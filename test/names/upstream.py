# A name server for tests: every name has the addresses below, and each question is printed as a line "NAME TYPE".
import socket, struct, sys

address, answer = sys.argv[1], sys.argv[2]
server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
print("ready", flush=True)
while True:
    packet, peer = server.recvfrom(4096)
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    kind = struct.unpack_from("!H", packet, at + 1)[0]
    print(".".join(labels).lower(), {1: "A", 28: "AAAA", 12: "PTR"}.get(kind, kind), flush=True)
    records = b"" if kind != 1 else b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(answer)
    header = packet[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if records else 0, 0, 0)
    server.sendto(header + packet[12 : at + 5] + records, peer)
