// The netlink socket itself: answers and refusals in order, dumps that change while they are read, answers that do not
// come, impostors, and what a trace looks like. Needs root.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync, writeFileSync } from "node:fs"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { getLink, listAddresses, listLinks } from "#kernel/links.ts"
import { KernelError, NETLINK_ROUTE, NetlinkSocket } from "#kernel/netlink.ts"
import { Netns as KernelNetns } from "#kernel/netns.ts"
import { addAddress, addLink, delAddress, delLink, setLink } from "#kernel/rtnetlink.ts"
import type { Ifname } from "#model/name.ts"
import { RTM_GETLINK } from "#wire/rtnl/link.ts"
import { attr, attributeSet, u64 } from "#wire/schema.ts"
import { Host } from "../host.ts"

let host: Host
let netns: KernelNetns

beforeAll(async () => {
  host = await Host.create({ uplink: false })
  netns = KernelNetns.open(host.path)
})

afterAll(async () => {
  netns[Symbol.dispose]()
  await host[Symbol.asyncDispose]()
})

const name = (text: string): Ifname => text as Ifname
const bridge = (ifname: string) =>
  addLink({ kind: "bridge", ifname: name(ifname), mac: "02:00:00:00:00:01" as Mac }, {})

function open(options: { readonly trace?: (line: string) => void; readonly timeoutMs?: number } = {}): NetlinkSocket {
  return new NetlinkSocket(netns, NETLINK_ROUTE, { label: "host", ...options })
}

/** Makes links for a test and takes them away again. */
async function withLinks(count: number, act: (socket: NetlinkSocket) => Promise<void> | void): Promise<void> {
  using socket = open()
  const names = Array.from({ length: count }, (_, index) => `b${index}`)
  expect(socket.execute(names.map(bridge)).filter(({ errno }) => errno !== 0)).toEqual([])
  try {
    await act(socket)
  } finally {
    socket.execute(names.map((each) => delLink(name(each))))
  }
}

describe("execute()", () => {
  test("gives each of 120 requests its own verdict, in order", async () => {
    using socket = open()
    const requests = Array.from({ length: 60 }, (_, index) => [bridge(`b${index}`), bridge(`b${index}`)]).flat()
    try {
      const verdicts = socket.execute(requests)
      expect(verdicts.map(({ errno }) => errno)).toEqual(requests.map((_, index) => (index % 2 === 0 ? 0 : 17)))
      expect((await host.ip(["link", "show", "type", "bridge"])).length).toBe(60)
    } finally {
      socket.execute(Array.from({ length: 60 }, (_, index) => delLink(name(`b${index}`))))
    }
  })

  test("has the kernel's words for a refusal", () => {
    using socket = open()
    const [verdict] = socket.execute([addAddress(4711, { ip: "192.0.2.1" as Ip, length: 24 })])
    expect(verdict).toEqual({ errno: 19, extAck: { message: "ipv4: Device not found" } })
    expect(() => socket.perform(addAddress(4711, { ip: "192.0.2.1" as Ip, length: 24 }))).toThrow(
      "RTM_NEWADDR: no such device (ENODEV): ipv4: Device not found",
    )
  })

  test("of nothing sends nothing", () => {
    const lines: string[] = []
    using socket = open({ trace: (line) => lines.push(line) })
    expect(socket.execute([])).toEqual([])
    expect(lines).toEqual([])
  })
})

describe("get()", () => {
  test("finds one object, or none", () => {
    using socket = open()
    expect(getLink(socket, "lo")).toMatchObject({ ifname: "lo", index: 1 })
    expect(getLink(socket, "none")).toBeUndefined()
  })

  test("refuses what is no answer to expect", () => {
    using socket = open()
    expect(() => socket.get(RTM_GETLINK, {}, {}, [19])).toThrow(KernelError)
  })
})

