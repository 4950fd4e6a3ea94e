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
  expect(notes).toHaveLength(6)
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
  [{ type: "tuning", txQLen: 9 }, [{ type: "tuning", txQLen: 9 }], undefined],
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
