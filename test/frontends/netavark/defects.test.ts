// time limit: 600 s
// What netavark is known to do wrong (measured with 1.4.0, 1.17.2 and 2.0.0, or read in their source), done right.

import { expect, test } from "bun:test"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { Bundle } from "../../bundle.ts"
import { ADDRESSES, Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { random } from "../../random.ts"
import type { Ran } from "../../run.ts"
import { type CallOptions, MAIN, netavark } from "./call.ts"
import { answerOf } from "./in-process.ts"
import { options, PORT } from "./request.ts"

const PORTS = [PORT, { ...PORT, host_port: 9000, container_port: 9000, protocol: "udp" }]

interface Scene extends AsyncDisposable {
  readonly host: Host
  call(verb: "setup" | "teardown", netns: Netns, input: object, rest?: CallOptions): Promise<Ran>
  /** The file in which netavark writes down the names of network n1. */
  readonly names: string
}

async function scene(uplink = false): Promise<Scene> {
  const bundle = await Bundle.of(MAIN)
  const host = await Host.create({ uplink })
  mkdirSync(host.file("networks"))
  return {
    host,
    call: (verb, netns, input, rest = {}) =>
      netavark(host, [verb, netns.path], { input, program: bundle.path, ...rest }),
    names: `${host.file("networks")}/aardvark-dns/n1`,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]()
      bundle[Symbol.dispose]()
    },
  }
}

async function ruleCount(host: Host): Promise<number> {
  return (await host.nft()).filter((object) => "rule" in object).length
}

