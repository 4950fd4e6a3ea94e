import { describe, expect, test } from "bun:test"
import { DOCKER_OPTIONS, type DockerNetwork, readDockerOptions } from "./docker-options.ts"
import { childField, rootField } from "./field.ts"

const BRIDGE: DockerNetwork = { driver: "bridge", internal: false, ipv4: true, ipv6: false }

function read(options: unknown, network: Partial<DockerNetwork> = {}) {
  const root = rootField(undefined)
  const value = readDockerOptions(childField(root, "Options", options), { ...BRIDGE, ...network })
  return { value, issues: root.issues.map(({ path, message }) => `${path} ${message}`) }
}

const o = DOCKER_OPTIONS

describe("readDockerOptions() obeys", () => {
  const cases: readonly {
    name: string
    in: Record<string, string>
    network?: Partial<DockerNetwork>
    want: unknown
  }[] = [
    { name: "nothing", in: {}, want: { request: {} } },
    { name: "an MTU", in: { [o.mtu]: "1400" }, want: { request: { mtu: 1400 } } },
    { name: "MTU 0 as the default", in: { [o.mtu]: "0" }, want: { request: {} } },
    { name: "a bridge's name", in: { [o.bridge]: "br-x" }, want: { request: {}, bridge: "br-x" } },
    { name: "Go's words", in: { [o.icc]: "F", [o.masquerade]: "TRUE" }, want: { request: { icc: false } } },
    { name: "a prefix", in: { [o.ifnamePrefix]: "net" }, want: { request: { containerIfname: "net" } } },
    { name: "a binding", in: { [o.hostBinding]: "127.0.0.1" }, want: { request: {}, hostBinding: "127.0.0.1" } },
    {
      name: "SNAT addresses",
      in: { [o.hostIpv4]: "192.0.2.1", [o.hostIpv6]: "2001:db8::1" },
      want: { request: { outbound: ["192.0.2.1", "2001:db8::1"] } },
    },
    { name: "no masquerade", in: { [o.masquerade]: "0" }, want: { request: { masquerade: false } } },
    { name: "a mode", in: { [o.modeIpv4]: "routed" }, want: { request: { gatewayMode: "routed" } } },
    {
      name: "one mode for both families",
      in: { [o.modeIpv4]: "routed", [o.modeIpv6]: "routed" },
      network: { ipv6: true },
      want: { request: { gatewayMode: "routed" } },
    },
    {
      name: "a mode of the only family",
      in: { [o.modeIpv6]: "routed", [o.enableIpv4]: "false", [o.enableIpv6]: "1" },
      want: { request: { ipv4: false, ipv6: true, gatewayMode: "routed" } },
    },
    {
      name: "isolated in an internal network",
      in: { [o.modeIpv4]: "isolated" },
      network: { internal: true },
      want: { request: { gatewayMode: "isolated" } },
    },
    {
      name: "macvlan",
      in: { parent: "eth0.10", macvlan_mode: "vepa" },
      network: { driver: "macvlan" },
      want: { request: { parent: "eth0.10", mode: "vepa" } },
    },
    {
      name: "ipvlan",
      in: { parent: "eth0", ipvlan_mode: "l3", ipvlan_flag: "bridge" },
      network: { driver: "ipvlan" },
      want: { request: { parent: "eth0", mode: "l3" } },
    },
    {
      name: "NAT, with containers open to whoever routes to them",
      in: { [o.modeIpv4]: "nat-unprotected" },
      want: { request: { gatewayMode: "nat", direct: true } },
    },
    {
      name: "what is so anyway",
      in: {
        [o.inhibitIpv4]: "false",
        [o.defaultBridge]: "false",
        [o.trusted]: "",
        [o.hostIpv4]: "",
        [o.advertiseCount]: "3",
        [o.advertisePause]: "1000",
      },
      want: { request: {} },
    },
  ]
  test.each(cases)("$name", ({ in: options, network, want }) => {
    const { value, issues } = read(options, network)
    expect(issues).toEqual([])
    expect(value).toEqual(want as never)
  })

  test("null, which the client sends for none", () => {
    expect(read(null)).toEqual({ value: { request: {} }, issues: [] })
  })
})

describe("readDockerOptions() refuses", () => {
  const cases: readonly { name: string; in: unknown; network?: Partial<DockerNetwork>; want: RegExp }[] = [
    { name: "a list", in: [], want: /^Options must be an object/ },
    { name: "a number", in: { [o.mtu]: 1400 }, want: /driver\.mtu must be text/ },
    { name: "no number", in: { [o.mtu]: "big" }, want: /driver\.mtu must be a number of bytes, not "big"/ },
    { name: "no word", in: { [o.icc]: "yes" }, want: /enable_icc must be "true" or "false", not "yes"/ },
    {
      name: "a mistyped key",
      in: { "com.docker.network.driver.mtuu": "1" },
      want: /did you mean "com.docker.network.driver.mtu"/,
    },
    {
      name: "another driver's key",
      in: { parent: "eth0" },
      want: /^Options.parent is an option of driver "macvlan" and "ipvlan", not of "bridge"/,
    },
    { name: "inhibit_ipv4", in: { [o.inhibitIpv4]: "true" }, want: /"isolated"/ },
    { name: "the default bridge", in: { [o.defaultBridge]: "true" }, want: /no default network/ },
    { name: "trusted interfaces", in: { [o.trusted]: "eth0" }, want: /not offered/ },
    { name: "an SNAT address of the other family", in: { [o.hostIpv6]: "192.0.2.1" }, want: /the other family/ },
    { name: "other announcements", in: { [o.advertiseCount]: "0" }, want: /not offered/ },
    { name: "isolated without internal", in: { [o.modeIpv4]: "isolated" }, want: /needs an internal network/ },
    {
      name: "an unknown mode",
      in: { [o.modeIpv4]: "nap" },
      want: /must be "nat", "routed", "isolated" or "nat-unprotected", not/,
    },
    {
      name: "a mode for one of two families",
      in: { [o.modeIpv6]: "routed" },
      network: { ipv6: true },
      want: /different modes/,
    },
    { name: "a bad bridge", in: { [o.bridge]: "a/b" }, want: /not an interface name/ },
    { name: "a bad binding", in: { [o.hostBinding]: "here" }, want: /not an address/ },
    {
      name: "a private ipvlan",
      in: { ipvlan_flag: "private" },
      network: { driver: "ipvlan" },
      want: /must be "bridge"/,
    },
  ]
  test.each(cases)("$name", ({ in: options, network, want }) => {
    const { issues } = read(options, network)
    expect(issues).toHaveLength(1)
    expect(issues[0]).toMatch(want)
  })

  test("all mistakes at once", () => {
    expect(read({ [o.mtu]: "x", [o.icc]: "x", nope: "x" }).issues).toHaveLength(3)
  })
})
