// A network namespace held by descriptor: whatever happens to the path or the process it was found by, the descriptor
// goes on meaning the same namespace (nsfs, ioctl_nsfs(2)). Sockets and sysctl files keep the namespace they were
// opened in, so everything else works from the JavaScript thread.

import { LinkspanError } from "#model/errors.ts"
import type { Call } from "./call-list.ts"
import { CLONE_NEWNET } from "./clone.ts"
import { AT_FDCWD, closeFile, inodeOf, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_WRONLY, openFile, readAll } from "./file.ts"
import type { Word } from "./native.ts"
import { PidHandle } from "./process.ts"
import { describe, refusal } from "./refusal.ts"
import { AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW } from "./socket-address.ts"
import { check, cString, hasFailed, SystemCallError, syscall } from "./syscall.ts"
import { onThread } from "./thread.ts"

const ENTER = "enter it"
const NSFS_MAGIC = 0x6e736673 // <linux/magic.h>
const NS_GET_NSTYPE = 0xb703 // <linux/nsfs.h>
const SIZEOF_STATFS = 120

// <asm-generic/socket.h>, <linux/in.h>
const SOL_SOCKET = 1
const SO_NETNS_COOKIE = 71
const NETLINK_ROUTE = 0 // <linux/netlink.h>

const OWN_PATH = "/proc/thread-self/ns/net"

export class Netns implements Disposable {
  #fd: number
  /** nsfs inode number: tells namespaces apart that exist at the same time, and is reused after that. */
  readonly inode: number
  #isOwn: boolean | undefined
  #cookie: bigint | undefined
  /** A socket for routes that nobody has asked for yet. */
  #spare: number | undefined

  private constructor(fd: number) {
    this.#fd = fd
    this.inode = inodeOf(fd)
  }

  /** Open until disposed, -1 from then on: the number may be another file's by then. */
  get fd(): number {
    return this.#fd
  }

  /** The namespace this process runs in. */
  static own(): Netns {
    return new Netns(check("openat", openReadOnly(OWN_PATH)))
  }

  /** @throws LinkspanError NETNS_NOT_FOUND when there is nothing, or something that is no network namespace */
  static open(path: string): Netns {
    const fd = openReadOnly(path)
    if (hasFailed(fd)) {
      throw notOpened(`Cannot open network namespace "${path}"`, new SystemCallError("openat", -fd))
    }
    if (!isNetns(fd)) {
      closeFile(fd)
      throw new LinkspanError("NETNS_NOT_FOUND", {
        message: `Cannot open network namespace "${path}": the file is no network namespace`,
        hint: 'Name a namespace file such as /run/netns/NAME ("ip netns add NAME" makes one) or /proc/PID/ns/net',
        details: { path },
      })
    }
    return new Netns(fd)
  }

  /**
   * The namespace of a process. With `startTime` (field 22 of /proc/PID/stat) it is of that process or of none.
   * @throws LinkspanError NETNS_NOT_FOUND when the process is gone
   */
  static ofPid(pid: number, options: { readonly startTime?: string } = {}): Netns {
    const what = `Cannot open the network namespace of process ${pid}`
    // While the pidfd's process lives, its number is not given to another; so what /proc/PID showed between opening
    // the pidfd and seeing the process still alive was about that process.
    using process = PidHandle.open(pid, options)
    const fd = process === undefined ? -ESRCH : openReadOnly(`/proc/${pid}/ns/net`)
    if (process?.exists() !== true || hasFailed(fd)) {
      if (!hasFailed(fd)) {
        closeFile(fd)
      }
      throw notOpened(what, new SystemCallError("openat", hasFailed(fd) ? -fd : ESRCH))
    }
    return new Netns(fd)
  }

  /** A new, empty namespace. It ends with its last descriptor, mount, socket and process. */
  static create(): Netns {
    try {
      const [, fd = -1] = onThread([
        { target: "unshare", args: [CLONE_NEWNET] },
        { target: "openat", args: [AT_FDCWD, cString(OWN_PATH), O_RDONLY | O_CLOEXEC] },
      ])
      return new Netns(fd)
    } catch (cause) {
      throw refusal("Cannot create a network namespace", cause)
    }
  }

  /** Whether this is the namespace that the process itself runs in, which it never leaves. */
  get isOwn(): boolean {
    this.#isOwn ??= inodeOf(OWN_PATH) === this.inode
    return this.#isOwn
  }

  /** A socket of this namespace (SOCK_CLOEXEC is added). The caller closes it. @throws SystemCallError */
  socket(domain: number, type: number, protocol = 0): number {
    const spare = this.#spare
    if (spare !== undefined && domain === AF_NETLINK && type === SOCK_RAW && protocol === NETLINK_ROUTE) {
      this.#spare = undefined
      return spare
    }
    return this.#open("socket", domain, type | SOCK_CLOEXEC, protocol)
  }

