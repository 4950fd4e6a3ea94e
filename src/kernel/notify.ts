// Tells a service manager how things are, by one datagram (sd_notify(3)).

import { closeFile } from "./file.ts"
import { hasFailed, syscall } from "./syscall.ts"

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000

/** @param address as in NOTIFY_SOCKET: a path, or "@" and an abstract name. */
export function notifyManager(address: string, state: string): void {
  const socket = syscall("socket", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (hasFailed(socket)) {
    return
  }
  // An abstract name ends where the address ends, a path at its NUL.
  const path = address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`
  const bytes = Buffer.concat([new Uint8Array(new Uint16Array([AF_UNIX]).buffer), Buffer.from(path)])
  const message = Buffer.from(state)
  // A manager that does not listen will find out in its own way.
  syscall("sendto", socket, message, message.length, MSG_NOSIGNAL, bytes, bytes.length)
  closeFile(socket)
}
