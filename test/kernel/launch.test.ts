// Containers as other tools see them: procps, nsenter, iproute2, util-linux' script, tmux, a busybox root. Needs root.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execute, type LaunchSpec, launch } from "#kernel/launch.ts"
import { Netns } from "#kernel/netns.ts"
import { PidHandle, startTimeOf } from "#kernel/process.ts"
import type { Child } from "#kernel/start.ts"
import { LinkspanError } from "#model/errors.ts"

const FIXTURE = new URL("fixtures/run-container.ts", import.meta.url).pathname
const BUN = process.execPath

let scratch: string
let rootfs: string

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "linkspan-launch-"))
  rootfs = join(scratch, "rootfs")
  for (const directory of ["bin", "etc", "home", "tmp"]) {
    mkdirSync(join(rootfs, directory), { recursive: true })
  }
  // Debian's busybox-static: one file without libraries is a whole root file system.
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"))
  for (const applet of [
    "sh",
    "cat",
    "ls",
    "id",
    "ps",
    "sleep",
    "ping",
    "hostname",
    "mount",
    "grep",
    "kill",
    "env",
    "pwd",
    "tty",
    "readlink",
    "wc",
    "stat",
    "echo",
    "mknod",
    "true",
    "chroot",
  ]) {
    symlinkSync("busybox", join(rootfs, "bin", applet))
  }
  writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n")
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nstaff:x:50:alice,bob\nother:x:60:bob\n")
  chmodSync(scratch, 0o755)
})

afterAll(() => {
  rmSync(scratch, { recursive: true })
})

let serial = 0

interface Outcome {
  readonly status: number
  readonly output: string
}

/** Runs a shell line in the background and waits for it. */
async function run(script: string, spec: Partial<LaunchSpec> = {}): Promise<Outcome> {
  using netns = Netns.create()
  return finish(start(script, spec, netns))
}

interface Started {
  readonly child: Child
  readonly logFile: string
  readonly statusFile: string
}

function start(script: string, spec: Partial<LaunchSpec>, netns: Netns | undefined): Started {
  serial++
  const logFile = join(scratch, `log-${serial}`)
  const statusFile = join(scratch, `status-${serial}`)
  const child = launch({ command: ["/bin/sh", "-c", script], hostname: "box", logFile, statusFile, ...spec }, netns)
  child.release()
  return { child, logFile, statusFile }
}

async function finish({ child, logFile, statusFile }: Started): Promise<Outcome> {
  using _ = child
  const status = await child.exited()
  expect(readFileSync(statusFile, "utf8")).toBe(`${status}\n`)
  return { status, output: readFileSync(logFile, "utf8") }
}

function refused(action: () => unknown): LinkspanError {
  try {
    action()
  } catch (error) {
    if (error instanceof LinkspanError) {
      return error
    }
    throw error
  }
  throw new Error("nothing was thrown")
}

async function until(condition: () => boolean, hint: () => string = () => ""): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) {
      throw new Error(`waited in vain${hint()}`)
    }
    await Bun.sleep(5)
  }
}

/** PID, seen from here, of the only child of init. */
function commandPid(init: number): number {
  return Number(readFileSync(`/proc/${init}/task/${init}/children`, "utf8").trim().split(" ")[0])
}

function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return []
    }
  })
}

