// The DHCP client by itself on an interface of a namespace, with dnsmasq at the other end of the cable.
// time limit: 240 s

import { expect, test } from "bun:test"
import { extendLease } from "../../src/engine/leases/extend.ts"
import { type Obtained, obtainLease } from "../../src/engine/leases/obtain.ts"
import type { Ip } from "../../src/inet/ip.ts"
import type { Mac } from "../../src/inet/mac.ts"
import { Netns as KernelNetns } from "../../src/kernel/netns.ts"
import type { Lease } from "../../src/model/lease.ts"
import type { Ifname } from "../../src/model/name.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { DhcpServer, type DhcpServerOptions } from "./server.ts"

const MAC = "02:00:5e:00:53:77" as Mac
const CLIENT = { mac: MAC, hostname: "web" }
const OPTIONS = [
  "--dhcp-option=option:router,192.0.2.1",
  "--dhcp-option=option:dns-server,192.0.2.53,198.51.100.53",
  "--dhcp-option=option:domain-name,lan.example",
]

/** A client's namespace and a server's, joined by a cable: eth0 at both ends. */
async function scene(host: Host) {
  const [client, server] = [await host.netns("client"), await host.netns("server")]
  await client.exec([
    "ip",
    "link",
    "add",
    "eth0",
    "address",
    MAC,
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    server.name,
  ])
  await server.exec(["ip", "address", "add", "192.0.2.1/24", "dev", "eth0"])
  await server.exec(["ip", "link", "set", "eth0", "up"])
  await client.exec(["ip", "link", "set", "eth0", "up"])
  const [{ ifindex }] = (await client.ip(["link", "show", "dev", "eth0"])) as [{ ifindex: number }]
  return {
    client,
    server,
    serve: (more: Partial<DhcpServerOptions> = {}) =>
      DhcpServer.start(server, {
        ifname: "eth0",
        leaseFile: host.file("leases"),
        range: "192.0.2.100,192.0.2.110,255.255.255.0",
        more: OPTIONS,
        ...more,
      }),
    obtain: async (timeoutMs = 20_000, wanted?: string): Promise<Obtained> => {
      using netns = KernelNetns.open(client.path)
      return obtainLease({
        netns,
        index: ifindex,
        client: CLIENT,
        timeoutMs,
        ...(wanted === undefined ? {} : { wanted: wanted as Ip }),
      })
    },
    extend: async (lease: Lease, of: "server" | "anybody", timeoutMs = 20_000) => {
      using netns = KernelNetns.open(client.path)
      return extendLease({ netns, ifname: "eth0" as Ifname, client: CLIENT, lease, of, timeoutMs })
    },
    async [Symbol.asyncDispose]() {
      await client.exec(["ip", "link", "delete", "eth0"])
    },
  }
}

function lent(obtained: Obtained): Lease {
  expect(obtained).toMatchObject({ lease: {} })
  return (obtained as { lease: Lease }).lease
}

async function hold(client: Netns, { address }: Lease): Promise<void> {
  await client.exec(["ip", "address", "add", `${address.ip}/${address.length}`, "dev", "eth0"])
}

test("obtainLease() gets what the server has for it, and extendLease() gets more time of it", async () => {
  await using host = await Host.create({ uplink: false })
  await using net = await scene(host)
  await using server = await net.serve()
  const lease = lent(await net.obtain(20_000, "192.0.2.105"))
  expect(structuredClone(lease)).toMatchObject({
    address: { ip: "192.0.2.105", length: 24 },
    server: "192.0.2.1",
    serverMac: expect.stringMatching(/^[0-9a-f:]{17}$/),
    gateway: "192.0.2.1",
    routes: [],
    dnsServers: ["192.0.2.53", "198.51.100.53"],
    domain: "lan.example",
    times: { seconds: 120, renewSeconds: expect.any(Number), rebindSeconds: 105 },
  })
  expect(await server.says(/DHCPACK/)).toContain(`${lease.address.ip} ${MAC} web`)
  // The server knows it by now, and gives it the same again.
  const held = lent(await net.obtain())
  expect(held.address).toEqual(lease.address)
  await hold(net.client, held)
  for (const of of ["server", "anybody"] as const) {
    const more = await net.extend(held, of)
    expect(more).toMatchObject({
      lease: structuredClone({ address: held.address, server: held.server, serverMac: held.serverMac }),
    })
    expect(Date.parse((more as { lease: Lease }).lease.obtainedAt)).toBeGreaterThan(Date.parse(held.obtainedAt))
  }
}, 60_000)

test("obtainLease() says within its time that nobody answered, and hears a server that begins meanwhile", async () => {
  await using host = await Host.create({ uplink: false })
  await using net = await scene(host)
  const begun = performance.now()
  expect(await net.obtain(1500)).toEqual({ reason: "no DHCP server answered within 1.5 s" })
  expect(performance.now() - begun).toBeLessThan(8000)
  const obtaining = net.obtain(30_000)
  await using _server = await net.serve()
  lent(await obtaining)
}, 60_000)

test("a server that knows nothing of a lease refuses it, and one that says no to a request is quoted", async () => {
  await using host = await Host.create({ uplink: false })
  await using net = await scene(host)
  let lease: Lease
  {
    await using _server = await net.serve()
    lease = lent(await net.obtain())
  }
  await hold(net.client, lease)
  // Another subnet altogether, as when a network was renumbered.
  await net.server.exec(["ip", "address", "flush", "dev", "eth0"])
  await net.server.exec(["ip", "address", "add", "198.51.100.1/24", "dev", "eth0"])
  await using _other = await net.serve({
    range: "198.51.100.100,198.51.100.110,255.255.255.0",
    leaseFile: host.file("new"),
  })
  expect(await net.extend(lease, "anybody")).toMatchObject({ refused: expect.stringContaining("refused") })
  // Nobody is at the old server's address.
  expect(await net.extend(lease, "server", 1000)).toBeUndefined()
}, 60_000)

test("obtainLease() takes the routes of a server that sends some, and not its router", async () => {
  await using host = await Host.create({ uplink: false })
  await using net = await scene(host)
  await using _server = await net.serve({
    more: [
      ...OPTIONS,
      "--dhcp-option=option:classless-static-route,10.9.0.0/16,192.0.2.9,0.0.0.0/0,192.0.2.8,10.8.0.0/16,0.0.0.0",
    ],
    leaseSeconds: 600,
  })
  expect(lent(await net.obtain())).toMatchObject({
    gateway: "192.0.2.8",
    routes: [{ destination: "10.9.0.0/16", via: "192.0.2.9" }, { destination: "10.8.0.0/16" }],
    times: { seconds: 600 },
  } as never)
}, 60_000)