  /** A number that no other namespace has had or will have before the next boot (SO_NETNS_COOKIE, Linux >= 5.14). */
  cookie(): bigint {
    this.#cookie ??= this.#readCookie()
    return this.#cookie
  }

  #readCookie(): bigint {
    // Of any socket. Whoever asks whose namespace it is mostly asks for its links next, and each socket costs a thread.
    this.#spare ??= this.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
    const cookie = new BigUint64Array(1)
    const length = new Uint32Array([cookie.byteLength])
    check("getsockopt", syscall("getsockopt", this.#spare, SOL_SOCKET, SO_NETNS_COOKIE, cookie, length))
    return cookie[0] ?? 0n
  }

  /** Opens a file below /proc/sys/net as this namespace sees it. The caller closes it. @throws SystemCallError */
  openSysctl(key: string, flags: number): number {
    // The tree that a task sees follows the task's namespace, and what it opened stays
    // (net_ctl_header_lookup() in net/sysctl_net.c).
    return this.#open("openat", AT_FDCWD, cString(sysctlPath(key)), flags | O_CLOEXEC)
  }

  /** @throws SystemCallError ENOENT when the kernel has no such sysctl */
  readSysctl(key: string): string {
    const fd = this.openSysctl(key, O_RDONLY)
    try {
      return readAll(fd).trimEnd()
    } finally {
      closeFile(fd)
    }
  }

  writeSysctl(key: string, value: string): void {
    const fd = this.openSysctl(key, O_WRONLY)
    try {
      const text = Buffer.from(`${value}\n`)
      check("write", syscall("write", fd, text, text.length))
    } finally {
      closeFile(fd)
    }
  }

  /**
   * Runs calls inside the namespace, on a thread that is there only. For C libraries that open sockets of their own:
   * whatever opens one has to run in here. @throws SystemCallError at the first system call that fails
   */
  calls(calls: readonly Call[]): number[] {
    if (this.isOwn) {
      return onThread(calls) // needs no CAP_SYS_ADMIN
    }
    try {
      return onThread([{ target: "setns", args: [this.fd, CLONE_NEWNET], what: ENTER }, ...calls]).slice(1)
    } catch (cause) {
      throw cause instanceof SystemCallError && cause.call === ENTER
        ? refusal("Cannot look into a network namespace", cause)
        : cause
    }
  }

  /** Opens something in the namespace; needs no thread when that is the process's own. */
  #open(target: "socket" | "openat", ...args: [Word, Word, Word]): number {
    if (this.isOwn) {
      return check(target, syscall(target, ...args))
    }
    const [fd = -1] = this.calls([{ target, args }])
    return fd
  }

  [Symbol.dispose](): void {
    if (this.#spare !== undefined) {
      closeFile(this.#spare)
      this.#spare = undefined
    }
    if (this.#fd >= 0) {
      closeFile(this.#fd)
      this.#fd = -1
    }
  }
}

/** "net.ipv4.ip_forward" or, for interface names with dots, "net/ipv4/conf/eth0.5/forwarding" (sysctl(8)). */
function sysctlPath(key: string): string {
  const parts = key.split(key.includes("/") ? "/" : ".")
  if (parts[0] !== "net" || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new LinkspanError("INTERNAL", { message: `Internal error: "${key}" is no sysctl of a network namespace` })
  }
  return `/proc/sys/${parts.join("/")}`
}

function openReadOnly(path: string): number {
  // O_NONBLOCK: a path that turns out to be a FIFO must not hang the caller.
  return openFile(path, O_RDONLY | O_NONBLOCK)
}

const EACCES = 13
const EPERM = 1
const ESRCH = 3

function notOpened(what: string, cause: SystemCallError): unknown {
  if (cause.errno === EPERM || cause.errno === EACCES) {
    return refusal(what, cause)
  }
  return new LinkspanError("NETNS_NOT_FOUND", {
    message: `${what}: ${describe(cause)}`,
    hint: 'See "ip netns list" and "lsns -t net" for the namespaces of this host',
    cause,
  })
}

function isNetns(fd: number): boolean {
  const statfs = new DataView(new ArrayBuffer(SIZEOF_STATFS))
  const buffer = new Uint8Array(statfs.buffer)
  // The file system is asked first: the ioctl number means something else to other files.
  return (
    !hasFailed(syscall("fstatfs", fd, buffer)) &&
    Number(statfs.getBigInt64(0, true)) === NSFS_MAGIC &&
    syscall("ioctl", fd, NS_GET_NSTYPE) === CLONE_NEWNET
  )
}
