// The resolver on sockets of a namespace that nothing else is in, asked by dig, with dnsmasq as the server outside.

import { expect, test } from "bun:test"
import { Resolver } from "../../src/dns/resolver.ts"
import { serve } from "../../src/dns/serve.ts"
import { DIRECTORY, IDS } from "../../src/dns/testing/directory.ts"
import type { Ip } from "../../src/inet/ip.ts"
import { openClient } from "../../src/kernel/client-socket.ts"
import { Netns as KernelNetns } from "../../src/kernel/netns.ts"
import { openDatagramServer, openStreamServer } from "../../src/kernel/server-socket.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { until } from "../run.ts"

const ADDRESSES = ["127.0.0.11", "::1"] as const
const OUTSIDE = "127.0.0.53" as Ip
const LONG = Array.from({ length: 100 }, (_, n) => `198.51.100.${n}`)

async function scene(container: Netns) {
  await container.exec(["ip", "link", "set", "lo", "up"])
  const records = LONG.map((each) => `--host-record=long.example.com,${each}`)
  const dnsmasq = container.start([
    ...["dnsmasq", "--no-daemon", "--no-hosts", "--no-resolv", "--log-queries", "--log-facility=-", "--user=root"],
    ...[
      "--conf-file=/dev/null",
      "--bind-interfaces",
      `--listen-address=${OUTSIDE}`,
      "--port=53",
      "--local=/example.com/",
    ],
    ...["--host-record=www.example.com,198.51.100.80,2001:db8::80", "--txt-record=txt.example.com,hello", ...records],
  ])
  const answers = async () =>
    (await container.try(["dig", `@${OUTSIDE}`, "+short", "+tries=1", "+time=1", "www.example.com"])).stdout.includes(
      "80",
    )
      ? true
      : undefined
  expect(await until(answers, 10_000)).toBe(true)
  using netns = KernelNetns.open(container.path)
  const sockets = ADDRESSES.flatMap((ip) => {
    const address = { ip: ip as Ip, port: 53 }
    const owner = { kind: "container", id: IDS.web } as const
    return [
      { transport: "udp", fd: openDatagramServer(netns, address), owner } as const,
      { transport: "tcp", fd: openStreamServer(netns, address), owner } as const,
    ]
  })
  const outside = KernelNetns.open(container.path)
  const resolver = new Resolver(
    { ...DIRECTORY, hostServers: [OUTSIDE] },
    { connect: (ip, transport) => openClient(outside, { ip, transport, port: 53 }) },
  )
  const served = await serve(sockets, resolver)
  return {
    resolver,
    async [Symbol.asyncDispose]() {
      served[Symbol.dispose]()
      outside[Symbol.dispose]()
      await dnsmasq.stop()
    },
  }
}

test("serve() answers dig over UDP and TCP, IPv4 and IPv6", async () => {
  await using host = await Host.create({ uplink: false })
  const container = await host.netns("c")
  await using served = await scene(container)
  const dig = async (...args: string[]) =>
    (await container.exec(["dig", "+short", "+tries=1", "+time=2", ...args])).stdout.trim().split("\n").sort()
  for (const at of ADDRESSES) {
    for (const how of ["+notcp", "+tcp"]) {
      const ask = (...args: string[]) => dig(`@${at}`, how, ...args)
      expect(await ask("web")).toEqual(["10.1.0.2"])
      expect(await ask("web", "AAAA")).toEqual(["fd01::2"])
      expect(await ask("service")).toEqual(["10.1.0.3", "10.1.0.4"])
      expect(await ask("-x", "10.1.0.2")).toEqual(["Web.front."])
      expect(await ask("-x", "fd01::2")).toEqual(["Web.front."])
      expect(await ask("www.example.com")).toEqual(["198.51.100.80"])
      expect(await ask("www.example.com", "AAAA")).toEqual(["2001:db8::80"])
      expect(await ask("txt.example.com", "TXT")).toEqual(['"hello"'])
      expect(await ask("long.example.com")).toEqual([...LONG].sort())
    }
  }
  const status = async (...args: string[]) =>
    /status: (\w+)/.exec((await container.exec(["dig", "@127.0.0.11", "+tries=1", "+time=2", ...args])).stdout)?.[1]
  expect(await status("none.example.com")).toBe("NXDOMAIN")
  expect(await status("api", "AAAA")).toBe("NOERROR")
  expect(await status("web", "+opcode=update")).toBe("NOTIMP")
  expect(await status("web", "+edns=1", "+noednsnegotiation")).toBe("BADVERS")
  expect(await status("version.bind", "TXT", "CH")).toBe("REFUSED")
  expect(await status("+header-only")).toBe("FORMERR")
  expect(served.resolver.stats()).toMatchObject({ counters: { failed: 0 }, active: 0 })
})

test("serve() answers many questions over one connection, and outlives askers that are gone", async () => {
  await using host = await Host.create({ uplink: false })
  const container = await host.netns("c")
  await using served = await scene(container)
  const kept = await container.exec([
    ...["dig", "@127.0.0.11", "+tcp", "+keepopen", "+short", "+tries=1", "web", "api", "www.example.com"],
  ])
  expect(kept.stdout.trim().split("\n").sort()).toEqual(["10.1.0.2", "10.1.0.3", "198.51.100.80"])
  // Sockets that are closed before the answer comes: the kernel refuses it, which must not end the process.
  const question = Buffer.from("123401000001000000000000037777770765786d616d706c6503636f6d0000010001", "hex")
  const flood = `import socket
for n in range(200):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(bytes.fromhex("${question.toString("hex")}"), ("127.0.0.11", 53))
    s.close()
    t = socket.create_connection(("127.0.0.11", 53))
    t.sendall(bytes.fromhex("0022${question.toString("hex")}"))
    t.close()`
  await container.exec(["python3", "-c", flood])
  const after = await container.exec(["dig", "@127.0.0.11", "+short", "+tries=3", "+time=2", "web"])
  expect(after.stdout.trim()).toBe("10.1.0.2")
  expect(served.resolver.stats().counters.queries).toBeGreaterThan(200)
})
