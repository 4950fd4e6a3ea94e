// Which sockets a published port would hide, seen with real sockets. Needs root.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import { findListener, type Listener, listenerOn, listListeners, tableListeners } from "#kernel/listeners.ts"
import { Netns as KernelNetns } from "#kernel/netns.ts"
import { Host } from "../host.ts"
import { toolEnvironment } from "../run.ts"

let host: Host
let netns: KernelNetns

beforeAll(async () => {
  host = await Host.create({ uplink: false })
  await host.ip(["link", "set", "lo", "up"])
  await host.baseline()
  netns = KernelNetns.open(host.path)
})

afterAll(async () => {
  netns[Symbol.dispose]()
  await host[Symbol.asyncDispose]()
})

const ip = (text: string): Ip => text as Ip

/** Runs Python in the namespace that says "ready" when its sockets are as they shall be, and keeps them until disposed. */
async function python(script: string) {
  const program = host.start(
    ["/usr/bin/python3", "-I", "-S", "-u", "-c", `import socket as s\n${script}\nprint("ready")\ninput()`],
    { env: toolEnvironment() },
  )
  expect(await program.nextLine()).toBe("ready")
  return program
}

interface Case {
  readonly name: string
  readonly bind: { readonly address?: string; readonly proto?: "tcp" | "udp" }
  /** Publications that would hide it, by address; "" for one without an address. */
  readonly hidden: readonly string[]
  readonly free: readonly string[]
}

const EVERYWHERE = ["", "0.0.0.0", "::", "127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"]

const CASES: readonly Case[] = [
  { name: "a dual-stack wildcard socket", bind: {}, hidden: EVERYWHERE, free: [] },
  {
    name: "an IPv4 wildcard socket",
    bind: { address: "0.0.0.0" },
    hidden: ["", "0.0.0.0", "127.0.0.1", "192.0.2.1"],
    free: ["::", "::1"],
  },
  {
    name: "an IPv6-only wildcard socket",
    bind: { address: "::" },
    hidden: ["", "::", "::1", "2001:db8::1"],
    free: ["0.0.0.0", "127.0.0.1"],
  },
  {
    name: "a socket at one IPv4 address",
    bind: { address: "127.0.0.1" },
    hidden: ["", "0.0.0.0", "127.0.0.1"],
    free: ["127.0.0.2", "192.0.2.1", "::", "::1"],
  },
  {
    name: "a socket at one IPv6 address",
    bind: { address: "::1" },
    hidden: ["", "::", "::1"],
    free: ["0.0.0.0", "127.0.0.1", "2001:db8::1"],
  },
]

describe("listenerOn()", () => {
  for (const proto of ["tcp", "udp"] as const) {
    for (const { name, bind, hidden, free } of CASES) {
      test(`finds ${name} (${proto}) where it would lose its clients, and only there`, async () => {
        await using listening = await host.listen(0, proto, bind)
        const listeners = listListeners(netns, proto)
        for (const address of hidden) {
          expect([
            address,
            listenerOn(listeners, address === "" ? undefined : ip(address), listening.port)?.port,
          ]).toEqual([address, listening.port])
        }
        for (const address of free) {
          expect([address, listenerOn(listeners, ip(address), listening.port)]).toEqual([address, undefined])
        }
        expect(listenerOn(listeners, undefined, listening.port + 1)).toBeUndefined()
        const other = proto === "tcp" ? "udp" : "tcp"
        expect(findListener(netns, { protocol: other, port: listening.port })).toBeUndefined()
      })
    }
  }

  test("takes an IPv4-mapped socket for the IPv4 one that it is", async () => {
    await using _ = await python(
      `a = s.socket(s.AF_INET6); a.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, 0); a.bind(("::ffff:127.0.0.1", 7001)); a.listen()`,
    )
    expect(findListener(netns, { protocol: "tcp", port: 7001, ip: ip("127.0.0.1") })).toMatchObject({
      ip: "127.0.0.1",
      port: 7001,
    })
    expect(findListener(netns, { protocol: "tcp", port: 7001, ip: ip("::1") })).toBeUndefined()
  })
})