describe("exit status", () => {
  test("is the command's", async () => {
    expect((await run("exit 0")).status).toBe(0)
    expect((await run("exit 7")).status).toBe(7)
    expect((await run("exit 255")).status).toBe(255)
  })

  test("is 128 + n for signal n", async () => {
    expect((await run("kill -TERM $$")).status).toBe(143)
    expect((await run("kill -KILL $$")).status).toBe(137)
  })

  test("is known when init itself was killed", async () => {
    const started = start("sleep 60", {}, undefined)
    started.child.process.signal(9)
    expect(await started.child.exited()).toBe(137)
    expect(readFileSync(started.statusFile, "utf8")).toBe("")
  })

  test("a program that does not exist, or cannot be executed, is refused and leaves nothing", async () => {
    const before = openFiles()
    using netns = Netns.create()
    const codeOf = (command: string[], extra: Partial<LaunchSpec> = {}) =>
      refused(() => launch({ command, hostname: "box", ...extra }, netns).release()).code
    expect(codeOf(["no-such-program"])).toBe("COMMAND_NOT_FOUND")
    expect(codeOf(["/no/such/program"])).toBe("COMMAND_NOT_FOUND")
    expect(codeOf(["/etc/passwd"])).toBe("COMMAND_NOT_EXECUTABLE")
    expect(codeOf(["/etc"])).toBe("COMMAND_NOT_EXECUTABLE")
    const noProgram = join(scratch, "no-program")
    writeFileSync(noProgram, "just text\n", { mode: 0o755 })
    expect(codeOf([noProgram])).toBe("COMMAND_NOT_EXECUTABLE")
    expect(codeOf(["true"], { workdir: "/no/such/directory" })).toBe("INVALID_REQUEST")
    expect(codeOf(["true"], { user: "no-such-user" })).toBe("INVALID_REQUEST")
    expect(codeOf(["no-such-program"], { rootfs })).toBe("COMMAND_NOT_FOUND")
    for (const path of ["missing", "no-program"]) {
      const { code, message } = refused(() =>
        launch({ command: ["true"], hostname: "box", rootfs: join(scratch, path) }, netns),
      )
      expect({ code, message }).toEqual({ code: "INVALID_REQUEST", message: expect.stringContaining(path) })
    }
    netns[Symbol.dispose]()
    Bun.gc(true)
    expect(openFiles().length).toBeLessThanOrEqual(before.length)
    expect(spawnSync("pgrep", ["-P", `${process.pid}`, "linkspan-init"], { encoding: "utf8" }).stdout).toBe("")
  })

  test("no descriptor and no zombie is left behind", async () => {
    await run("true")
    const before = openFiles()
    for (let round = 0; round < 10; round++) {
      await run("true")
    }
    Bun.gc(true)
    expect(openFiles().length).toBeLessThanOrEqual(before.length)
    expect(spawnSync("pgrep", ["-P", `${process.pid}`, "linkspan-init"], { encoding: "utf8" }).stdout).toBe("")
  })
})

