// Which capabilities a container's processes keep, and the system calls that take the others away (capabilities(7)).

import type { Call } from "./call-list.ts"
import { readFile } from "./file.ts"

/** <linux/capability.h>, by number. */
const NAMES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const

export type Capability = (typeof NAMES)[number]

/**
 * Docker's default set without NET_RAW (ping works by net.ipv4.ping_group_range) and without MKNOD: there is no device
 * cgroup here, so whoever can make a block device node can read and write the host's disks. Podman leaves out both too.
 */
export const DEFAULT_CAPABILITIES: readonly Capability[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
]

/** "net_admin" and "CAP_NET_ADMIN" are NET_ADMIN; undefined when there is no such capability. */
export function parseCapability(text: string): Capability | undefined {
  const name = text.toUpperCase().replace(/^CAP_/, "")
  return NAMES.find((known) => known === name)
}

export function capabilityMask(capabilities: readonly Capability[]): bigint {
  return capabilities.reduce((mask, name) => mask | (1n << BigInt(NAMES.indexOf(name))), 0n)
}

const PR_CAPBSET_DROP = 24
const PR_SET_KEEPCAPS = 8
const PR_SET_NO_NEW_PRIVS = 38
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_RAISE = 2
const PR_CAP_AMBIENT_CLEAR_ALL = 4
const EINVAL = 22

/** Every number that the kernel may know: dropping one that it does not know answers EINVAL. */
const CAPABILITY_NUMBERS = 64

/**
 * Reduces the calling task to `capabilities`, for good: bounding, permitted and effective set; none inheritable, none
 * ambient (inheritable ones would come back by file capabilities: CVE-2022-24769).
 */
export function dropCapabilities(capabilities: readonly Capability[]): Call[] {
  const kept = capabilityMask(capabilities)
  const calls: Call[] = []
  for (let number = 0; number < CAPABILITY_NUMBERS; number++) {
    if ((kept & (1n << BigInt(number))) === 0n) {
      calls.push({
        target: "prctl",
        args: [PR_CAPBSET_DROP, number],
        mayFail: EINVAL,
        what: `drop capability ${number}`,
      })
    }
  }
  return [
    ...calls,
    { target: "prctl", args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL], what: "clear ambient capabilities" },
    capset(kept, 0n),
    { target: "prctl", args: [PR_SET_NO_NEW_PRIVS, 1], what: "set no_new_privs" },
  ]
}

/** False in a user namespace that an unprivileged user made: it has no supplementary groups to drop (user_namespaces(7)). */
function mayChangeGroups(): boolean {
  const rule = readFile("/proc/self/setgroups")
  return typeof rule !== "string" || rule.trim() !== "deny"
}

/**
 * Becomes another user. Capabilities end with user 0 but for `ambient`, which the user asked for by name.
 * Needs SETUID and SETGID, and SETPCAP for ambient ones.
 */
export function becomeUser(
  user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] },
  ambient: readonly Capability[],
): Call[] {
  const groups = new Uint32Array(user.groups)
  const identity: Call[] = [
    ...(mayChangeGroups() ? [{ target: "setgroups", args: [groups.length, groups] } satisfies Call] : []),
    { target: "setresgid", args: [user.gid, user.gid, user.gid] },
    { target: "setresuid", args: [user.uid, user.uid, user.uid] },
  ]
  if (ambient.length === 0 || user.uid === 0) {
    return identity
  }
  const mask = capabilityMask(ambient)
  return [
    { target: "prctl", args: [PR_SET_KEEPCAPS, 1] },
    ...identity,
    capset(mask, mask),
    ...ambient.map(
      (name): Call => ({
        target: "prctl",
        args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NAMES.indexOf(name)],
        what: `keep capability ${name}`,
      }),
    ),
  ]
}

const LINUX_CAPABILITY_VERSION_3 = 0x20080522

/** capset(2) of the calling task: permitted and effective alike. */
function capset(permitted: bigint, inheritable: bigint): Call {
  const low = (mask: bigint) => Number(mask & 0xffff_ffffn)
  const high = (mask: bigint) => Number(mask >> 32n)
  // struct __user_cap_header_struct, then two of __user_cap_data_struct {effective, permitted, inheritable}.
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0])
  const data = new Uint32Array([
    low(permitted),
    low(permitted),
    low(inheritable),
    high(permitted),
    high(permitted),
    high(inheritable),
  ])
  return { target: "capset", args: [header, data], what: "drop capabilities" }
}
