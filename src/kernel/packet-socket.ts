// Sockets below IP, packet(7): what goes over an interface, before and behind every rule.

import type { BpfInstruction } from "#plan/port-filter.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { AF_PACKET, linkAddress, SOCK_NONBLOCK } from "./socket-address.ts"
import { attachFilter } from "./socket-filter.ts"
import { check, syscall } from "./syscall.ts"

export interface PacketSocketOptions {
  /** SOCK_RAW: frames; SOCK_DGRAM: what is in them. */
  readonly type: number
  /** Of the interface; 0 for all. */
  readonly index: number
  /** ETH_P_* */
  readonly protocol: number
  readonly filter?: readonly BpfInstruction[]
  /** Called before anything can come in. */
  readonly prepare?: (fd: number) => void
}

/** It belongs to the namespace that it was made in. The caller closes it. @throws SystemCallError */
export function openPacketSocket(netns: Netns, options: PacketSocketOptions): number {
  // Of no protocol until it is filtered and bound, so that nothing else gets in.
  const fd = netns.socket(AF_PACKET, options.type | SOCK_NONBLOCK, 0)
  try {
    options.prepare?.(fd)
    if (options.filter !== undefined) {
      attachFilter(fd, options.filter)
    }
    const address = linkAddress(options.index, options.protocol)
    check("bind", syscall("bind", fd, address, address.length))
    return fd
  } catch (error) {
    closeFile(fd)
    throw error
  }
}