describe("isolation", () => {
  test("namespaces are all new, and the network namespace is the given one", async () => {
    using netns = Netns.create()
    const started = start("sleep 60", {}, netns)
    const { pid } = started.child
    const inode = (process: string, name: string) => statSync(`/proc/${process}/ns/${name}`).ino
    for (const name of ["mnt", "uts", "ipc", "pid", "cgroup", "net"]) {
      expect([name, inode(`${pid}`, name) === inode("self", name)]).toEqual([name, false])
    }
    expect(inode(`${pid}`, "net")).toBe(netns.inode)
    started.child.process.signal(15)
    expect((await finish(started)).status).toBe(143)
  })

  test("it has its own processes, host name, network devices and sysctls", async () => {
    const { output } = await run(
      "echo $$; ls /proc | grep -c '^[0-9]'; hostname; ls /sys/class/net; cat /proc/net/dev | grep -c :; cat /proc/sys/net/ipv4/ping_group_range; cat /proc/1/comm",
    )
    expect(output).toBe("2\n4\nbox\nlo\n1\n0\t2147483647\nlinkspan-init\n")
  })

  test("the host's namespaces are out of reach", async () => {
    const name = `linkspan-test-${process.pid}`
    spawnSync("ip", ["netns", "add", name])
    try {
      const hidden = join(scratch, "state")
      mkdirSync(hidden, { recursive: true })
      writeFileSync(join(hidden, "secret"), "secret")
      const started = start(`ls -A /run; ls ${hidden}; echo end; sleep 60`, { hide: [hidden] }, undefined)
      await until(() => readFileSync(started.logFile, "utf8").includes("end"))
      expect(readFileSync(started.logFile, "utf8")).toBe("end\n")
      // Not even as a mount underneath: that would keep the namespace alive.
      const mountinfo = readFileSync(`/proc/${started.child.pid}/mountinfo`, "utf8")
      expect(mountinfo).not.toContain("nsfs")
      expect(mountinfo).not.toContain(" /run/netns")
      started.child.process.signal(15)
      await finish(started)
    } finally {
      spawnSync("ip", ["netns", "delete", name])
    }
  })

  test("nor by a second /proc or /dev somewhere on the host, or in the root directory", async () => {
    // As a chroot has them, with a shared directory of namespaces.
    const chroots = [join(scratch, "chroot"), join(rootfs, "tmp")]
    const mount = (...args: string[]) => {
      expect([args, spawnSync("mount", args).status]).toEqual([args, 0])
    }
    try {
      for (const chroot of chroots) {
        for (const name of ["proc", "dev", "netns"]) {
          mkdirSync(join(chroot, name), { recursive: true })
        }
        writeFileSync(join(chroot, "netns/one"), "")
        mount("-t", "proc", "proc", join(chroot, "proc"))
        mount("-t", "devtmpfs", "dev", join(chroot, "dev"))
        mount("--bind", "/proc/self/ns/net", join(chroot, "netns/one"))
      }
      const look = (at: string) =>
        `ls -A ${at}/proc ${at}/dev; cat ${at}/netns/one; grep -c -e nsfs -e ' ${at}/[pdn]' /proc/self/mountinfo`
      expect((await run(look(join(scratch, "chroot")))).output).toBe(
        `${scratch}/chroot/dev:\n\n${scratch}/chroot/proc:\n0\n`,
      )
      expect((await run(look("/tmp"), { rootfs })).output).toBe("/tmp/dev:\n\n/tmp/proc:\n0\n")
    } finally {
      for (const chroot of chroots) {
        spawnSync(
          "umount",
          ["proc", "dev", "netns/one"].map((name) => join(chroot, name)),
        )
        for (const name of ["proc", "dev", "netns"]) {
          rmSync(join(chroot, name), { recursive: true })
        }
      }
    }
  })

  test("nothing that the host mounts later appears in it", async () => {
    const later = join(scratch, "later")
    mkdirSync(later, { recursive: true })
    spawnSync("mount", ["--bind", later, later])
    spawnSync("mount", ["--make-shared", later])
    try {
      mkdirSync(join(later, "proc"))
      const started = start("sleep 60", {}, undefined)
      spawnSync("mount", ["-t", "proc", "proc", join(later, "proc")])
      expect(readFileSync(`/proc/${started.child.pid}/mountinfo`, "utf8")).not.toContain(join(later, "proc"))
      started.child.process.signal(15)
      await finish(started)
    } finally {
      spawnSync("umount", ["-R", later])
    }
  })

  test("the kernel's switches are read-only or masked", async () => {
    const { output } = await run(
      'for f in /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger; do echo 1 2>/dev/null > $f && echo "$f writable"; done; cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c; ls /sys/firmware; touch /sys/x 2>/dev/null || echo ro; mknod /dev/sda b 8 0 2>/dev/null || echo no-mknod; ls /dev',
    )
    const devices = [
      "fd",
      "full",
      "mqueue",
      "null",
      "ptmx",
      "pts",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "tty",
      "urandom",
      "zero",
    ]
    expect(output.trim().split("\n")).toEqual(["0", "ro", "no-mknod", ...devices])
  })

  test("the capabilities are the default set, in every set that matters", async () => {
    const started = start("sleep 60", {}, undefined)
    await until(() => commandPid(started.child.pid) > 0)
    for (const pid of [started.child.pid, commandPid(started.child.pid)]) {
      const status = readFileSync(`/proc/${pid}/status`, "utf8")
      const set = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? ""
      const names = spawnSync("capsh", [`--decode=${set("CapEff")}`], { encoding: "utf8" }).stdout
      expect(names.trim().split("=")[1]?.split(",").toSorted()).toEqual([
        "cap_audit_write",
        "cap_chown",
        "cap_dac_override",
        "cap_fowner",
        "cap_fsetid",
        "cap_kill",
        "cap_net_bind_service",
        "cap_setfcap",
        "cap_setgid",
        "cap_setpcap",
        "cap_setuid",
        "cap_sys_chroot",
      ])
      expect([set("CapPrm"), set("CapBnd"), set("CapInh"), set("CapAmb"), set("NoNewPrivs")]).toEqual([
        set("CapEff"),
        set("CapEff"),
        "0000000000000000",
        "0000000000000000",
        "1",
      ])
    }
    started.child.process.signal(15)
    await finish(started)
  })

  test("cap-add gives what was asked for, to another user too", async () => {
    const link = "ip link add v0 type veth peer name v1 2>/dev/null && echo made || echo refused"
    expect((await run(link)).output).toBe("refused\n")
    expect((await run(link, { capAdd: ["NET_ADMIN"] })).output).toBe("made\n")
    expect((await run(link, { capAdd: ["NET_ADMIN"], user: "65534" })).output).toBe("made\n")
    expect((await run("grep -E 'CapEff|CapPrm' /proc/self/status", { user: "65534" })).output).toBe(
      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n",
    )
  })

  test("init cannot be looked into from inside", async () => {
    const { output } = await run(
      "cat /proc/1/environ 2>/dev/null | wc -c; for f in /proc/1/exe /proc/1/root /proc/1/ns/net /proc/1/fd/*; do readlink $f || echo hidden; done",
    )
    expect(output).toMatch(/^0\n(hidden\n){4,}$/)
  })

  test("no descriptor of the caller is inherited", async () => {
    using netns = Netns.create()
    // Stays open across execve() unless something closes it.
    const inheritable = spawnSync(
      "sh",
      ["-c", `exec 9</etc/passwd; exec "$0" "$@"`, BUN, FIXTURE, "/dev/null", "ls", "/proc/self/fd"],
      { encoding: "utf8" },
    )
    expect(inheritable.stdout).toBe("0\n1\n2\n3\n") // 3 is ls reading the directory
    expect(netns.fd).toBeGreaterThan(2)
  })

  test("log and status are private files", async () => {
    const started = start("true", {}, undefined)
    await finish(started)
    for (const file of [started.logFile, started.statusFile]) {
      expect(statSync(file).mode & 0o777).toBe(0o600)
    }
    expect(
      refused(() => launch({ command: ["true"], hostname: "box", logFile: started.logFile }, undefined)).message,
    ).toContain("EEXIST")
  })
})