describe("dump()", () => {
  test("lists as `ip` does", async () => {
    await withLinks(60, async (socket) => {
      const ours = listLinks(socket).map(({ index, ifname, mtu, mac }) => ({ index, ifname, mtu, mac: String(mac) }))
      const theirs = (await host.ip(["link", "show"])).map(({ ifindex, ifname, mtu, address }) => ({
        index: ifindex,
        ifname,
        mtu,
        mac: address,
      }))
      expect(ours as object[]).toEqual(theirs)
      expect(ours).toHaveLength(61)
    })
  })

  test("that changes while it is read is read again", async () => {
    await withLinks(1, async (quiet) => {
      const index = getLink(quiet, "b0")?.index ?? 0
      const steady = Array.from({ length: 1000 }, (_, each) => ({
        ip: `10.${each >> 8}.${each & 255}.1` as Ip,
        length: 32,
      }))
      expect(quiet.execute(steady.map((each) => addAddress(index, each))).every(({ errno }) => errno === 0)).toBe(true)
      let again = 0
      using socket = open({
        trace: (line) => {
          again += line.includes("changed while it was read") ? 1 : 0
        },
      })
      // Somebody adds and deletes one address for as long as it takes.
      const batch = host.file("churn")
      writeFileSync(batch, "address add 192.0.2.9/32 dev b0\naddress delete 192.0.2.9/32 dev b0\n".repeat(20_000))
      await using _ = host.start(["ip", "-batch", batch])
      const deadline = performance.now() + 20_000
      let dumps = 0
      while (again < 3 && performance.now() < deadline) {
        // Of all links: of one alone the kernel does not say whether it changed (inet_dump_ifaddr()).
        const listed = listAddresses(socket).filter((each) => each.index === index && each.ip !== "192.0.2.9")
        dumps++
        expect(listed).toHaveLength(steady.length)
        await Bun.sleep(0)
      }
      expect(again).toBeGreaterThanOrEqual(3)
      expect(dumps).toBeGreaterThan(0)
    })
  })

  test("that cannot be decoded leaves the socket as good as before", async () => {
    const Wrong = { ...RTM_GETLINK, attrs: attributeSet("wrong", { mtu: attr(4, u64) }) }
    await withLinks(60, (socket) => {
      expect(() => socket.dump(Wrong, {}, {})).toThrow(
        /^Cannot read what the kernel sent: RTM_NEWLINK\.mtu: u64 needs 8 bytes, got 4 \(offset \d+\)$/,
      )
      expect(listLinks(socket)).toHaveLength(61)
      expect(getLink(socket, "b7")?.ifname).toBe(name("b7"))
    })
  })

  test("does not look at what is not wanted", () => {
    const Wrong = { ...RTM_GETLINK, attrs: attributeSet("wrong", { mtu: attr(4, u64) }) }
    using socket = open()
    expect(socket.dump(Wrong, {}, {}, ({ index }) => index !== 1)).toEqual([])
  })

  test("that is refused says why", () => {
    using socket = open()
    // A dump of links takes no name (rtnl_valid_dump_ifinfo_req()).
    expect(() => socket.dump(RTM_GETLINK, { index: 1 }, {})).toThrow(
      /^RTM_GETLINK dump: invalid argument \(EINVAL\): \w/,
    )
    expect(listLinks(socket)).toHaveLength(1)
  })
})

describe("an answer that does not come", () => {
  /** The kernel passes over types below NLMSG_MIN_TYPE that ask for no acknowledgement. */
  const NOOP = { ...RTM_GETLINK, name: "NLMSG_NOOP", type: 1 }

  test("is given up", () => {
    using socket = open({ timeoutMs: 60 })
    const began = performance.now()
    expect(() => socket.get(NOOP, {}, {}, [])).toThrow(/receive from netlink: .* \(EAGAIN\): no answer came/)
    expect(performance.now() - began).toBeGreaterThan(50)
    expect(getLink(socket, "lo")).toBeDefined()
  })

  test("is not taken from anybody but the kernel", async () => {
    using socket = open({ timeoutMs: 60 })
    const others = new Set((await sockets()).map(({ port }) => port))
    using ours = open({ timeoutMs: 60 })
    const port = (await sockets()).find((each) => !others.has(each.port))?.port
    expect(port).toBeDefined()
    // One that is open to everybody, for comparison.
    const script = `
import socket, struct
sender = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
def send(port):
  try:
    return sender.sendto(struct.pack("=IHHIIi", 20, 2, 0, 1, 0, 0), (port, 0))
  except ConnectionRefusedError:
    return "refused"
naive = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
naive.bind((0, 0))
print(send(${port}), send(naive.getsockname()[0]))`
    expect((await host.exec(["/usr/bin/python3", "-I", "-S", "-c", script])).stdout.trim()).toBe("refused 20")
    expect(() => ours.get(NOOP, {}, {}, [])).toThrow("no answer came")
    expect(getLink(socket, "lo")).toBeDefined()
  }, 30_000)

  async function sockets(): Promise<{ readonly protocol: number; readonly port: number }[]> {
    const [, ...rows] = (await host.exec(["cat", "/proc/net/netlink"])).stdout.trim().split("\n")
    return rows
      .map((row) => row.trim().split(/\s+/))
      .map(([, protocol, port]) => ({ protocol: Number(protocol), port: Number(port) }))
      .filter(({ protocol, port }) => protocol === 0 && port !== 0)
  }
})

