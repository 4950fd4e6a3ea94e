import * as terminal from "#kernel/terminal.ts"

/** Whether one of this process's descriptors is a terminal. Cheap: node:tty is not loaded for it. */
export function isTerminal(fd: number): boolean {
  return terminal.isTerminal(fd)
}