describe("root file system", () => {
  test("is the given directory, with /dev, /proc and /sys", async () => {
    const { output } = await run(
      "ls /; cat /proc/1/comm; ls /sys/class/net; echo x > /dev/null; stat -c %F /dev/zero; ls /proc/self/root/",
      { rootfs },
    )
    const names = ["bin", "dev", "etc", "home", "proc", "sys", "tmp"].join("\n")
    expect(output).toBe(`${names}\nlinkspan-init\nlo\ncharacter special file\n${names}\n`)
  })

  test("its symbolic links lead nowhere but into it", async () => {
    const evil = join(scratch, "evil")
    const outside = join(scratch, "outside")
    mkdirSync(join(evil, "bin"), { recursive: true })
    mkdirSync(outside)
    copyFileSync("/bin/busybox", join(evil, "bin/sh"))
    symlinkSync(`../../../../../../../..${outside}`, join(evil, "dev"))
    symlinkSync(outside, join(evil, "sys"))
    using netns = Netns.create()
    let thrown = false
    try {
      using child = launch(
        { command: ["/bin/sh", "-c", "true"], hostname: "box", rootfs: evil, logFile: join(scratch, "evil-log") },
        netns,
      )
      child.release()
      await child.exited()
    } catch (error) {
      thrown = error instanceof LinkspanError
    }
    expect(readdirSync(outside)).toEqual([])
    // Nothing of that name is inside, so there is nothing to mount on.
    expect(thrown).toBe(true)
  })

  test("leaves no mount on the host", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8")
    await run("true", { rootfs })
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before)
  })

  test("user, groups, home and working directory come from it", async () => {
    const who = "id -u; id -g; id -G; echo $HOME; pwd"
    expect((await run(who, { rootfs, user: "alice" })).output).toBe("1000\n1001\n1001 50\n/home/alice\n/\n")
    expect((await run(who, { rootfs, user: "alice:other", workdir: "/tmp" })).output).toBe(
      "1000\n60\n60\n/home/alice\n/tmp\n",
    )
    expect((await run(who, { rootfs, user: "1234:5678" })).output).toBe("1234\n5678\n5678\n/\n/\n")
  })

  test("ping works without NET_RAW", async () => {
    using netns = Netns.create()
    spawnSync("nsenter", [`--net=/proc/${process.pid}/fd/${netns.fd}`, "ip", "link", "set", "lo", "up"])
    expect((await finish(start("ping -c 1 -W 2 127.0.0.1", {}, netns))).output).toContain("1 received")
    expect((await finish(start("ping -c 1 -W 2 ::1", { user: "65534" }, netns))).output).toContain("1 received")
  })

  test("a bind is there, read-only when asked", async () => {
    const file = join(scratch, "hosts")
    writeFileSync(file, "10.0.0.1 web\n")
    const { output } = await run("cat /etc/hosts; echo x 2>/dev/null > /etc/hosts || echo ro", {
      rootfs,
      binds: [{ source: file, target: "/etc/hosts", readOnly: true }],
    })
    expect(output).toBe("10.0.0.1 web\nro\n")
    rmSync(join(rootfs, "etc/hosts"))
  })
})

