// The real packet of `linkspan explain`: rules that no model foresees are named, healthy pairs are answered, and nothing
// is left behind by one that was killed.

import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { Host } from "../host.ts"
import { type Listener, Netns } from "../netns.ts"
import { INSIDE, PUBLISHED, Scene } from "./explain-scene.ts"

const TO_B = `b:${INSIDE}`

function dropping(family: string, hook: string, match: string, comment: string): string {
  return `table ${family} office {
  chain gate {
    type filter hook ${hook} priority 5; policy accept;
    ${match} counter drop comment "${comment}"
  }
}
`
}

/** Listens with a queue of one, and fills it itself: the kernel then says nothing about the next. */
const NOBODY_ACCEPTS = `
import socket, time
server = socket.socket()
server.bind(("", 83))
server.listen(0)
clients = [socket.socket() for _ in range(4)]
for client in clients:
  client.setblocking(False)
  client.connect_ex(("127.0.0.1", 83))
print("full", flush=True)
time.sleep(600)
`

/** Receives datagrams, reads none, and fills its queue itself. */
const NOBODY_READS = `
import socket, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
server.bind(("", 82))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(16):
  client.sendto(bytes(1000), ("127.0.0.1", 82))
print("full", flush=True)
time.sleep(600)
`

test("explain() names the rule that drops, by its comment, wherever it stands", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  const cases = [
    { family: "bridge", hook: "forward", match: `tcp dport ${INSIDE}`, from: "a", to: TO_B },
    { family: "inet", hook: "forward", match: `tcp dport ${INSIDE}`, from: "c", to: `host:${PUBLISHED}` },
    { family: "inet", hook: "input", match: "tcp dport 99", from: "a", to: "host:99" },
    // The answer, not the question.
    { family: "bridge", hook: "forward", match: `tcp sport ${INSIDE}`, from: "a", to: TO_B },
  ]
  const listener = await host.listen(99)
  for (const { family, hook, match, from, to } of cases) {
    await host.loadNft(dropping(family, hook, match, "no web here"))
    for (const which of ["-4", "-6"] as const) {
      const explained = await scene.ask(which, from, to)
      expect(explained).toMatchObject({
        reachable: false,
        cause: { code: "foreign-rule" },
        probe: { drop: { family, table: "office", chain: "gate", comment: "no web here" } },
      })
      expect(explained.cause?.message).toContain("no web here")
      expect(explained.hops.at(-1)).toMatchObject({ place: `table ${family} office`, failed: true })
    }
    await host.exec(["nft", "delete", "table", family, "office"])
  }
  await listener.stop()
  await scene.clear()
})

test("explain() names a rule inside a container, there and back, translated or not", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  const cases = [
    { hook: "input", match: `tcp dport ${INSIDE} drop`, netns: scene.b, container: "b", from: "a", to: TO_B },
    { hook: "output", match: `tcp dport ${INSIDE} drop`, netns: scene.a, container: "a", from: "a", to: TO_B },
    { hook: "output", match: `tcp sport ${INSIDE} drop`, netns: scene.b, container: "b", from: "a", to: TO_B },
    {
      hook: "input",
      match: `tcp dport ${INSIDE} drop`,
      netns: scene.b,
      container: "b",
      from: "c",
      to: `host:${PUBLISHED}`,
    },
    { hook: "input", match: `tcp dport ${INSIDE} reject`, netns: scene.b, container: "b", from: "a", to: TO_B },
  ]
  for (const { hook, match, netns, container, from, to } of cases) {
    await netns.loadNft(
      `table inet office { chain gate { type filter hook ${hook} priority 5; policy accept; ${match} comment "inside"\n}\n}\n`,
    )
    for (const which of ["-4", "-6"] as const) {
      const explained = await scene.ask(which, from, to)
      expect(explained).toMatchObject({
        reachable: false,
        cause: {
          code: "foreign-rule",
          remedy: expect.stringMatching(/^nsenter --net=\S+ nft -a list chain inet office gate/),
        },
        probe: { packets: 2, drop: { container, family: "inet", table: "office", chain: "gate", comment: "inside" } },
        findings: ["by the model the packet arrives; the real one did not"],
      })
      expect(explained.probe).not.toHaveProperty("kernel")
    }
    await netns.exec(["nft", "delete", "table", "inet", "office"])
  }
  expect(await scene.explain("--no-probe", "a", TO_B)).not.toHaveProperty("probe")
  expect(await scene.explain("a", "internet:443")).not.toHaveProperty("probe")
  await scene.clear()
})

