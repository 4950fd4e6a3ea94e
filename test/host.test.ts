// Proves that the harness can fail: each test plants one leak and sees the disposal of the host name it. The peers are
// tried in a host where nothing of linkspan runs.

import { describe, expect, test } from "bun:test"
import { closeSync, existsSync, openSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { ADDRESSES, Host, HostLeak, type HostOptions } from "./host.ts"
import { type Ran, run, toolEnvironment } from "./run.ts"

describe("disposing of a host", () => {
  test("finds nothing to say about a test that left nothing", async () => {
    expect(await leaksOf(async (host) => void (await host.netns("a")))).toEqual([])
  })

  const PLANTS: readonly {
    readonly name: string
    readonly plant: (host: Host) => Promise<unknown>
    readonly want: RegExp
  }[] = [
    { name: "a link", plant: (host) => host.ip(["link", "add", "left0", "type", "bridge"]), want: /\+ links.*"left0"/ },
    {
      name: "an address",
      plant: (host) => host.ip(["address", "add", "203.0.113.7/32", "dev", "lo"]),
      want: /\+ links and addresses.*203\.0\.113\.7/,
    },
    {
      name: "a missing address",
      plant: (host) => host.ip(["address", "delete", `${ADDRESSES.host4}/24`, "dev", "uplink"]),
      want: /- links and addresses.*192\.0\.2\.1/,
    },
    {
      name: "a link that is down",
      plant: (host) => host.ip(["link", "set", "uplink", "down"]),
      want: /- links and addresses.*"uplink".*"UP"/,
    },
    {
      name: "a route in a table of its own",
      plant: (host) => host.ip(["route", "add", "203.0.113.0/24", "dev", "uplink", "table", "77"]),
      want: /\+ routes.*203\.0\.113\.0\/24/,
    },
    {
      name: "an IPv6 rule",
      plant: (host) => host.ip(["-6", "rule", "add", "fwmark", "7", "table", "77"]),
      want: /\+ routes, rules.*"0x7"/,
    },
    {
      name: "a neighbour proxy",
      plant: (host) => host.ip(["neighbour", "add", "proxy", "203.0.113.9", "dev", "uplink"]),
      want: /\+ routes, rules and neighbour proxies.*203\.0\.113\.9/,
    },
    {
      name: "a queueing discipline",
      plant: (host) => host.exec(["tc", "qdisc", "add", "dev", "uplink", "clsact"]),
      want: /\+ qdiscs.*clsact/,
    },
    {
      name: "a set element",
      plant: async (host) => {
        await host.loadNft("table inet other { set s { type ipv4_addr; }; }")
        await host.baseline()
        await host.exec(["nft", "add", "element", "inet", "other", "s", "{ 203.0.113.7 }"])
      },
      want: /\+ nft ruleset.*203\.0\.113\.7/,
    },
    {
      name: "a sysctl",
      plant: (host) => host.setSysctl("net.ipv4.ip_forward", 1),
      want: /\+ sysctls: net\/ipv4\/ip_forward:1/,
    },
    {
      name: "a sysctl of one interface",
      plant: (host) => host.setSysctl("net/ipv6/conf/uplink/proxy_ndp", 1),
      want: /\+ sysctls: net\/ipv6\/conf\/uplink\/proxy_ndp:1/,
    },
    {
      name: "a cable into a container, which the container's end would hide",
      plant: async (host) => {
        const a = await host.netns("a")
        await host.ip(["link", "add", "left0", "type", "veth", "peer", "name", "eth0", "netns", a.name])
      },
      want: /\+ links and addresses.*"left0"/,
    },
    {
      name: "a rule in a container",
      plant: async (host) => (await host.netns("a")).loadNft("table inet left { }"),
      want: /\+ nft ruleset of .*-a: table inet left/,
    },
    {
      name: "a named namespace",
      plant: (host) => run(["ip", "netns", "add", host.unique("left")]),
      want: /\+ network namespace .*-left/,
    },
    {
      name: "a process that has left its parent and its namespaces",
      plant: (host) => host.exec(["sh", "-c", "setsid --fork unshare --net --pid --fork sleep 1234 >/dev/null 2>&1"]),
      want: /\+ process \d+: sleep 1234/,
    },
  ]

  for (const { name, plant, want } of PLANTS) {
    test(`names ${name} that a test left`, async () => {
      const leaks = await leaksOf(plant)
      expect(leaks.join("\n")).toMatch(want)
    })
  }

  test("names an open file, and the namespace that it keeps alive", async () => {
    let fd = -1
    const leaks = await leaksOf(async (host) => {
      const a = await host.netns("a")
      await host.ip(["link", "add", "v0", "type", "veth", "peer", "name", "eth0", "netns", a.name])
      await host.ip(["link", "delete", "v0"])
      fd = openSync(a.path, "r")
    })
    const inode = readlinkSync(`/proc/self/fd/${fd}`)
    closeSync(fd)
    expect(leaks.some((leak) => leak.startsWith("+ namespace ids"))).toBe(true)
    expect(leaks.some((leak) => leak.includes("open file"))).toBe(true)
    expect(inode).not.toBe("")
  })

  test("names a link and a sysctl on the machine itself, and threads in a foreign namespace", async () => {
    const ran = await inPrivateMachine(`
      const { dlopen } = await import("bun:ffi")
      const { openSync } = await import("node:fs")
      const libc = dlopen("libc.so.6", { setns: { args: ["i32", "i32"], returns: "i32" } })
      const own = openSync("/proc/self/ns/net", "r")
      const host = await Host.create()
      Bun.spawnSync({ cmd: ["ip", "link", "add", "left0", "type", "bridge"] })
      Bun.spawnSync({ cmd: ["sysctl", "-qw", "net.ipv4.ip_forward=1"] })
      libc.symbols.setns(openSync(host.path, "r"), 0)
      const stray = strayThreads()
      libc.symbols.setns(own, 0)
      console.log(stray.join("\\n"))
      await host[Symbol.asyncDispose]()
    `)
    expect(ran.code).not.toBe(0)
    const output = ran.stdout + ran.stderr
    expect(output).toContain("+ links of the machine: 2 left0")
    expect(output).toContain("+ sysctls of the machine: /proc/sys/net/ipv4/ip_forward:1")
    expect(output).toMatch(/^thread \d+ \(.*\) in net:/m)
  })

  test("compares with the last baseline", async () => {
    const scene = async (host: Host): Promise<void> => {
      await host.ip(["link", "add", "theirs", "type", "bridge"])
      await host.baseline()
    }
    expect(await leaksOf(scene)).toEqual([])
    const leaks = await leaksOf(async (host) => {
      await scene(host)
      await host.ip(["link", "delete", "theirs"])
    })
    expect(leaks.join("\n")).toMatch(/- links and addresses.*"theirs"/)
  })

  test("says nothing when told not to check", async () => {
    expect(await leaksOf((host) => host.ip(["link", "add", "left0", "type", "bridge"]), { check: false })).toEqual([])
  })

  test("removes everything when the test fails", async () => {
    let name = ""
    let directory = ""
    const body = async (): Promise<void> => {
      await using host = await Host.create()
      name = host.name
      directory = host.file("")
      await host.netns("a")
      throw new Error("the test's own failure")
    }
    expect(body()).rejects.toThrow("the test's own failure")
    await body().catch(() => undefined)
    expect(readdirSync("/run/netns").filter((each) => each.startsWith(name))).toEqual([])
    expect(existsSync(directory)).toBe(false)
  })

  for (const [signal, how] of [
    ["SIGTERM", "itself"],
    ["SIGKILL", "the sweep"],
  ] as const) {
    test(`is done by ${how} when the test process gets ${signal}`, async () => {
      const child = Bun.spawn(
        bunWith(`
        const host = await Host.create()
        await host.netns("a")
        host.start(["sleep", "1234"])
        console.log(host.name)
        await new Promise(() => setInterval(() => {}, 1000))
      `),
        { stdout: "pipe", stderr: "inherit", env: toolEnvironment() },
      )
      const first = await child.stdout.getReader().read()
      const name = new TextDecoder().decode(first.value).trim()
      expect(existsSync(`/run/netns/${name}-a`)).toBe(true)
      child.kill(signal)
      await child.exited
      const swept = (await run([process.execPath, join(import.meta.dir, "sweep.ts"), String(child.pid)])).ok().stdout
      expect(swept === "").toBe(signal === "SIGTERM")
      expect(readdirSync("/run/netns").filter((each) => each.startsWith(name))).toEqual([])
    })
  }
})

describe("the peers", () => {
  for (const proto of ["tcp", "udp"] as const) {
    for (const [at, from] of [
      [ADDRESSES.internet4, ADDRESSES.host4],
      [ADDRESSES.internet6, ADDRESSES.host6],
    ] as const) {
      test(`connect() to ${at} by ${proto} is told its own address`, async () => {
        await using host = await Host.create()
        await using server = await host.outside.listen(0, proto)
        const answer = await host.connect(at, server.port, { proto })
        expect(answer).toMatchObject({ ok: true, seenAs: from, reachedAt: at })
        expect(server.clients).toEqual([from])
      })
    }
  }

  test("connect() tells a refusal from silence", async () => {
    await using host = await Host.create()
    await host.outside.loadNft("table inet t { chain c { type filter hook input priority 0; tcp dport 7 drop; }; }")
    expect(await host.connect(ADDRESSES.outside4, 9)).toMatchObject({ ok: false, error: "ECONNREFUSED" })
    expect(await host.connect(ADDRESSES.outside6, 9, { proto: "udp" })).toMatchObject({
      ok: false,
      error: "ECONNREFUSED",
    })
    const silence = await host.connect(ADDRESSES.outside4, 7, { timeoutMs: 300 })
    expect(silence).toMatchObject({ ok: false, error: "TIMEOUT" })
    expect(silence.ms).toBeGreaterThanOrEqual(300)
  })

  test("connect() has the source that it is given", async () => {
    await using host = await Host.create()
    await host.ip(["address", "add", "192.0.2.77/24", "dev", "uplink"])
    await host.baseline()
    await using server = await host.outside.listen(80)
    const answer = await host.connect(ADDRESSES.outside4, server.port, { source: "192.0.2.77", sourcePort: 4711 })
    expect(answer).toMatchObject({ ok: true, seenAs: "192.0.2.77", seenPort: 4711 })
  })

  test("talk() keeps a connection until it is cut", async () => {
    await using host = await Host.create()
    await using server = await host.outside.listen(80)
    await using conversation = await host.talk(ADDRESSES.outside4, server.port, { timeoutMs: 300 })
    expect(conversation.opened.seenAs).toBe(ADDRESSES.host4)
    expect(await conversation.say("one")).toMatchObject({ ok: true, data: "one" })
    await host.outside.loadNft("table inet t { chain c { type filter hook input priority 0; tcp dport 80 drop; }; }")
    expect(await conversation.say("two")).toMatchObject({ ok: false, error: "TIMEOUT" })
  })

  test("inject() sends what it is told and capture() sees it", async () => {
    await using host = await Host.create()
    await using capture = await host.outside.capture("eth0")
    const dstMac = (await host.outside.link("eth0"))?.address ?? ""
    const frame = { dstMac, srcMac: "02:00:00:00:00:66", src: "203.0.113.66", dst: ADDRESSES.outside4, dstPort: 53 }
    await host.inject("uplink", { ...frame, payload: "forged" })
    const seen = await capture.first((each) => each.dstPort === 53)
    expect(seen).toMatchObject({ srcMac: frame.srcMac, src: frame.src, proto: "udp", ifname: "eth0", kind: "to-us" })
    expect((await capture.frames()).length).toBeGreaterThanOrEqual(1)
  })

  test("listen() says why it cannot", async () => {
    await using host = await Host.create()
    await using _server = await host.listen(80)
    expect(host.listen(80)).rejects.toThrow("EADDRINUSE")
    await host.listen(80).catch(() => undefined)
  })
})

test("cli() runs in the host's namespace with its state and run directory", async () => {
  const script =
    "console.log(JSON.stringify({ args: process.argv.slice(1), env: process.env, netns: require('fs').readlinkSync('/proc/self/ns/net') }))"
  await using host = await Host.create({ cli: [process.execPath, "-e", script, "--"] })
  const ran = (await host.cli(["network", "ls"], { env: { EXTRA: "1" } })).ok()
  const said = ran.json<{ args: string[]; env: Record<string, string>; netns: string }>()
  expect(said.args.slice(-2)).toEqual(["network", "ls"])
  expect(said.env).toMatchObject({ LINKSPAN_STATE_DIR: host.stateDir, LINKSPAN_RUN_DIR: host.runDir, EXTRA: "1" })
  expect(said.netns).toBe((await host.exec(["readlink", "/proc/self/ns/net"])).stdout.trim())
  expect(said.netns).not.toBe(readlinkSync("/proc/self/ns/net"))
})

/** What the disposal of a host says after `plant`. */
async function leaksOf(plant: (host: Host) => Promise<unknown>, options: HostOptions = {}): Promise<readonly string[]> {
  const host = await Host.create({ patienceMs: 200, ...options })
  try {
    await plant(host)
  } catch (error) {
    await host[Symbol.asyncDispose]().catch(() => undefined)
    throw error
  }
  try {
    await host[Symbol.asyncDispose]()
  } catch (error) {
    if (error instanceof HostLeak) {
      return error.leaks
    }
    throw error
  }
  return []
}

function bunWith(code: string): string[] {
  const imports = `
    const { Host } = await import("${import.meta.dir}/host.ts")
    const { strayThreads } = await import("${import.meta.dir}/process.ts")
  `
  return [process.execPath, "-e", imports + code]
}

/** Runs `code` where the machine itself is a namespace that can be spoilt. */
function inPrivateMachine(code: string): Promise<Ran> {
  return run(["unshare", "--net", ...bunWith(code)], { timeoutMs: 60_000 })
}