describe("environment", () => {
  test("nothing is inherited", async () => {
    process.env["LINKSPAN_TEST_SECRET"] = "secret"
    const { output } = await run("env", { rootfs, env: { GREETING: "hello world", PATH: "/bin" } })
    expect(output.trim().split("\n").toSorted()).toEqual([
      "GREETING=hello world",
      "HOME=/root",
      "HOSTNAME=box",
      "PATH=/bin",
      "PWD=/",
      "SHLVL=1",
    ])
  })

  test("signals have their usual effect", async () => {
    const { output } = await run("", { command: ["/bin/grep", "-E", "Sig(Ign|Blk|Cgt)", "/proc/self/status"], rootfs })
    expect(output).toBe("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n")
  })
})

describe("signals", () => {
  test("to init go to the command", async () => {
    const started = start("trap 'echo usr1; exit 3' USR1; echo ready; while :; do sleep 0.05; done", {}, undefined)
    await until(() => readFileSync(started.logFile, "utf8").includes("ready"))
    started.child.process.signal(10)
    expect(await finish(started)).toEqual({ status: 3, output: "ready\nusr1\n" })
  })

  test("a command without a handler ends by SIGTERM, as it is not PID 1", async () => {
    const started = start("exec sleep 60", {}, undefined)
    started.child.process.signal(15)
    expect((await finish(started)).status).toBe(143)
  })

  test("orphans are reaped, and end with the container", async () => {
    const started = start("(sleep 0.05 &) ; (sleep 61 &) ; sleep 0.3; ls /proc | grep -c '^[0-9]'", {}, undefined)
    // init, the shell, sleep 61, ls and grep; neither the first sleep nor a zombie of it.
    const { output } = await finish(started)
    expect(output).toBe("5\n")
    expect(spawnSync("pgrep", ["-f", "^sleep 61"], { encoding: "utf8" }).stdout).toBe("")
  })
})