describe("the descriptor", () => {
  const files = (): number => readdirSync("/proc/self/fd").length

  test("is closed with the socket, whatever happened", () => {
    open()[Symbol.dispose]()
    const before = files()
    for (let round = 0; round < 200; round++) {
      using socket = open()
      socket.execute([bridge("lo")])
      expect(() => socket.dump(RTM_GETLINK, { index: 1 }, {})).toThrow()
    }
    expect(files()).toBe(before)
  })

  test("is not used after that: its number may be another file's", () => {
    const socket = open()
    socket[Symbol.dispose]()
    socket[Symbol.dispose]()
    expect(() => socket.execute([bridge("b0")])).toThrow("The netlink socket is closed")
  })
})

test("a trace reads like what an expert would say", async () => {
  const lines: string[] = []
  using socket = open({ trace: (line) => lines.push(line) })
  await withLinks(1, () => {
    const index = getLink(socket, "b0")?.index ?? 0
    lines.length = 0
    socket.execute([
      ...setLink(name("b0"), { up: true, mtu: 1400, linkLocal: false }, {}),
      addAddress(index, { ip: "192.0.2.1" as Ip, length: 24 }),
      addAddress(index, { ip: "2001:db8::1" as Ip, length: 64 }),
      delAddress(index, { ip: "192.0.2.7" as Ip, length: 24 }),
      bridge("b0"),
    ])
    listAddresses(socket, index)
    expect(
      lines.map((line) => line.replaceAll(`index=${index}`, "index=N").replaceAll(/#\d+=\S+( bytes\))?/g, "#")),
    ).toEqual([
      "host → 2 RTM_SETLINK request|ack ifname=b0 afSpec{inet6{addrGenMode=none}}",
      "host → 3 RTM_SETLINK request|ack flags=up change=up ifname=b0 mtu=1400",
      "host → 4 RTM_NEWADDR request|ack|excl|create family=inet prefixLength=24 index=N address=192.0.2.1 local=192.0.2.1 broadcast=192.0.2.255",
      "host → 5 RTM_NEWADDR request|ack|excl|create family=inet6 prefixLength=64 index=N address=2001:db8::1 local=2001:db8::1 flags=nodad",
      "host → 6 RTM_DELADDR request|ack family=inet prefixLength=24 index=N address=192.0.2.7 local=192.0.2.7",
      "host → 7 RTM_NEWLINK request|ack|excl|create address=02:00:00:00:00:01 ifname=b0 linkInfo{kind=bridge data{multicastSnooping=0}} group=1819175795",
      "host ← 2 RTM_SETLINK: ok",
      "host ← 3 RTM_SETLINK: ok",
      "host ← 4 RTM_NEWADDR: ok",
      "host ← 5 RTM_NEWADDR: ok",
      'host ← 6 RTM_DELADDR: EADDRNOTAVAIL "ipv4: Address not found"',
      "host ← 7 RTM_NEWLINK: EEXIST",
      "host → 8 RTM_GETADDR request|dump index=N",
      "host ← 8 RTM_GETADDR dump: ok",
      "host ← 8 RTM_NEWADDR family=inet prefixLength=24 flags=permanent index=N address=192.0.2.1 local=192.0.2.1 label=b0 broadcast=192.0.2.255 flags=permanent #",
      "host ← 8 RTM_NEWADDR family=inet6 prefixLength=64 flags=nodad|permanent index=N address=2001:db8::1 flags=nodad|permanent #",
    ])
  })
})
