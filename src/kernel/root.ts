// What a container sees as its file system, as the system calls that make it: a private mount namespace whose root is
// the given directory (or a copy of the host's tree), with a /proc, /sys and /dev of its own. The order and the lists
// of paths are those of runc (libcontainer/rootfs_linux.go, OCI runtime spec "Default Filesystems").
//
// Mounts are made after pivot_root(2), so that symbolic links of an untrusted root lead nowhere but into it. Sources
// are named relative to the working directory, which stays in the host's /dev until the end.

import type { Call } from "./call-list.ts"
import { AT_FDCWD, readFile } from "./file.ts"
import { cString } from "./syscall.ts"

export interface Bind {
  /** Absolute path on the host, free of symbolic links. */
  readonly source: string
  readonly target: string
  readonly readOnly?: boolean
}

export interface RootSpec {
  /** Absolute, free of symbolic links; "/" for the host's own tree. */
  readonly root: string
  /** Directories of the host to be seen empty; with root "/" only. */
  readonly hide: readonly string[]
  /** Mount points below root, as seen from inside, to be left out with all that is mounted in them. */
  readonly leaveOut: readonly string[]
  readonly binds: readonly Bind[]
  /** The terminal of the command, below /dev. */
  readonly terminal?: string
}

// <linux/mount.h>
const MS_RDONLY = 1
const MS_NOSUID = 2
const MS_NODEV = 4
const MS_NOEXEC = 8
const MS_REMOUNT = 0x20
const MS_BIND = 0x1000
const MS_MOVE = 0x2000
const MS_REC = 0x4000
const MS_PRIVATE = 0x40000
const MNT_DETACH = 2
const INERT = MS_NOSUID | MS_NODEV | MS_NOEXEC

const MOUNT_ATTR_NOSUID = 2
const MOUNT_ATTR_NODEV = 4
const AT_RECURSIVE = 0x8000

const ENOENT = 2
const EEXIST = 17
const S_IFREG = 0o100000

// A directory that every Linux has, and that is not needed any more when it is covered by the new root.
const STAGE = "/proc"

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
const DEV_LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
}

// The OCI defaults: what tells or changes things about the host and has no namespace.
const MASKED_FILES = [
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/interrupts",
]
const MASKED_DIRECTORIES = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
]
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

/** Needs / to be a mount point, which it is not in a chroot, and one on another, as it is not in an initramfs (pivot_root(2)). */
export const CHANGE_ROOT = "change the root directory"

/** For a task alone in a new mount namespace, in its final network, PID, IPC and cgroup namespaces. */
export function enterRoot(spec: RootSpec): Call[] {
  return [
    // Private: what the host mounts later must not appear here, unrestricted as it would be.
    { ...mount("", "/", "", MS_REC | MS_PRIVATE), what: CHANGE_ROOT },
    mount(spec.root, STAGE, "", MS_BIND | MS_REC),
    harmless(STAGE),
    { target: "chdir", args: [cString("/dev")], what: "enter /dev" },
    // With both arguments alike the old root ends on top of the new one (pivot_root(2), "pivot_root(".", ".")").
    { target: "pivot_root", args: [cString(STAGE), cString(STAGE)], what: CHANGE_ROOT },
    ...leaveOut(spec),
    ...(spec.root === "/" ? hideHost(spec) : []),
    ...deviceCalls(spec.terminal),
    ...kernelFileSystems(),
    ...spec.binds.flatMap(bind),
    { target: "umount2", args: [cString(".."), MNT_DETACH], what: "leave the host's root directory" },
    { target: "chdir", args: [cString("/")], what: "enter /" },
  ]
}

// Moved over to the old root, which is unmounted as a whole in the end, and not just covered: a mount keeps what is
// mounted alive. Unmounting them here would wait for a grace period of RCU (3 ms and more) each time. One that is gone
// by now does no harm, and in a user namespace the host's mounts cannot be taken apart (mount_namespaces(7)).
function leaveOut({ root, leaveOut: paths }: RootSpec): Call[] {
  const outside = root === "/" ? ".." : `..${root}`
  return paths.map((path) => ({ ...mount(path, `${outside}${path}`, "", MS_MOVE), mayFail: "any" }))
}

function hideHost(spec: RootSpec): Call[] {
  return [
    // All of /run: sockets of the host's daemons are doors out of any container.
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m"),
    ...spec.hide.map((path) => ({
      ...mount("tmpfs", path, "tmpfs", INERT | MS_RDONLY, "mode=0,size=0"),
      mayFail: ENOENT,
    })),
  ]
}