describe("in the foreground", () => {
  function fixture(...command: string[]): string[] {
    return [FIXTURE, "/dev/null", ...command]
  }

  test("standard streams and the exit status pass through", () => {
    const result = spawnSync(BUN, fixture("sh", "-c", "cat; echo error >&2; exit 5"), {
      input: "input\n",
      encoding: "utf8",
    })
    expect([result.status, result.stdout, result.stderr]).toEqual([5, "input\n", "error\n"])
  })

  test("signals to the caller alone reach the command, once", async () => {
    const child = spawn(
      BUN,
      fixture(
        "sh",
        "-c",
        "trap 'echo int' INT; trap 'echo term; exit 9' TERM; echo ready; while :; do sleep 0.05; done",
      ),
    )
    let output = ""
    child.stdout.on("data", (data) => {
      output += data
    })
    await until(() => output.includes("ready"))
    child.kill("SIGINT")
    await until(() => output.includes("int"))
    child.kill("SIGTERM")
    const status = await new Promise((resolve) => child.once("exit", resolve))
    expect([status, output]).toEqual([9, "ready\nint\nterm\n"])
  })

  test("the command outlives a caller that is killed", async () => {
    const pidFile = join(scratch, "pid")
    const child = spawn(BUN, [FIXTURE, pidFile, "sleep", "60"], { stdio: "ignore" })
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "")
    using init = PidHandle.open(Number(readFileSync(pidFile, "utf8")))
    child.kill("SIGKILL")
    await new Promise((resolve) => child.once("exit", resolve))
    expect(init?.hasEnded()).toBe(false)
    init?.signal(15)
    await init?.ended()
    expect(init?.hasEnded()).toBe(true)
  })

  test("it ends with the caller when asked to", async () => {
    const script = `import { launch } from "#kernel/launch.ts"
      const child = launch({ command: ["sleep", "60"], hostname: "box", endWithCaller: true }, undefined)
      child.release()
      console.log(child.pid)
      await child.exited()`
    const child = spawn(BUN, ["-e", script], { cwd: new URL("../..", import.meta.url).pathname })
    let output = ""
    child.stdout.on("data", (data) => {
      output += data
    })
    await until(() => output.includes("\n"))
    using init = PidHandle.open(Number(output))
    child.kill("SIGKILL")
    await init?.ended()
    expect(init?.hasEnded()).toBe(true)
  })
})

// A shell, Bun and the command start one after the other.
const TERMINAL_MS = 20_000

