// Sockets as procfs lists them, proc(5) "/proc/net/tcp": for kernels built without sock_diag(7), such as those of small
// virtual machines. It lists every connection as well, and does not tell whether an IPv6 socket takes IPv4.

import type { Ip } from "#inet/ip.ts"
import { socketIp } from "#wire/sockdiag/inet.ts"
import { AT_FDCWD, closeFile, O_CLOEXEC, O_RDONLY, readAll } from "./file.ts"
import type { Netns } from "./netns.ts"
import { cString, hasFailed } from "./syscall.ts"

const ENOENT = 2
const AF_INET = 2
const AF_INET6 = 10

export interface TableSocket {
  readonly ip: Ip
  readonly port: number
  /** include/net/tcp_states.h */
  readonly state: number
  readonly inode: number
}

/** Both families. A table that the kernel does not have is empty. */
export function readSocketTable(netns: Netns, protocol: "tcp" | "udp"): TableSocket[] {
  // The tables that a task sees are those of its own namespace.
  const files = netns.calls(
    [protocol, `${protocol}6`].map((name) => ({
      target: "openat",
      args: [AT_FDCWD, cString(`/proc/thread-self/net/${name}`), O_RDONLY | O_CLOEXEC],
      mayFail: ENOENT,
    })),
  )
  return files.flatMap((fd, index) => {
    if (hasFailed(fd)) {
      return []
    }
    try {
      return parseTable(readAll(fd), index === 0 ? AF_INET : AF_INET6)
    } finally {
      closeFile(fd)
    }
  })
}

/** sl, local address, peer's address, state, queues, timer, retransmits, uid, timeout, inode, … */
const STATE = 3
const INODE = 9

function parseTable(text: string, family: number): TableSocket[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line): TableSocket[] => {
      const fields = line.trim().split(/\s+/)
      const [address = "", port = ""] = fields[1]?.split(":") ?? []
      return port === ""
        ? []
        : [
            {
              ip: socketIp(family, addressBytes(address)),
              port: Number.parseInt(port, 16),
              state: Number.parseInt(fields[STATE] ?? "", 16),
              inode: Number(fields[INODE]),
            },
          ]
    })
}

/** Hexadecimal words, each as the machine holds it: little-endian. */
function addressBytes(hex: string): Uint8Array {
  const words = Uint8Array.fromHex(hex)
  const view = new DataView(words.buffer)
  for (let at = 0; at < words.length; at += 4) {
    view.setUint32(at, view.getUint32(at, true))
  }
  return words
}
