import { expect, test } from "bun:test"
import { convert } from "./convert.ts"

const PORTMAP = { type: "portmap", capabilities: { portMappings: true } }
const TUNING = { type: "tuning", capabilities: { mac: true } }

test("convert() of what podman 4 writes", () => {
  const ipam = {
    type: "host-local",
    routes: [{ dst: "0.0.0.0/0" }],
    ranges: [[{ subnet: "10.88.0.0/16", gateway: "10.88.0.1" }]],
  }
  const bridge = { type: "bridge", bridge: "cni-podman0", isGateway: true, ipMasq: true, hairpinMode: true, ipam }
  const old = {
    cniVersion: "0.4.0",
    name: "podman",
    plugins: [bridge, PORTMAP, { type: "firewall", backend: "" }, TUNING],
  }
  const { list, notes } = convert(JSON.stringify(old))
  expect(list).toEqual({
    cniVersion: "0.4.0",
    name: "podman",
    plugins: [
      {
        type: "linkspan",
        bridge: "cni-podman0",
        isGateway: true,
        ipMasq: true,
        ipam: { routes: ipam.routes, ranges: ipam.ranges },
        ingressPolicy: "open",
        capabilities: { ips: true, mac: true, aliases: true, portMappings: true },
      },
    ],
  })
  expect(notes).toHaveLength(7)
})

test("convert() of a single plugin with another plugin's addresses", () => {
  const old = { cniVersion: "0.3.1", name: "lab", type: "bridge", ipam: { type: "dhcp" } }
  expect(convert(JSON.stringify(old)).list).toEqual({
    cniVersion: "0.3.1",
    name: "lab",
    plugins: [
      {
        type: "linkspan",
        bridge: "cni0",
        ipam: { type: "dhcp" },
        capabilities: { ips: true, mac: true, aliases: true },
      },
    ],
  })
})

test.each([
  [{ type: "firewall", backend: "firewalld" }, [{ type: "firewall", backend: "firewalld" }], undefined],
  [{ type: "firewall", ingressPolicy: "isolated" }, [], true],
  [{ type: "bandwidth", ingressRate: 1 }, [], undefined],
  [{ type: "tuning", sysctl: { "net.core.somaxconn": "1" } }, [], undefined],
  [{ type: "tuning", txQLen: 9, mtu: 1400, mac: "02:00:00:00:00:09", dataDir: "/x" }, [], undefined],
  [{ type: "tuning", queues: 9 }, [{ type: "tuning", queues: 9 }], undefined],
  [{ type: "bandwidth", shapedSubnets: [] }, [{ type: "bandwidth", shapedSubnets: [] }], undefined],
])("convert() of %j behind a bridge", (plugin, stays, portIsolation) => {
  const { list } = convert(JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins: [{ type: "bridge" }, plugin] }))
  const [entry, ...others] = list["plugins"] as Record<string, unknown>[]
  expect(others).toEqual(stays)
  expect(entry?.["portIsolation"]).toBe(portIsolation)
})

test.each([
  ["what is no JSON", "{", 6],
  ["a list that begins with another plugin", JSON.stringify({ plugins: [{ type: "macvlan" }] }), 7],
  ["an empty list", JSON.stringify({ plugins: [] }), 7],
])("convert() refuses %s", (_, text, code) => {
  expect(() => convert(text)).toThrow(expect.objectContaining({ code }))
})

const BRIDGE = { type: "bridge", mtu: 1500, vlan: 7, forceAddress: true, ipam: { type: "host-local", dataDir: "/x" } }

test.each([
  [
    { type: "portmap", snat: true, conditionsV4: [] },
    ['"snat" of "portmap" is left out: published ports are used from'],
  ],
  [{ type: "portmap", conditionsV4: ["!", "-d", "192.0.2.0/24"] }, ['"conditionsV4" of "portmap" has no counterpart']],
  [{ type: "portmap", backend: "iptables", markMasqBit: 13 }, ["nftables' in any case", "no packet is marked"]],
  [{ type: "tuning", mtu: 1400 }, [`"tuning" stays, behind linkspan: its "mtu" is not the network's`]],
  [
    { type: "sbr" },
    ['"sbr" stays, behind linkspan', '"vlan" stays, and linkspan refuses', '"ipam.dataDir" is left out'],
  ],
])("convert() explains what it does with %j", (plugin, sentences) => {
  const { notes } = convert(JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins: [BRIDGE, plugin] }))
  for (const sentence of sentences) {
    expect(notes.join("\n")).toContain(sentence)
  }
})

// Whatever is in the old list is in the new one as it was, or a sentence says what became of it.
test("convert() passes over nothing", () => {
  const plugins = [
    { ...BRIDGE, enabledad: true, macspoofchk: true, hairpinMode: true, ipMasqBackend: "nftables", isGateway: true },
    { type: "portmap", snat: false, externalSetMarkChain: "KUBE-MARK-MASQ", conditionsV6: ["x"] },
    { type: "firewall", iptablesAdminChainName: "ADMIN", ingressPolicy: "same-bridge", firewalldZone: "trusted" },
    { type: "tuning", promisc: true, dataDir: "/x" },
    { type: "bandwidth", ingressRate: 1, ingressBurst: 2 },
  ]
  const { list, notes } = convert(JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins }))
  const entry = (list["plugins"] as Record<string, unknown>[])[0] as Record<string, unknown>
  const ipam = entry["ipam"] as Record<string, unknown>
  for (const [key, value] of plugins.flatMap(({ type: _, ...keys }) => Object.entries(keys))) {
    const isKept = Bun.deepEquals(entry[key], value) || (key === "ipam" && ipam["type"] === undefined)
    expect([key, isKept || notes.some((note) => note.includes(`"${key}"`))]).toEqual([key, true])
  }
})