describe("on a terminal", () => {
  const session = `linkspan-${process.pid}`
  const SHELL = ["env", "PS1=outside> ", "bash", "--norc", "--noprofile"]
  const tmux = (...args: string[]) => spawnSync("tmux", ["-L", session, ...args], { encoding: "utf8" }).stdout
  const screen = () => tmux("capture-pane", "-p", "-t", "main")
  const type = (...keys: string[]) => tmux("send-keys", "-t", "main", ...keys)

  beforeAll(async () => {
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", "120", "-y", "40", ...SHELL)
    await until(() => screen().includes("outside>"))
  })

  afterAll(() => {
    tmux("kill-server")
  })

  /** Types a command into a new shell. */
  async function fresh(command: string): Promise<void> {
    tmux("respawn-pane", "-k", "-t", "main", ...SHELL)
    await until(() => screen().trim() === "outside>")
    type(`clear; ${BUN} ${FIXTURE} /dev/null ${command}`, "Enter")
  }

  test(
    "the command has the terminal, and finds its name",
    async () => {
      await fresh(`sh -c 'tty; test -t 0 && echo isatty; stty size'; echo status $?`)
      await until(() => screen().includes("status 0"))
      expect(screen()).toContain("/dev/console\nisatty\n40 120\n")
    },
    TERMINAL_MS,
  )

  test(
    "the command hears of a window of another size",
    async () => {
      await fresh(`sh -c 'trap "stty size" WINCH; echo rea''dy; while :; do read line; done'`)
      await until(() => /^ready$/m.test(screen()))
      tmux("resize-window", "-t", "main", "-x", "100", "-y", "30")
      await until(() => screen().includes("30 100"))
      tmux("resize-window", "-t", "main", "-x", "120", "-y", "40")
      await until(() => screen().includes("40 120"))
      type("C-c")
    },
    TERMINAL_MS,
  )

  test(
    "in raw mode every key is the command's, the interrupt key too",
    async () => {
      await fresh(
        `sh -c 'stty raw -echo; echo rea''dy; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane'; echo status $?`,
      )
      await until(() => screen().includes("ready"))
      type("C-c")
      type("C-z")
      await until(() => screen().includes("status 0"))
      expect(screen()).toContain(" 03 1a")
    },
    TERMINAL_MS,
  )

  test(
    "the interrupt key ends the command, and the quit key too",
    async () => {
      await fresh("sh -c 'echo rea''dy; sleep 60'; echo status $?")
      await until(() => /^ready$/m.test(screen()))
      type("C-c")
      await until(() => screen().includes("status 130"))
      await fresh("sh -c 'echo rea''dy; exec sleep 60'; echo status $?")
      await until(() => /^ready$/m.test(screen()))
      type("C-\\")
      await until(() => screen().includes("status 131"))
    },
    TERMINAL_MS,
  )

  test(
    "a command that handles the interrupt key gets it once and goes on",
    async () => {
      await fresh(`sh -c 'trap "echo caught" INT; echo rea""dy; sleep 1; sleep 0.5; echo done'; echo status $?`)
      await until(() => /^ready$/m.test(screen()))
      type("C-c")
      await until(() => screen().includes("status 0"))
      expect(screen().match(/^(\^C)?caught$/gm)?.length).toBe(1)
    },
    TERMINAL_MS,
  )

  test(
    "the suspend key stops it and gives the shell back; fg goes on",
    async () => {
      await fresh(
        `sh -c 'trap "go=1" CONT; echo rea""dy; while [ -z "$go" ]; do sleep 0.02; done; echo contin""ued; read line; echo got-$line'; echo status $?`,
      )
      await until(() => /^ready$/m.test(screen()))
      type("C-z")
      await until(
        () => screen().includes("Stopped"),
        () => `: ${screen()}`,
      )
      type("fg", "Enter")
      await until(() => /^continued$/m.test(screen()))
      type("hello", "Enter")
      await until(() => screen().includes("got-hello"))
    },
    TERMINAL_MS,
  )

  test(
    "a shell inside has job control",
    async () => {
      await fresh("env 'PS1=inside> ' bash --norc --noprofile; echo status $?")
      await until(() => screen().includes("inside>"))
      expect(screen()).not.toContain("no job control")
      type(`sh -c 'echo rea""dy; sleep 60'`, "Enter")
      await until(() => /^ready$/m.test(screen()))
      type("C-z")
      await until(
        () => screen().includes("Stopped"),
        () => `: ${screen()}`,
      )
      type("disown %1; exit 4", "Enter")
      await until(
        () => screen().includes("status 4"),
        () => `: ${screen()}`,
      )
    },
    TERMINAL_MS,
  )

  test(
    "nothing can be typed into it from inside",
    async () => {
      await fresh(`python3 -c 'import fcntl,termios; fcntl.ioctl(0, termios.TIOCSTI, b"x")'; echo status $?`)
      await until(() => screen().includes("status 1"))
      expect(screen()).toContain("Operation not permitted")
    },
    TERMINAL_MS,
  )
})

