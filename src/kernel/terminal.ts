// The terminal on this process's standard streams.

import { pathOf } from "./file.ts"
import { hasFailed, syscall } from "./syscall.ts"

const TCGETS = 0x5401 // <asm-generic/ioctls.h>
const TERMIOS_BYTES = 60

/** isatty(3); loading node:tty for it takes as long as half of an attach. */
export function isTerminal(fd: number): boolean {
  return !hasFailed(syscall("ioctl", fd, TCGETS, new Uint8Array(TERMIOS_BYTES)))
}

/** Its path below /dev; undefined when none of the three is a terminal. */
export function terminalPath(): string | undefined {
  const fd = [0, 1, 2].find(isTerminal)
  return fd === undefined ? undefined : pathOf(fd)
}
