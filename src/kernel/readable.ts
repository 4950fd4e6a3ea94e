import { check, syscall } from "./syscall.ts"

const POLLIN = 1

/** Whether a descriptor can be read from, or is at its end. Waits that long, and everything else in this thread too. */
export function isReadable(fd: number, withinMs: number): boolean {
  const poll = new DataView(new ArrayBuffer(8))
  poll.setInt32(0, fd, true)
  poll.setInt16(4, POLLIN, true)
  const timeout = new BigInt64Array([BigInt(Math.floor(withinMs / 1000)), BigInt((withinMs % 1000) * 1_000_000)])
  return check("ppoll", syscall("ppoll", new Uint8Array(poll.buffer), 1, timeout, 0, 0)) > 0
}