describe("execute", () => {
  test("joins all namespaces of a running container, with the same rights", async () => {
    using netns = Netns.create()
    const started = start("sleep 60", { rootfs }, netns)
    const { process: init, startTime } = started.child
    using again = PidHandle.open(init.pid, { startTime })
    if (again === undefined) {
      throw new Error("init is not there")
    }
    const namespaces = (pid: number) =>
      ["mnt", "uts", "ipc", "pid", "net", "cgroup"].map((name) => statSync(`/proc/${pid}/ns/${name}`).ino)
    using child = execute({ command: ["sleep", "60"], env: { PATH: "/bin" } }, again)
    const pid = commandPid(child.pid)
    expect(namespaces(pid)).toEqual(namespaces(init.pid))
    const capabilities = (of: number) => readFileSync(`/proc/${of}/status`, "utf8").match(/Cap\w+:.*|NoNewPrivs:.*/g)
    expect(capabilities(pid)).toEqual(capabilities(commandPid(init.pid)))
    expect(readlinkSync(`/proc/${pid}/exe`)).toBe("/bin/busybox")
    child.process.signal(15)
    expect(await child.exited()).toBe(143)
    // And when the container ends under it.
    using second = execute({ command: ["/bin/sleep", "60"] }, again)
    init.signal(9)
    expect(await second.exited()).toBe(137)
    expect(await started.child.exited()).toBe(137)
    expect(refused(() => execute({ command: ["/bin/true"] }, again)).code).not.toBe("INTERNAL")
  })

  test("user and program are looked up inside", async () => {
    const started = start("sleep 60", { rootfs }, undefined)
    const { process: init } = started.child
    expect(refused(() => execute({ command: ["bash"] }, init)).code).toBe("COMMAND_NOT_FOUND")
    expect(refused(() => execute({ command: ["true"], user: "nobody" }, init)).code).toBe("INVALID_REQUEST")
    using child = execute(
      { command: ["/bin/sh", "-c", "exit $(id -u | wc -c)"], user: "alice", env: { PATH: "/bin" } },
      init,
    )
    expect(await child.exited()).toBe(5)
    init.signal(15)
    await finish(started)
  })
})

describe("a process handle", () => {
  test("is of the very process that began then", async () => {
    const child = spawn("sleep", ["60"])
    const pid = child.pid ?? 0
    const startTime = startTimeOf(pid) ?? ""
    using handle = PidHandle.open(pid, { startTime })
    expect(handle?.exists()).toBe(true)
    expect(PidHandle.open(pid, { startTime: `${Number(startTime) - 1}` })).toBeUndefined()
    const ended = handle?.ended()
    child.kill("SIGKILL")
    await ended
    expect(handle?.hasEnded()).toBe(true)
    await until(() => !existsSync(`/proc/${pid}`))
    expect(handle?.exists()).toBe(false)
    expect(handle?.signal(15)).toBe(false)
    expect(PidHandle.open(pid)).toBeUndefined()
  })

  test("signals to the caller do not cut a wait short", async () => {
    const listener = () => undefined
    process.on("SIGUSR2", listener)
    const noise = spawn("sh", ["-c", `while kill -USR2 ${process.pid}; do :; done`])
    const child = spawn("sleep", ["60"])
    try {
      using handle = PidHandle.open(child.pid ?? 0)
      for (let round = 0; round < 20; round++) {
        expect(handle?.hasEnded(10)).toBe(false)
      }
    } finally {
      child.kill("SIGKILL")
      noise.kill("SIGKILL")
      await new Promise((resolve) => noise.once("exit", resolve))
      process.off("SIGUSR2", listener)
    }
  })

  test("waiting needs no thread", async () => {
    const children = Array.from({ length: 20 }, () => spawn("sleep", ["0.2"]))
    const threads = readdirSync("/proc/self/task").length
    const handles = children.flatMap((child) => PidHandle.open(child.pid ?? 0) ?? [])
    const waits = handles.map((handle) => handle.ended())
    expect(readdirSync("/proc/self/task").length - threads).toBeLessThan(5)
    await Promise.all(waits)
    for (const handle of handles) {
      handle[Symbol.dispose]()
    }
  })
})
