// The terminal on this process's standard streams.

import { pathOf } from "./file.ts"
import { hasFailed, syscall } from "./syscall.ts"

const TCGETS = 0x5401 // <asm-generic/ioctls.h>
const TERMIOS_BYTES = 60

/** Its path below /dev; undefined when none of the three is a terminal. */
export function terminalPath(): string | undefined {
  const fd = [0, 1, 2].find((stream) => !hasFailed(syscall("ioctl", stream, TCGETS, new Uint8Array(TERMIOS_BYTES))))
  return fd === undefined ? undefined : pathOf(fd)
}
