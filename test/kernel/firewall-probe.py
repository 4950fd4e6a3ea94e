"""What the firewall's tests put into namespaces: servers that say who they see, clients that say what became of a
connection, frames sent and captured as they are. One JSON document in (argv[2]), JSON lines out.
"""

import errno
import json
import select
import socket
import sys
import threading
import time

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
IPPROTO_SCTP = 132


def say(value):
    print(json.dumps(value), flush=True)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def make_socket(family, protocol):
    if protocol == "sctp":
        return socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    return socket.socket(family, KINDS[protocol])


def serve(order):
    """Listens on every port in both families and answers each client with who it reached and who it is taken for."""
    name, ports = order["name"], order["ports"]
    listeners = {}
    for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for protocol in ("tcp", "udp", "sctp"):
            for port in ports:
                try:
                    sock = make_socket(family, protocol)
                except OSError:
                    continue  # a kernel without SCTP
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((any_address, port))
                if protocol != "udp":
                    sock.listen(64)
                listeners[sock] = (protocol, f"{name}:{port}")
    say("ready")
    while True:
        for sock in select.select(list(listeners), [], [])[0]:
            protocol, reached = listeners[sock]
            if protocol == "udp":
                _, peer = sock.recvfrom(2048)
                sock.sendto(f"{reached} sees {peer[0]}".encode(), peer)
            else:
                connection, peer = sock.accept()
                connection.sendall(f"{reached} sees {peer[0]}".encode())
                connection.close()


def ask(question):
    """One connection: what the server said, or the errno, and how long it took."""
    started = time.monotonic()
    try:
        with make_socket(family_of(question["to"]), question["protocol"]) as sock:
            sock.settimeout(question["timeout"])
            if "from" in question:
                sock.bind((question["from"], 0))
            sock.connect((question["to"], question["port"]))
            if question["protocol"] == "udp":
                sock.send(b"who am I")
            text = sock.recv(2048).decode()
        answer = {"text": text} if text else {"error": "EMPTY"}
    except (socket.timeout, TimeoutError):
        answer = {"error": "TIMEOUT"}
    except OSError as error:
        answer = {"error": errno.errorcode.get(error.errno, str(error))}
    answer["ms"] = round((time.monotonic() - started) * 1000, 2)
    return answer


def ask_all(questions):
    answers = [None] * len(questions)

    def one(i):
        answers[i] = ask(questions[i])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say(answers)


def send(order):
    """Puts frames (hexadecimal, with their Ethernet headers) on a link."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((order["ifname"], 0))
        for frame in order["frames"]:
            sock.send(bytes.fromhex(frame))


def collect(sock, read, order):
    """Gathers what a socket gets until something holds the given bytes; null when that never comes."""
    say("ready")
    end = bytes.fromhex(order["until"])
    deadline = time.monotonic() + order["timeout"]
    got = []
    while time.monotonic() < deadline:
        if not select.select([sock], [], [], 0.1)[0]:
            continue
        data = read(sock)
        if data is None:
            continue
        if end in data:
            say(got)
            return
        got.append(data.hex())
    say(None)


def capture(order):
    """Frames that a link receives."""

    def read(sock):
        frame, address = sock.recvfrom(65535)
        return None if address[2] == socket.PACKET_OUTGOING else frame

    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind((order["ifname"], 0))
        collect(sock, read, order)


def receive(order):
    """Datagrams that reach a port, at any address, loopback included."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", order["port"]))
        collect(sock, lambda sock: sock.recv(2048), order)


MODES = {"serve": serve, "ask": ask_all, "send": send, "capture": capture, "receive": receive}
MODES[sys.argv[1]](json.loads(sys.argv[2]))
