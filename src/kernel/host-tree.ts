// What a container on the host's own file system must not get along with it.

import { closeFile, O_PATH, openFile, pathOf } from "./file.ts"
import { type Mount, mounts } from "./mount-table.ts"
import type { Bind } from "./root.ts"
import { hasFailed } from "./syscall.ts"

// Replaced as a whole, or none of a container's business.
const REPLACED = ["/proc", "/sys", "/dev", "/run"]

/** Mounts to be left out: those of the trees above, and namespace files wherever they are. Outermost ones only. */
export function mountsToLeaveOut(table: readonly Mount[] = mounts()): string[] {
  const paths = table
    .filter(({ path, type }) => type === "nsfs" || REPLACED.some((tree) => path === tree || path.startsWith(`${tree}/`)))
    .map(({ path }) => path)
  return paths.filter((path) => !paths.some((outer) => path.startsWith(`${outer}/`)))
}

const RESOLVER = "/etc/resolv.conf"

/** With systemd-resolved and others, resolv.conf is a link into /run, which the container does not see. */
export function resolverBinds(): Bind[] {
  const fd = openFile(RESOLVER, O_PATH)
  if (hasFailed(fd)) {
    return []
  }
  try {
    const path = pathOf(fd)
    return path.startsWith("/run/") ? [{ source: path, target: path }] : []
  } finally {
    closeFile(fd)
  }
}