test("a setup that fails halfway leaves neither bridge nor rule nor setting", async () => {
  await using at = await scene()
  const { host, call } = at
  const a = await host.netns("a")
  await a.exec(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other"])
  const input = options({ ports: PORTS })
  const ran = await call("setup", a, input)
  expect(ran.json<{ error: string }>().error).toBe(
    "create veth pair: interface eth0 already exists on container namespace: Netlink error: File exists (os error 17)",
  )
  expect(await host.changes()).toEqual([])
  await a.exec(["ip", "link", "del", "eth0"])
  const unreachable = options({ network: { routes: [{ destination: "10.99.0.0/24", gateway: "192.0.2.77" }] } })
  expect((await call("setup", a, unreachable)).code).toBe(1)
  expect(await host.changes()).toEqual([])
}, 60_000)

test("an UDP client that never stops reaches the container that comes after the one it knew", async () => {
  await using at = await scene(true)
  const { host, call } = at
  const [first, second] = [await host.netns("first"), await host.netns("second")]
  const before = options({ number: 1, ports: PORTS })
  const after = options({ number: 7, ports: PORTS })
  ;(await call("setup", first, before)).ok()
  await using _old = await first.listen(9000, "udp")
  await using talk = await host.outside.talk(ADDRESSES.host4, 9000, { proto: "udp" })
  expect(await talk.say("one")).toMatchObject({ ok: true })
  ;(await call("teardown", first, before)).ok()
  ;(await call("setup", second, after)).ok()
  await using _new = await second.listen(9000, "udp")
  // From the same socket, and so the same flow to whoever remembers it.
  expect(await talk.say("two")).toMatchObject({ ok: true })
  ;(await call("teardown", second, after)).ok()
}, 60_000)

test("a port of a container that vanished without a teardown leads to whoever publishes it next", async () => {
  await using at = await scene(true)
  const { host, call } = at
  const first = await host.netns("first")
  ;(await call("setup", first, options({ number: 1, ports: PORTS }))).ok()
  await host.removeNetns(first)
  const second = await host.netns("second")
  const input = options({ number: 2, ports: PORTS })
  ;(await call("setup", second, input)).ok()
  await using _server = await second.listen(80)
  expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
  expect(await host.connect("127.0.0.1", 8080)).toMatchObject({ ok: true })
  ;(await call("teardown", second, input)).ok()
}, 60_000)

test("a published port answers at ::1, and a thousand ports are no rule more", async () => {
  await using at = await scene()
  const { host, call } = at
  const a = await host.netns("a")
  const dual = {
    network: {
      ipv6_enabled: true,
      subnets: [
        { subnet: "10.89.0.0/24", gateway: "10.89.0.1" },
        { subnet: "fd89::/64", gateway: "fd89::1" },
      ],
    },
    attachment: { static_ips: ["10.89.0.2", "fd89::2"] },
  }
  const one = options({ ...dual, ports: [PORT] })
  ;(await call("setup", a, one)).ok()
  const few = await ruleCount(host)
  await using _server = await a.listen(80)
  expect(await host.connect("::1", 8080)).toMatchObject({ ok: true })
  ;(await call("teardown", a, one)).ok()
  const many = options({ ...dual, ports: [PORT, { ...PORT, host_port: 10_000, container_port: 10_000, range: 1000 }] })
  ;(await call("setup", a, many)).ok()
  expect(await ruleCount(host)).toBe(few)
  await using _last = await a.listen(10_999)
  expect(await host.connect("127.0.0.1", 10_999)).toMatchObject({ ok: true })
  ;(await call("teardown", a, many)).ok()
  expect(await host.changes()).toEqual([])
}, 60_000)

test("the file with names is replaced rather than rewritten, and only a container's own line goes", async () => {
  await using at = await scene()
  const { host, call, names } = at
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const first = options({ number: 1 })
  const id = (first as { container_id: string }).container_id
  // Its neighbour is called what it is identified by.
  const second = options({ number: 2, attachment: { aliases: [id.slice(0, 12), `x${id}`] } })
  ;(await call("setup", a, first, { aardvark: "/bin/true" })).ok()
  const inode = statSync(names).ino
  ;(await call("setup", b, second, { aardvark: "/bin/true" })).ok()
  expect(statSync(names).ino).not.toBe(inode)
  ;(await call("teardown", a, first, { aardvark: "/bin/true" })).ok()
  expect(readFileSync(names, "utf8").split("\n").slice(1)).toEqual([
    `${(second as { container_id: string }).container_id} 10.89.0.3  c2,${id.slice(0, 12)},x${id}`,
    "",
  ])
  ;(await call("teardown", b, second, { aardvark: "/bin/true" })).ok()
}, 60_000)

/** Says who it is, and then each time that it is told to read again. */
const SIGNALLED = `
import os, signal
signal.signal(signal.SIGHUP, lambda *_: print("told", flush=True))
print(os.getpid(), flush=True)
while True:
    signal.pause()
`

test("update reaches internal networks too, and tells aardvark-dns also when nothing is left", async () => {
  await using at = await scene()
  const { host, call, names } = at
  const a = await host.netns("a")
  const input = options({ network: { internal: true } })
  ;(await call("setup", a, input, { aardvark: "/bin/true" })).ok()
  const resolver = host.start(["python3", "-c", SIGNALLED])
  writeFileSync(`${host.file("networks")}/aardvark-dns/aardvark.pid`, await resolver.nextLine())
  for (const [servers, header] of [
    ["192.0.2.53", "10.89.0.1 192.0.2.53\n"],
    ["", "10.89.0.1\n"],
  ] as const) {
    ;(await netavark(host, ["update", "n1", "--network-dns-servers", servers])).ok()
    expect(await resolver.nextLine()).toBe("told")
    expect(readFileSync(`${names}%int`, "utf8")).toStartWith(header)
  }
  await resolver.stop()
  ;(await call("teardown", a, input)).ok()
}, 60_000)

test("killed at any moment, a setup leaves nothing that a teardown does not find", async () => {
  await using at = await scene()
  const { host, call } = at
  const a = await host.netns("a")
  const input = options({ ports: PORTS })
  const choose = random(1223)
  // How long a whole one takes here and now.
  const began = performance.now()
  ;(await call("setup", a, input, { aardvark: "/bin/true" })).ok()
  const whole = performance.now() - began
  ;(await call("teardown", a, input, { aardvark: "/bin/true" })).ok()
  for (let round = 0; round < 12; round++) {
    await call("setup", a, input, { aardvark: "/bin/true", killAfterMs: whole * (0.3 + choose(800) / 1000) })
    ;(await call("teardown", a, input, { aardvark: "/bin/true" })).ok()
    expect(await host.changes()).toEqual([])
  }
}, 180_000)

test("a network that is left while somebody joins it stays for him, and goes with the last", async () => {
  await using at = await scene()
  const { host, call } = at
  const containers = await Promise.all([1, 2, 3].map((n) => host.netns(`c${n}`)))
  const inputs = [1, 2, 3].map((number) => options({ number }))
  const one = (verb: "setup" | "teardown", n: number): Promise<Ran> =>
    call(verb, containers[n] as Netns, inputs[n] as object)
  ;(await one("setup", 0)).ok()
  for (let round = 0; round < 6; round++) {
    const [joins, leaves, again] = [(round + 1) % 3, round % 3, (round + 2) % 3]
    const ran = await Promise.all([one("setup", joins), one("teardown", leaves), one("teardown", again)])
    expect(ran.map(({ code, stdout }) => [code, stdout.includes("error")])).toEqual(new Array(3).fill([0, false]))
    expect(await host.ip(["link", "show", "master", "podman1"])).toHaveLength(1)
  }
  await Promise.all([0, 1, 2].map((n) => one("teardown", n)))
  expect((await host.cli(["network", "ls", "-o", "json"])).json<unknown>()).toEqual([])
  expect(await host.changes()).toEqual([])
}, 120_000)

test("two hundred containers are as many rules as one, and nothing is left of them", async () => {
  await using host = await Host.create({ uplink: false })
  mkdirSync(host.file("networks"))
  const COUNT = 200
  const containers: Netns[] = []
  for (let n = 0; n < COUNT; n++) {
    containers.push(await host.netns(`c${n}`))
  }
  const all = async (verb: "setup" | "teardown", from = 0, to = COUNT): Promise<void> => {
    for (const [n, { path }] of containers.slice(from, to).entries()) {
      expect(await answerOf(host, [verb, path], JSON.stringify(ofMany(from + n)))).toMatchObject({ code: 0 })
    }
  }
  await all("setup", 0, 1)
  const few = await ruleCount(host)
  await all("setup", 1)
  expect(await ruleCount(host)).toBe(few)
  expect(await host.ip(["link", "show", "master", "podman1"])).toHaveLength(COUNT)
  for (const n of [0, 99, COUNT - 1]) {
    await using _server = await (containers[n] as Netns).listen(80)
    expect(await host.connect("127.0.0.1", 8000 + n)).toMatchObject({ ok: true })
  }
  await all("teardown")
  expect(await host.changes()).toEqual([])
}, 200_000)

function ofMany(n: number): object {
  return options({
    number: n + 1,
    network: { subnets: [{ subnet: "10.89.0.0/16", gateway: "10.89.255.254" }] },
    attachment: { static_ips: [`10.89.${n >> 7}.${(n & 127) + 1}`] },
    ports: [{ ...PORT, host_port: 8000 + n }],
  })
}
