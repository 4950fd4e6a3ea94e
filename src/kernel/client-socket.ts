// Sockets that ask one server, in the namespace from where it is to be asked.

import { family, type Ip } from "#inet/ip.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "./socket-address.ts"
import { hasFailed, SystemCallError, syscall } from "./syscall.ts"

const EINPROGRESS = 115

/** A socket connected to the server, or over TCP about to be. The caller closes it. @throws SystemCallError */
export function openClient(
  netns: Netns,
  { ip, port, transport }: { readonly ip: Ip; readonly port: number; readonly transport: "udp" | "tcp" },
): number {
  const type = (transport === "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK
  const fd = netns.socket(family(ip) === 4 ? AF_INET : AF_INET6, type)
  const address = socketAddress(ip, port)
  const connected = syscall("connect", fd, address, address.length)
  if (hasFailed(connected) && connected !== -EINPROGRESS) {
    closeFile(fd)
    throw new SystemCallError("connect", -connected)
  }
  return fd
}