test("explain() gives the kernel's own reason where no rule drops the packet", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  const [portA, portB] = [await scene.port(scene.a), await scene.port(scene.b)]
  const full = scene.b.start(["/usr/bin/python3", "-c", NOBODY_READS])
  expect(await full.nextLine()).toBe("full")
  const said: Record<string, unknown> = {}
  const ask = async (fault: string, to: string): Promise<void> => {
    const { cause, probe, reachable } = await scene.ask("-4", "a", to)
    said[fault] = {
      code: cause?.code,
      remedy: cause?.remedy.replace(/^nsenter --net=\S+/, "inside"),
      reachable,
      ...probe?.kernel,
    }
  }
  // Classic BPF that gives back 2, TC_ACT_SHOT.
  const drop = ["protocol", "ip", "bpf", "bytecode", "1,6 0 0 2", "da"]
  for (const [netns, dev, hook] of [
    [scene.b, "eth0", "ingress"],
    [host, portB, "egress"],
  ] as const) {
    await netns.exec(["tc", "qdisc", "add", "dev", dev, "clsact"])
    await netns.exec(["tc", "filter", "add", "dev", dev, hook, ...drop])
    await ask(hook, TO_B)
    await netns.exec(["tc", "qdisc", "del", "dev", dev, "clsact"])
  }
  await host.exec(["bridge", "link", "set", "dev", portA, "learning", "off", "locked", "on"])
  const { address = "" } = (await scene.a.link("eth0")) ?? {}
  await host.exec(["bridge", "fdb", "del", address, "dev", portA, "master"])
  await ask("locked port", TO_B)
  await host.exec(["bridge", "link", "set", "dev", portA, "learning", "on", "locked", "off"])
  await ask("full queue", "b:82/udp")
  const failed = { code: "kernel-drop", reachable: false }
  expect(said).toEqual({
    ingress: {
      ...failed,
      reason: "TC_INGRESS",
      in: expect.stringContaining("receive"),
      after: portB,
      container: "b",
      ifname: "eth0",
      remedy: "inside tc filter show dev eth0 ingress",
    },
    egress: {
      ...failed,
      reason: "TC_EGRESS",
      in: expect.any(String),
      after: "eth0",
      ifname: portA,
      remedy: "tc qdisc show",
    },
    "locked port": {
      ...failed,
      reason: "NOT_SPECIFIED",
      in: expect.stringMatching(/^br_/),
      after: "eth0",
      ifname: portA,
      remedy: `bridge -d link show dev ${portA}`,
    },
    "full queue": {
      ...failed,
      reason: "SOCKET_RCVBUFF",
      in: expect.stringMatching(/udp/),
      after: portB,
      container: "b",
      ifname: "eth0",
      remedy: "inside ss -lntupm",
    },
  })
  await full.stop()
  await scene.clear()
})

test("explain() has no false alarm on 60 healthy pairs", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "net", ipv6: true })
  const names = ["p", "q", "r", "s", "t", "u"]
  const listeners: Listener[] = []
  for (const name of names) {
    await linkspan.attach({ name, netns: { kind: "new", name: host.unique(name) }, networks: [{ network: "net" }] })
    const netns = new Netns(host.unique(name))
    listeners.push(await netns.listen(INSIDE))
  }
  const wrong: unknown[] = []
  for (const from of names) {
    for (const to of names.filter((name) => name !== from)) {
      for (const family of [4, 6] as const) {
        const { reachable, findings, cause, probe } = await linkspan.explain({ from, to, port: INSIDE, family })
        if (!reachable || findings.length > 0 || probe?.outcome !== "answered") {
          wrong.push({ from, to, family, cause, findings, probe })
        }
      }
    }
  }
  expect(wrong).toEqual([])
  for (const listener of listeners) {
    await listener.stop()
  }
  for (const name of names) {
    await linkspan.detach(name)
  }
  await linkspan.networks.remove("net")
})

test("explain() leaves nothing behind when it is killed", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  const full = scene.b.start(["/usr/bin/python3", "-c", NOBODY_ACCEPTS])
  expect(await full.nextLine()).toBe("full")
  const tables = () =>
    Promise.all(
      [host, scene.a, scene.b].map(async (each) => (await each.exec(["nft", "-s", "list", "ruleset"])).stdout),
    )
  const traces = async (): Promise<string[]> => [
    ...readdirSync("/sys/kernel/tracing/instances"),
    ...(await Bun.file("/proc/mounts").text()).split("\n").filter((line) => line.includes("tracefs")),
  ]
  const before = { tables: await tables(), traces: await traces() }
  // When the second packet is on its way, followed by everything there is. On a busy machine the word of that may come
  // too late: then once more.
  await using monitor = scene.b.start(["nft", "monitor"])
  let isKilled = false
  for (let attempt = 0; attempt < 10 && !isKilled; attempt++) {
    const program = host.startCli(["explain", "a", "b:83"])
    while (!(await monitor.nextLine(30_000)).includes(`add table inet linkspan_probe_${program.pid}`)) {
      // Something else.
    }
    program.kill("SIGKILL")
    isKilled = (await program.exited) === 137
  }
  expect(isKilled).toBe(true)
  expect({ tables: await tables(), traces: await traces() }).toEqual(before)
  await full.stop()
  await scene.clear()
})
