// Names for namespaces, as `ip netns` makes them: a namespace file bind-mounted below /run/netns keeps the namespace
// without a process, and every tool of iproute2 finds it there (ip-netns(8), netns_add() in iproute2's ip/ipnetns.c).

import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { LinkspanError } from "#model/errors.ts"
import { Netns, O_CLOEXEC, O_RDONLY } from "./netns.ts"
import { refusal } from "./refusal.ts"
import { check, cString, hasFailed, syscall, SystemCallError } from "./syscall.ts"

export const NETNS_DIRECTORY = "/run/netns"

const AT_FDCWD = -100
const ENOENT = 2
const EEXIST = 17
const EINVAL = 22
const O_CREAT = 0o100
const O_EXCL = 0o200
// <asm/fcntl.h> of arm64 has its own number.
const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000
const LOCK_EX = 2
// <linux/mount.h>
const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_SHARED = 0x100000
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8

/** Gives a namespace a name on the file system. @throws LinkspanError NETNS_EXISTS when there is a file already */
export function pin(netns: Netns, path: string): void {
  const what = `Cannot name a network namespace "${path}"`
  try {
    shareDirectory(dirname(path))
    const file = syscall("openat", AT_FDCWD, cString(path), O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0)
    if (file === -EEXIST) {
      throw new LinkspanError("NETNS_EXISTS", {
        message: `${what}: that name is taken`,
        hint: 'Choose another name, or remove the namespace with "ip netns delete" when nobody needs it',
        details: { path },
      })
    }
    syscall("close", check("openat", file))
    const mounted = syscall("mount", cString(`/proc/self/fd/${netns.fd}`), cString(path), cString("none"), MS_BIND, 0)
    if (hasFailed(mounted)) {
      syscall("unlinkat", AT_FDCWD, cString(path), 0)
      check("mount", mounted)
    }
  } catch (cause) {
    throw refusal(what, cause)
  }
}

/** Takes the name away; false when there was none. The namespace lives on while anything else holds it. */
export function unpin(path: string): boolean {
  try {
    // In the order of `ip netns del`: the mount first; whoever looks then finds an empty file, never another namespace.
    const unmounted = syscall("umount2", cString(path), MNT_DETACH | UMOUNT_NOFOLLOW)
    if (hasFailed(unmounted) && unmounted !== -EINVAL && unmounted !== -ENOENT) {
      throw new SystemCallError("umount2", -unmounted)
    }
    const unlinked = syscall("unlinkat", AT_FDCWD, cString(path), 0)
    if (unlinked === -ENOENT) {
      return false
    }
    check("unlinkat", unlinked)
    return true
  } catch (cause) {
    throw refusal(`Cannot remove the network namespace name "${path}"`, cause)
  }
}

/**
 * Makes the directory a shared mount, so that removing a name removes it from every mount namespace that has a copy;
 * otherwise each one would keep the network namespace alive.
 */
function shareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const lock = check("openat", syscall("openat", AT_FDCWD, cString(directory), O_RDONLY | O_CLOEXEC))
  try {
    // Two at once would mount twice, and the second mount would hide the first one's names; iproute2 takes
    // the same lock on the same directory.
    check("flock", syscall("flock", lock, LOCK_EX))
    const path = cString(directory)
    if (syscall("mount", 0, path, 0, MS_SHARED | MS_REC, 0) === -EINVAL) {
      check("mount", syscall("mount", path, path, 0, MS_BIND | MS_REC, 0))
      check("mount", syscall("mount", 0, path, 0, MS_SHARED | MS_REC, 0))
    }
  } finally {
    syscall("close", lock)
  }
}
