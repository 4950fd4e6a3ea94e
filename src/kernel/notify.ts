// Tells a service manager how things are, by one datagram (sd_notify(3)).

import { closeFile } from "./file.ts"
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM, unixAddress } from "./socket-address.ts"
import { hasFailed, syscall } from "./syscall.ts"

/** @param address as in NOTIFY_SOCKET: a path, or "@" and an abstract name. */
export function notifyManager(address: string, state: string): void {
  const socket = syscall("socket", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (hasFailed(socket)) {
    return
  }
  const bytes = unixAddress(address)
  const message = Buffer.from(state)
  // A manager that does not listen will find out in its own way.
  syscall("sendto", socket, message, message.length, MSG_NOSIGNAL, bytes, bytes.length)
  closeFile(socket)
}
