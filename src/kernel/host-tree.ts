// What a container must not get along with a tree of the host.

import { closeFile, O_PATH, openFile, pathOf } from "./file.ts"
import { type Mount, mounts } from "./mount-table.ts"
import type { Bind } from "./root.ts"
import { hasFailed } from "./syscall.ts"

// Windows into the kernel and into other namespaces, wherever they are mounted (a chroot has a /proc of the host's
// processes and switches), and namespace files, which would live on with the container.
const KERNEL_TYPES = new Set([
  "nsfs",
  "proc",
  "sysfs",
  "devtmpfs",
  "devpts",
  "mqueue",
  "cgroup",
  "cgroup2",
  "debugfs",
  "tracefs",
  "securityfs",
  "configfs",
  "bpf",
  "pstore",
  "efivarfs",
  "binfmt_misc",
  "selinuxfs",
  "fusectl",
  "resctrl",
  "rpc_pipefs",
])

// Made anew by root.ts.
const REPLACED = ["/proc", "/sys", "/dev"]

/**
 * Mount points below `root` that a container with that root does not get, as it would see them; each goes with all that
 * is mounted in it.
 */
export function mountsToLeaveOut(root: string, table: readonly Mount[] = mounts()): string[] {
  const replaced = root === "/" ? [...REPLACED, "/run"] : REPLACED
  const prefix = root === "/" ? "" : root
  const paths = table
    .filter((mount) => mount.path.startsWith(`${prefix}/`) && mount.path !== "/")
    .map(({ path, type }) => ({ path: path.slice(prefix.length), type }))
    .filter(
      ({ path, type }) =>
        KERNEL_TYPES.has(type) || replaced.some((tree) => path === tree || path.startsWith(`${tree}/`)),
    )
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