function deviceCalls(terminal: string | undefined): Call[] {
  return [
    ...directory("/dev", 0o755),
    mount("tmpfs", "/dev", "tmpfs", INERT, "mode=755,size=64k"),
    // Bound, not made: that works in a user namespace too, and nothing made here is a device.
    ...DEVICES.flatMap((name) => bindFile(name, `/dev/${name}`)),
    ...Object.entries(DEV_LINKS).map(
      ([name, target]): Call => ({
        target: "symlinkat",
        args: [cString(target), AT_FDCWD, cString(`/dev/${name}`)],
        what: `link /dev/${name}`,
      }),
    ),
    ...directory("/dev/pts", 0o755),
    mount(
      "devpts",
      "/dev/pts",
      "devpts",
      MS_NOSUID | MS_NOEXEC,
      `newinstance,ptmxmode=0666,mode=0620${isMappedGroup(TTY_GROUP) ? `,gid=${TTY_GROUP}` : ""}`,
    ),
    ...directory("/dev/shm", 0o1777),
    mount("shm", "/dev/shm", "tmpfs", INERT, "mode=1777,size=64m"),
    ...directory("/dev/mqueue", 0o755),
    { ...mount("mqueue", "/dev/mqueue", "mqueue", INERT), mayFail: "any" },
    // ttyname(3) looks for the terminal in /dev when it is not in this /dev/pts.
    ...(terminal?.startsWith("/dev/") ? bindFile(terminal.slice("/dev/".length), "/dev/console") : []),
  ]
}

function kernelFileSystems(): Call[] {
  return [
    ...directory("/proc", 0o555),
    mount("proc", "/proc", "proc", INERT),
    // A new sysfs shows the network devices of the namespace it was mounted in.
    ...directory("/sys", 0o555),
    mount("sysfs", "/sys", "sysfs", INERT | MS_RDONLY),
    { ...mount("cgroup2", "/sys/fs/cgroup", "cgroup2", INERT | MS_RDONLY), mayFail: "any" },
    ...READ_ONLY.flatMap((path): Call[] => [
      { ...mount(path, path, "", MS_BIND | MS_REC), mayFail: ENOENT },
      { ...remountReadOnly(path, INERT), mayFail: ENOENT },
    ]),
    ...MASKED_FILES.map((path): Call => ({ ...mount("/dev/null", path, "", MS_BIND), mayFail: ENOENT })),
    ...MASKED_DIRECTORIES.map(
      (path): Call => ({ ...mount("tmpfs", path, "tmpfs", INERT | MS_RDONLY, "mode=0,size=0"), mayFail: ENOENT }),
    ),
  ]
}

function bind({ source, target, readOnly }: Bind): Call[] {
  return [
    ...parents(target),
    ...bindFile(`..${source}`, target, MS_REC),
    harmless(target),
    ...(readOnly === true ? [remountReadOnly(target, MS_NOSUID | MS_NODEV)] : []),
  ]
}

/** The directories above a path, where they are missing. */
function parents(path: string): Call[] {
  const parts = path.split("/").slice(1, -1)
  return parts.flatMap((_, index) => directory(`/${parts.slice(0, index + 1).join("/")}`, 0o755, "any"))
}

/**
 * No set-user-ID, file capabilities or device nodes, on this mount and those in it (mount_setattr(2), Linux >= 5.12).
 * With no_new_privs the first two have no effect anyway, but a program with file capabilities that the container cannot
 * have would not start at all: Debian's ping.
 */
function harmless(path: string): Call {
  const attributes = new BigUint64Array([BigInt(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), 0n, 0n, 0n])
  return {
    target: "mount_setattr",
    args: [AT_FDCWD, cString(path), AT_RECURSIVE, attributes, attributes.byteLength],
    what: `restrict ${path}`,
  }
}

function directory(path: string, mode: number, mayFail: number | "any" = EEXIST): Call[] {
  return [{ target: "mkdirat", args: [AT_FDCWD, cString(path), mode], mayFail, what: `make ${path}` }]
}

function bindFile(source: string, target: string, flags = 0): Call[] {
  return [
    { target: "mknodat", args: [AT_FDCWD, cString(target), S_IFREG | 0o644, 0], mayFail: "any" },
    mount(source, target, "", MS_BIND | flags),
  ]
}

function remountReadOnly(path: string, flags: number): Call {
  return mount("", path, "", MS_BIND | MS_REMOUNT | MS_RDONLY | flags)
}

function mount(source: string, target: string, type: string, flags: number, data = ""): Call {
  return {
    target: "mount",
    args: [cString(source), cString(target), cString(type), flags, cString(data)],
    what: `mount ${target}`,
  }
}

/** Debian's and everybody else's "tty". */
const TTY_GROUP = 5

/** Whether a group exists in our user namespace (user_namespaces(7)): mount options can name no other. */
function isMappedGroup(group: number): boolean {
  const map = readFile("/proc/self/gid_map")
  return (
    typeof map === "string" &&
    map.split("\n").some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return group >= first && group < first + count
    })
  )
}
