// Configurations and capabilities as runtimes and users really write them.

import { expect, test } from "bun:test"
import { containerLabels, containerName } from "./identity.ts"
import {
  delegateOf,
  describeNetwork,
  wantedAddresses,
  wantedAliases,
  wantedDns,
  wantedMac,
  wantedPorts,
  wantedRates,
} from "./network-config.ts"
import { readConfig } from "./request.ts"

function config(keys: object, args = "") {
  const raw = JSON.stringify({ cniVersion: "1.0.0", name: "lab", type: "linkspan", ...keys })
  return readConfig("ADD", raw, { CNI_ARGS: args })
}

const SUBNET = { subnet: "10.77.1.0/24" }

test.each([
  [
    "nothing at all: a network of linkspan's choice",
    {},
    { subnets: [], gatewayMode: "nat", defaultRoute: true, routes: [], dns: false },
  ],
  [
    "the usual bridge with host-local's keys",
    {
      bridge: "cni0",
      isGateway: true,
      ipMasq: true,
      mtu: 1400,
      ipam: { ranges: [[SUBNET], [{ subnet: "fd77::/64", gateway: "fd77::9" }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
    {
      bridge: "cni0",
      mtu: 1400,
      subnets: [{ prefix: "10.77.1.0/24" }, { prefix: "fd77::/64", gateway: "fd77::9" }],
      gatewayMode: "nat",
      defaultRoute: true,
      routes: [],
    },
  ],
  [
    "keys in Go's capitals, and no masquerading",
    { IsDefaultGateway: true, IPAM: { Type: "linkspan-ipam", Subnet: "10.77.1.0/24", RangeStart: "10.77.1.9" } },
    {
      subnets: [{ prefix: "10.77.1.0/24", range: "10.77.1.9-10.77.1.254" }],
      gatewayMode: "nat",
      masquerade: false,
      direct: true,
      defaultRoute: true,
    },
  ],
  [
    "a gateway without a default route, and a route through another one",
    { isGateway: true, ipam: { ...SUBNET, routes: [{ dst: "10.9.0.0/16" }, { dst: "10.8.0.0/16", gw: "10.77.1.7" }] } },
    {
      defaultRoute: false,
      routes: [
        { destination: "10.9.0.0/16", via: "10.77.1.1" },
        { destination: "10.8.0.0/16", via: "10.77.1.7" },
      ],
    },
  ],
  [
    "no gateway of the host's, but one of somebody else's",
    { ipam: { ...SUBNET, gateway: "10.77.1.254", routes: [{ dst: "0.0.0.0/0" }] } },
    {
      gatewayMode: "isolated",
      defaultRoute: false,
      subnets: [{ prefix: "10.77.1.0/24", reserved: ["10.77.1.254"] }],
      routes: [{ destination: "0.0.0.0/0", via: "10.77.1.254" }],
    },
  ],
  [
    "IPv6 alone",
    { isGateway: true, ipam: { subnet: "fd77::/64" } },
    { ipv4: false, subnets: [{ prefix: "fd77::/64" }] },
  ],
  [
    "ranges from the runtime",
    { isGateway: true, ipam: {}, runtimeConfig: { ipRanges: [[{ subnet: "10.5.0.0/24", rangeEnd: "10.5.0.9" }]] } },
    { subnets: [{ prefix: "10.5.0.0/24", range: "10.5.0.1-10.5.0.9" }] },
  ],
  ["isolated ports", { isGateway: true, portIsolation: true, ipam: SUBNET }, { icc: false }],
])("describeNetwork() of %s", (_, keys, want) => {
  expect(describeNetwork(config(keys))).toMatchObject({ id: "ecb919caf8ab", name: "lab", driver: "bridge", ...want })
})

test.each([
  ["a VLAN", { vlan: 7 }, 2, '"vlan": 7'],
  ["an unknown policy", { ingressPolicy: "none" }, 7, "open, same-bridge and isolated"],
  [
    "two IPv4 addresses",
    { ipam: { ranges: [[SUBNET], [{ subnet: "10.78.0.0/24" }]] } },
    2,
    "two addresses of one family",
  ],
  ["both bridge modes", { hairpinMode: true, promiscMode: true }, 7, "cannot both be true"],
  ["a subnet of another type", { ipam: { subnet: 7 } }, 7, '"ipam.subnet": it must be text, not 7'],
  ["a range without a subnet", { ipam: { ranges: [[{}]] } }, 7, '"ipam.ranges[0][0]" has no subnet'],
])("describeNetwork() refuses %s", (_, keys, code, message) => {
  expect(() => describeNetwork(config(keys))).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test("the addresses are linkspan's own unless another plugin is named", () => {
  expect(
    ["linkspan", "linkspan-ipam", undefined, "host-local"].map((type) => delegateOf(config({ ipam: { type } }))),
  ).toEqual([undefined, undefined, undefined, "host-local"])
})

test("published ports, as containerd's CRI and as podman send them", () => {
  const cri = [{ HostPort: 30080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }]
  const podman = [{ hostPort: 30053, containerPort: 53, protocol: "udp", hostIP: "127.0.0.1" }]
  const nerdctl = [{ hostPort: 1, containerPort: 2, protocol: "TCP", hostIP: "::1" }]
  expect(wantedPorts(config({ runtimeConfig: { PortMappings: [...cri, ...podman, ...nerdctl] } }))).toEqual([
    { hostPort: 30080, containerPort: 80, protocol: "tcp" },
    { hostPort: 30053, containerPort: 53, protocol: "udp", hostIp: "127.0.0.1" },
    { hostPort: 1, containerPort: 2, protocol: "tcp", hostIp: "::1" },
  ])
  expect(() => wantedPorts(config({ runtimeConfig: { portMappings: [{ containerPort: 80 }] } }))).toThrow("no hostPort")
})

test("rates: in bits as the reference has them, the configuration's first, and no rates are none", () => {
  const of = (bandwidth: object, own: object = {}) => wantedRates(config({ ...own, runtimeConfig: { bandwidth } }))
  expect(of({ ingressRate: 0, egressRate: 0 })).toEqual({})
  expect(of({ IngressRate: 1_000_000, IngressBurst: 4_294_967_295 })).toEqual({ rateIn: { bitsPerSecond: 1_000_000 } })
  expect(of({ egressRate: 9, egressBurst: 20 })).toEqual({ rateOut: { bitsPerSecond: 9, burstBytes: 3 } })
  expect(of({ ingressRate: 9, ingressBurst: 8 }, { ingressRate: 5 })).toEqual({ rateIn: { bitsPerSecond: 5 } })
})

test("addresses and MAC: runtimeConfig before args.cni before CNI_ARGS", () => {
  const variables = "IgnoreUnknown=1;IP=10.77.1.3,fd77::3;MAC=02:00:00:00:00:03"
  const args = { cni: { ips: ["10.77.1.4"], mac: "02:00:00:00:00:04" } }
  const runtimeConfig = { ips: ["10.77.1.5/24", "fd77::5"], mac: "02:00:00:00:00:05" }
  const asked = (...asking: [object, string?]) => {
    const each = config(...asking)
    return [wantedAddresses(each), wantedMac(each)]
  }
  expect(asked({})).toEqual([[], undefined])
  expect(asked({}, variables)).toEqual([["10.77.1.3", "fd77::3"], "02:00:00:00:00:03"])
  expect(asked({ args }, variables)).toEqual([["10.77.1.4"], "02:00:00:00:00:04"])
  expect(asked({ args, runtimeConfig }, variables)).toEqual([["10.77.1.5", "fd77::5"], "02:00:00:00:00:05"])
})

test("aliases, as in the specification and as podman sends them", () => {
  expect(wantedAliases(config({ runtimeConfig: { aliases: ["zed", "zed", "web"] } }))).toEqual(["zed", "web"])
  expect(wantedAliases(config({ runtimeConfig: { aliases: { lab: ["zed"], other: ["x"] } } }))).toEqual(["zed"])
  expect(wantedAliases(config({}))).toEqual([])
})

test("name servers of the runtime before those of the configuration", () => {
  const dns = { nameservers: ["192.0.2.53"], domain: "example.org", search: ["example.org"] }
  expect(wantedDns(config({ dns }))).toEqual(dns)
  expect(wantedDns(config({}), ["10.77.1.1"])).toEqual({})
  expect(wantedDns(config({ names: true }), ["10.77.1.1"])).toEqual({ nameservers: ["10.77.1.1"] })
  expect(wantedDns(config({ dns, names: true }), ["10.77.1.1"])).toEqual(dns)
  expect(
    wantedDns(config({ dns, runtimeConfig: { dns: { Servers: ["192.0.2.54"], Searches: [], Options: ["ndots:5"] } } })),
  ).toEqual({
    ...dns,
    nameservers: ["192.0.2.54"],
    options: ["ndots:5"],
  })
})

test("a pod is known by its name, anything else by its container", () => {
  const pod = config(
    { args: { cni: { labels: [{ key: "tier", value: "web" }] } } },
    "K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx;K8S_POD_UID=u-1",
  )
  expect(containerName(pod, "0123")).toBe("nginx.default")
  expect(containerLabels(pod, "0123")).toEqual({
    "cni.container-id": "0123",
    "io.kubernetes.pod.name": "nginx",
    "io.kubernetes.pod.namespace": "default",
    "io.kubernetes.pod.uid": "u-1",
    tier: "web",
  })
  expect(containerName(config({}, "K8S_POD_NAME=web"), "0123")).toBe("web")
  expect(containerName(config({}), "default-t1")).toBe("default-t1")
  expect(containerName(config({}), "f".repeat(64))).toBe("f".repeat(63))
  expect(containerName(config({}), "a..b")).toMatch(/^cni-[0-9a-f]{12}$/)
})