describe("findListener()", () => {
  test("names the process", async () => {
    await using program = await python(`a = s.socket(); a.bind(("127.0.0.1", 7002)); a.listen()`)
    // nsenter execs the program, so the process id is the same.
    expect(findListener(netns, { protocol: "tcp", port: 7002 })?.process).toEqual({ pid: program.pid, name: "python3" })
  })

  test("names the process of a forked server by its first", async () => {
    await using program = await python(
      `import os, time\na = s.socket(); a.bind(("127.0.0.1", 7003)); a.listen()\nif os.fork() == 0:\n  os.close(0); os.close(1); time.sleep(60)`,
    )
    expect(findListener(netns, { protocol: "tcp", port: 7003 })?.process?.pid).toBe(program.pid)
    await host.exec(["pkill", "-P", String(program.pid)])
  })

  test("overlooks connections, TIME_WAIT, bound sockets that do not listen, and UDP clients with a peer", async () => {
    await using _ = await python(`
a = s.socket(); a.setsockopt(s.SOL_SOCKET, s.SO_REUSEADDR, 1); a.bind(("127.0.0.1", 7004)); a.listen()
established = s.socket(); established.connect(("127.0.0.1", 7004)); accepted = a.accept()[0]
leaving = s.socket(); leaving.connect(("127.0.0.1", 7004)); second = a.accept()[0]; second.close(); leaving.close()
a.close()
idle = s.socket(); idle.bind(("127.0.0.1", 7005))
client = s.socket(s.AF_INET, s.SOCK_DGRAM); client.bind(("127.0.0.1", 7006)); client.connect(("127.0.0.1", 9))`)
    const seen = (await host.exec(["ss", "-Htan", "sport", "=", ":7004"])).stdout
    expect(seen).toContain("ESTAB")
    expect(seen).toContain("TIME-WAIT")
    expect(findListener(netns, { protocol: "tcp", port: 7004 })).toBeUndefined()
    expect(findListener(netns, { protocol: "tcp", port: 7005 })).toBeUndefined()
    expect((await host.exec(["ss", "-Huan", "sport", "=", ":7006"])).stdout).toContain("127.0.0.1:7006")
    expect(findListener(netns, { protocol: "udp", port: 7006 })).toBeUndefined()
  })

  test("overlooks multicast receivers: what they get is never translated", async () => {
    await using _ = await python(`a = s.socket(s.AF_INET, s.SOCK_DGRAM); a.bind(("224.0.0.251", 5353))`)
    expect(findListener(netns, { protocol: "udp", port: 5353 })).toBeUndefined()
  })

  test("sees the sockets of that namespace only", async () => {
    await using elsewhere = await host.netns("elsewhere").then(async (other) => ({
      listening: await other.listen(7007),
      [Symbol.asyncDispose]: () => host.removeNetns(other),
    }))
    expect(elsewhere.listening.port).toBe(7007)
    expect(findListener(netns, { protocol: "tcp", port: 7007 })).toBeUndefined()
  })

  test("finds the same without sock_diag, but for what procfs does not tell", async () => {
    await using _ = await python(`
held = []
for port, address in enumerate(["0.0.0.0", "127.0.0.1", "::", "::1", "::ffff:127.0.0.2"], 7010):
  for kind in [s.SOCK_STREAM, s.SOCK_DGRAM]:
    a = s.socket(s.AF_INET6 if ":" in address else s.AF_INET, kind)
    if ":" in address: a.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, 0 if "ffff" in address else 1)
    a.bind((address, port))
    if kind == s.SOCK_STREAM: a.listen()
    held.append(a)
    if kind == s.SOCK_STREAM and address == "127.0.0.1": c = s.socket(); c.connect((address, port))`)
    for (const protocol of ["tcp", "udp"] as const) {
      const plain = (listeners: readonly Listener[]): string[] =>
        listeners.map(({ ip: address, port, process: owner }) => `${address} ${port} ${owner?.name}`).toSorted()
      const table = tableListeners(netns, protocol)
      expect(plain(table)).toEqual(plain(listListeners(netns, protocol)))
      expect(table).toHaveLength(5)
      expect(table.filter(({ dual }) => dual).map(({ ip: address }) => address as string)).toEqual(["::"])
    }
  })

  test("answers for a protocol that the kernel may not have", () => {
    expect(listListeners(netns, "sctp")).toEqual([])
  })
})

test("a thousand ports cost one dump", async () => {
  await using _ = await python(`
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
held = []
for port in range(10000, 11000):
  a = s.socket(); a.bind(("127.0.0.1", port)); a.listen(); held.append(a)`)
  const times = Array.from({ length: 5 }, () => {
    const began = performance.now()
    const listeners = listListeners(netns, "tcp")
    const found = Array.from({ length: 1000 }, (_unused, index) => listenerOn(listeners, undefined, 20_000 + index))
    const ms = performance.now() - began
    expect(listeners).toHaveLength(1000)
    expect(found.every((one) => one === undefined)).toBe(true)
    return ms
  })
  // Measured on an idle machine: 10 ms with a thousand listeners, below 1 ms with a handful.
  expect(Math.min(...times)).toBeLessThan(100)
})
