// Namespaces and threads, seen with iproute2 and /proc. Needs root.

import { afterEach, expect, test } from "bun:test"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Netns } from "#kernel/netns.ts"
import { pin, unpin } from "#kernel/netns-pin.ts"
import { startTimeOf } from "#kernel/process.ts"
import { check, SystemCallError, syscall } from "#kernel/syscall.ts"
import { onThread } from "#kernel/thread.ts"
import { LinkspanError } from "#model/errors.ts"

const AF_INET = 2
const SOCK_STREAM = 1

const NAME = `linkspan-test-${process.pid}`
const PATH = `/run/netns/${NAME}`

afterEach(() => {
  spawnSync("ip", ["netns", "delete", NAME])
})

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof LinkspanError ? error.code : String(error)
  }
  return "nothing thrown"
}

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" })
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${stderr}`)
  }
  return stdout
}

function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`).replace(/\/proc\/\d+\/fd/, "")}`]
    } catch {
      return [] // the directory's own descriptor
    }
  })
}

/** The runtime closes descriptors of its own late, so only new ones count. */
function leaked(before: readonly string[]): string[] {
  return openFiles().filter((file) => !before.includes(file))
}

function threadNamespaces(): Set<string> {
  return new Set(readdirSync("/proc/self/task").map((task) => readlinkSync(`/proc/self/task/${task}/ns/net`)))
}

test("a namespace is new, has its own interfaces, and ends with its descriptor", () => {
  using netns = Netns.create()
  expect(netns.isOwn).toBe(false)
  expect(netns.inode).toBe(statSync(`/proc/self/fd/${netns.fd}`).ino)
  const links = JSON.parse(run("nsenter", `--net=/proc/${process.pid}/fd/${netns.fd}`, "ip", "-j", "link")) as {
    ifname: string
  }[]
  expect(links.map((link) => link.ifname)).toContain("lo")
})

test("no thread and no descriptor is left behind, while the runtime is busy", async () => {
  const own = threadNamespaces()
  expect(own.size).toBe(1)
  const before = openFiles()
  for (let round = 0; round < 50; round++) {
    // Work that makes the runtime start and use threads.
    const busy = Promise.all([
      Bun.file("/etc/passwd").text(),
      Bun.gzipSync(Buffer.alloc(1000)),
      new Response("x").blob(),
    ])
    using netns = Netns.create()
    check("close", syscall("close", netns.socket(AF_INET, SOCK_STREAM)))
    netns.readSysctl("net.ipv4.ip_forward")
    await busy
  }
  Bun.gc(true)
  expect(threadNamespaces()).toEqual(own)
  expect(leaked(before)).toEqual([])
})

test("a socket belongs to the namespace it was made in", () => {
  using netns = Netns.create()
  const fd = netns.socket(AF_INET, SOCK_STREAM)
  using own = Netns.own()
  const ownFd = own.socket(AF_INET, SOCK_STREAM)
  try {
    // SIOCGSKNS opens the namespace of a socket; the kernel's word on where it is.
    const SIOCGSKNS = 0x894c
    const inodes = [fd, ownFd].map((socket) => {
      const ns = check("ioctl", syscall("ioctl", socket, SIOCGSKNS))
      const { ino } = statSync(`/proc/self/fd/${ns}`)
      syscall("close", ns)
      return ino
    })
    expect(inodes).toEqual([netns.inode, own.inode])
  } finally {
    syscall("close", fd)
    syscall("close", ownFd)
  }
})

test("the cookie is stable, and differs between namespaces", () => {
  using first = Netns.create()
  using second = Netns.create()
  using own = Netns.own()
  expect(first.cookie()).toBe(first.cookie())
  expect(new Set([first.cookie(), second.cookie(), own.cookie()]).size).toBe(3)
})

test("sysctls are those of the namespace", () => {
  using netns = Netns.create()
  const key = "net.ipv4.ping_group_range"
  const host = readFileSync("/proc/sys/net/ipv4/ping_group_range", "utf8").trim()
  netns.writeSysctl(key, "0 2147483647")
  expect(netns.readSysctl(key)).toBe("0\t2147483647")
  expect(run("nsenter", `--net=/proc/${process.pid}/fd/${netns.fd}`, "sysctl", "-n", key).trim()).toBe("0\t2147483647")
  expect(readFileSync("/proc/sys/net/ipv4/ping_group_range", "utf8").trim()).toBe(host)
  using own = Netns.own()
  expect(own.readSysctl(key)).toBe(host)
})

test("a sysctl key may use slashes, and cannot leave /proc/sys/net", () => {
  using netns = Netns.create()
  expect(netns.readSysctl("net/ipv4/conf/lo/forwarding")).toMatch(/^[01]$/)
  expect(codeOf(() => netns.readSysctl("net/../kernel/hostname"))).toBe("INTERNAL")
  expect(codeOf(() => netns.readSysctl("kernel.hostname"))).toBe("INTERNAL")
  expect(() => netns.readSysctl("net.ipv4.no_such_thing")).toThrow(SystemCallError)
})

test("what iproute2 made is opened by path", () => {
  run("ip", "netns", "add", NAME)
  using netns = Netns.open(PATH)
  expect(netns.inode).toBe(statSync(PATH).ino)
  // The descriptor goes on meaning this namespace when the name is gone.
  run("ip", "netns", "delete", NAME)
  expect(netns.cookie()).toBeGreaterThan(0n)
})

test("anything else is refused", () => {
  const directory = mkdtempSync(join(tmpdir(), "linkspan-test-"))
  const file = join(directory, "file")
  const fifo = join(directory, "fifo")
  writeFileSync(file, "")
  run("mkfifo", fifo)
  try {
    for (const path of [file, fifo, directory, join(directory, "missing"), "/proc/self/ns/mnt", "/dev/null"]) {
      expect([path, codeOf(() => Netns.open(path))]).toEqual([path, "NETNS_NOT_FOUND"])
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("the namespace of a process, but of no other with its number", async () => {
  const child = spawn("unshare", ["--net", "sleep", "60"])
  try {
    const pid = child.pid ?? 0
    // The command has replaced unshare when the name of the process changes.
    while (readFileSync(`/proc/${pid}/comm`, "utf8") !== "sleep\n") {
      await Bun.sleep(1)
    }
    const startTime = startTimeOf(pid) ?? ""
    using netns = Netns.ofPid(pid, { startTime })
    expect(netns.inode).toBe(statSync(`/proc/${pid}/ns/net`).ino)
    expect(netns.isOwn).toBe(false)
    expect(codeOf(() => Netns.ofPid(pid, { startTime: `${Number(startTime) + 1}` }))).toBe("NETNS_NOT_FOUND")
    child.kill("SIGKILL")
    await new Promise((resolve) => child.once("exit", resolve))
    expect(codeOf(() => Netns.ofPid(pid))).toBe("NETNS_NOT_FOUND")
  } finally {
    child.kill("SIGKILL")
  }
})

test("a pinned namespace is one of ip netns, once", () => {
  const before = openFiles()
  {
    using netns = Netns.create()
    pin(netns, PATH)
    expect(codeOf(() => pin(netns, PATH))).toBe("NETNS_EXISTS")
  }
  expect(leaked(before)).toEqual([])
  expect(run("ip", "netns", "list")).toContain(NAME)
  expect(run("findmnt", "-n", "-o", "FSTYPE,PROPAGATION", PATH).trim()).toMatch(/^nsfs +shared$/)
  expect(run("ip", "-n", NAME, "-j", "link")).toContain('"lo"')
  expect(unpin(PATH)).toBe(true)
  expect(unpin(PATH)).toBe(false)
  expect(run("ip", "netns", "list")).not.toContain(NAME)
})

test("a name never leads elsewhere through a symbolic link", () => {
  const target = join(tmpdir(), `linkspan-test-target-${process.pid}`)
  using netns = Netns.create()
  pin(netns, PATH)
  unpin(PATH)
  run("ln", "-s", target, PATH)
  try {
    expect(codeOf(() => pin(netns, PATH))).toBe("NETNS_EXISTS")
    expect(() => statSync(target)).toThrow()
  } finally {
    rmSync(PATH)
  }
})

test("a list of calls stops at the first system call that fails, unless it may", () => {
  expect(() =>
    onThread([
      { target: "close", args: [-1] },
      { target: "gettid", args: [] },
    ]),
  ).toThrow("close: EBADF")
  const EBADF = 9
  const [closed = 0, thread = 0] = onThread([
    { target: "close", args: [-1], mayFail: EBADF },
    { target: "gettid", args: [] },
  ])
  expect(closed).toBe(-EBADF)
  expect(thread).toBeGreaterThan(0)
  expect(thread).not.toBe(syscall("gettid"))
})
