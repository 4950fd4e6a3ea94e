// Names for namespaces, as `ip netns` makes them: a namespace file bind-mounted below /run/netns keeps the namespace
// without a process, and every tool of iproute2 finds it there (ip-netns(8), netns_add() in iproute2's ip/ipnetns.c).

import { LinkspanError } from "#model/errors.ts"
import { AT_FDCWD, closeFile, O_CREAT, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, openFile, ownerOf } from "./file.ts"
import type { Netns } from "./netns.ts"
import { refusal } from "./refusal.ts"
import { check, cString, hasFailed, SystemCallError, syscall } from "./syscall.ts"

export const NETNS_DIRECTORY = "/run/netns"

const ENOENT = 2
const EEXIST = 17
const EINVAL = 22
const LOCK_EX = 2
const REGULAR_WITHOUT_PERMISSIONS = 0o100000
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
    shareDirectory(path.slice(0, path.lastIndexOf("/")))
    const file = openFile(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    if (file === -EEXIST) {
      throw new LinkspanError("NETNS_EXISTS", {
        message: `${what}: that name is taken`,
        hint: 'Choose another name, or remove the namespace with "ip netns delete" when nobody needs it',
        details: { path },
      })
    }
    closeFile(check("openat", file))
    const mounted = syscall("mount", cString(`/proc/self/fd/${netns.fd}`), cString(path), cString("none"), MS_BIND, 0)
    if (hasFailed(mounted)) {
      syscall("unlinkat", AT_FDCWD, cString(path), 0)
      check("mount", mounted)
    }
  } catch (cause) {
    throw refusal(what, cause)
  }
}

/** Whether there is the file that a name needs, but nothing mounted on it: naming, or taking the name away, was interrupted. */
export function isBareName(path: string): boolean {
  const file = openFile(path, O_PATH | O_NOFOLLOW)
  if (hasFailed(file)) {
    return false
  }
  try {
    // Nobody may do anything with it, as pin() and iproute2 make it, and with a namespace on it its mode is another.
    return (ownerOf(file).mode & 0o177777) === REGULAR_WITHOUT_PERMISSIONS
  } finally {
    closeFile(file)
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
  const made = syscall("mkdirat", AT_FDCWD, cString(directory), 0o755)
  if (made !== -EEXIST) {
    check("mkdirat", made)
  }
  const lock = check("openat", openFile(directory, O_RDONLY))
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
    closeFile(lock)
  }
}
