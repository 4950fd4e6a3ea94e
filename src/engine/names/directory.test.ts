import { describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { NetworkDns } from "#model/dns.ts"
import type { Ifname } from "#model/name.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import { directoryOf } from "./directory.ts"

const ip = (text: string) => text as Ip

function network(name: string, dns?: NetworkDns): BridgeNetwork {
  return {
    id: name,
    name,
    createdAt: "",
    labels: {},
    subnets: [{ prefix: `10.0.${name.length}.0/24` as Prefix, reserved: [] }],
    internal: name === "inner",
    defaultRoute: true,
    containerIfname: "eth",
    driver: "bridge",
    bridge: `br-${name}` as Ifname,
    adopted: false,
    gatewayMode: "nat",
    icc: true,
    ...(dns === undefined ? {} : { dns }),
  }
}

function sandbox(name: string, more: Partial<Sandbox> = {}): Sandbox {
  return { id: `id-${name}`, name, hostname: `${name}-host`, createdAt: "", labels: {}, mode: "private", ...more }
}

function endpoint(container: string, net: string, address: string, aliases: readonly string[] = []): Endpoint {
  return {
    id: `${container}@${net}`,
    sandbox: `id-${container}`,
    network: net,
    ifname: "eth0" as Ifname,
    mac: "02:00:00:00:00:01" as Mac,
    addresses: [{ ip: ip(address), length: 24 }],
    gateways: [],
    gatewayPriority: 0,
    aliases,
    publications: [],
  }
}

describe("directoryOf()", () => {
  test("gives members, aliases and what was said of names", () => {
    const dns: NetworkDns = {
      enabled: true,
      servers: [ip("192.0.2.53")],
      records: [{ name: "*.apps", addresses: [ip("10.0.3.9")] }],
    }
    const own = {
      servers: [ip("192.0.2.54")],
      search: ["example.org"],
      options: ["ndots:2"],
      records: [{ name: "printer", addresses: [ip("192.0.2.99")] }],
      links: [{ alias: "db", containerId: "id-b" }],
    }
    expect(
      directoryOf(
        {
          networks: [network("web", dns), network("inner")],
          sandboxes: [sandbox("a", { dns: own }), sandbox("b")],
          endpoints: [endpoint("a", "web", "10.0.3.2", ["api"]), endpoint("b", "inner", "10.0.5.2")],
        },
        [ip("127.0.0.53")],
      ),
    ).toEqual({
      networks: [
        {
          id: "web",
          name: "web",
          subnets: ["10.0.3.0/24" as Prefix],
          internal: false,
          servers: dns.servers,
          records: dns.records,
          endpoints: [{ containerId: "id-a", addresses: [ip("10.0.3.2")], aliases: ["api"] }],
        },
        {
          id: "inner",
          name: "inner",
          subnets: ["10.0.5.0/24" as Prefix],
          internal: true,
          servers: [],
          records: [],
          endpoints: [{ containerId: "id-b", addresses: [ip("10.0.5.2")], aliases: [] }],
        },
      ],
      containers: [
        {
          id: "id-a",
          name: "a",
          hostname: "a-host",
          servers: own.servers,
          search: own.search,
          records: own.records,
          links: own.links,
        },
        { id: "id-b", name: "b", hostname: "b-host", servers: [], search: [], records: [], links: [] },
      ],
      hostServers: [ip("127.0.0.53")],
    })
  })

  test("leaves out networks without names, and who is on no other", () => {
    const { networks, containers } = directoryOf(
      {
        networks: [network("web"), network("quiet", { enabled: false, servers: [], records: [] })],
        sandboxes: [sandbox("a"), sandbox("b"), sandbox("lonely")],
        endpoints: [
          endpoint("a", "web", "10.0.3.2"),
          endpoint("a", "quiet", "10.0.5.2"),
          endpoint("b", "quiet", "10.0.5.3"),
        ],
      },
      [],
    )
    expect(networks.map(({ name }) => name)).toEqual(["web"])
    expect(containers.map(({ name }) => name)).toEqual(["a"])
  })

  test("leaves out endpoints of containers that are gone", () => {
    const { networks } = directoryOf(
      { networks: [network("web")], sandboxes: [], endpoints: [endpoint("a", "web", "10.0.3.2")] },
      [],
    )
    expect(networks[0]?.endpoints).toEqual([])
  })
})
