// Who a command runs as: "UID", "UID:GID", "NAME" or "NAME:GROUP", looked up in the container's own /etc/passwd and
// /etc/group (passwd(5), group(5)), never in the host's.

import { LinkspanError } from "#model/errors.ts"
import { closeFile, O_CLOEXEC, O_NONBLOCK, O_RDONLY, readAll } from "./file.ts"
import { check, cString, syscall } from "./syscall.ts"

export interface User {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups. */
  readonly groups: readonly number[]
  readonly home: string
}

/**
 * @param root descriptor of the container's root directory
 * @throws LinkspanError INVALID_REQUEST when the root file system knows no such user or group
 */
export function findUser(text: string, root: number): User {
  const [name = "", group] = text.split(":")
  const accounts = table(root, "etc/passwd")
  const groups = table(root, "etc/group")
  const account = accounts.find(([account, , uid]) => account === name || (isId(name) && Number(uid) === Number(name)))
  if (account === undefined && !isId(name)) {
    throw unknown(text, `the root file system's /etc/passwd has no user "${name}"`)
  }
  const groupEntry = groups.find(([entry]) => entry === group)
  if (group !== undefined && groupEntry === undefined && !isId(group)) {
    throw unknown(text, `the root file system's /etc/group has no group "${group}"`)
  }
  const userName = account?.[0]
  return {
    uid: isId(name) ? Number(name) : Number(account?.[2] ?? 0),
    gid: group === undefined ? Number(account?.[3] ?? 0) : Number(groupEntry?.[2] ?? group),
    // A group that is asked for stands alone, as with Docker.
    groups:
      group === undefined
        ? groups.flatMap(([, , gid, members]) => (members?.split(",").includes(userName ?? "") ? [Number(gid)] : []))
        : [],
    home: account?.[5] || "/",
  }
}

export const ROOT_USER: User = { uid: 0, gid: 0, groups: [], home: "/root" }

function unknown(text: string, reason: string): LinkspanError {
  return new LinkspanError("INVALID_REQUEST", {
    message: `Cannot run as user "${text}": ${reason}`,
    hint: "Use a number (UID or UID:GID), or a name that the container's root file system knows",
    issues: [{ path: "--user", message: reason }],
  })
}

// 2^32 - 1 means "no change" to setresuid(2).
function isId(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) < 0xffff_ffff
}

const ENOENT = 2
const RESOLVE_IN_ROOT = 0x10 // <linux/openat2.h>, Linux >= 5.6: links lead nowhere but into the root

/** The lines of a colon-separated file; none when there is no such file. */
function table(root: number, path: string): string[][] {
  const how = new BigUint64Array([BigInt(O_RDONLY | O_CLOEXEC | O_NONBLOCK), 0n, BigInt(RESOLVE_IN_ROOT)])
  const fd = syscall("openat2", root, cString(path), how, how.byteLength)
  if (fd === -ENOENT) {
    return []
  }
  check("openat2", fd)
  try {
    return readAll(fd)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(":"))
  } finally {
    closeFile(fd)
  }
}
