import { describe, expect, expectTypeOf, test } from "bun:test"
import fc from "fast-check"
import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { CreateNetworkRequest } from "./request.ts"
import { checkCreateNetwork, gatewayRule, type NetworkDraft } from "./validate-network.ts"

const BRIDGE = {
  name: "web",
  driver: "bridge",
  labels: {},
  subnets: [],
  automatic: [4],
  internal: false,
  defaultRoute: true,
  containerIfname: "eth",
  adopted: false,
  gatewayMode: "nat",
  icc: true,
} as const

describe("checkCreateNetwork() accepts", () => {
  test.each<{ name: string; request: CreateNetworkRequest; want: object }>([
    { name: "a name alone", request: { name: "web" }, want: {} },
    {
      name: "a subnet and gives it a gateway",
      request: { name: "web", subnets: [{ prefix: "10.9.0.0/24" }] },
      want: { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1", reserved: [] }], automatic: [] },
    },
    {
      name: "everything about a subnet",
      request: {
        name: "web",
        subnets: [
          {
            prefix: "10.9.0.0/24",
            gateway: "10.9.0.254",
            range: "10.9.0.128/25",
            reserved: ["10.9.0.200", "10.9.0.200"],
          },
        ],
      },
      want: {
        subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.254", range: "10.9.0.128/25", reserved: ["10.9.0.200"] }],
        automatic: [],
      },
    },
    {
      name: "a gateway that is not reserved",
      request: { name: "web", subnets: [{ prefix: "10.9.0.0/24", reserved: ["10.9.0.1"] }] },
      want: { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.2", reserved: ["10.9.0.1"] }], automatic: [] },
    },
    {
      name: "IPv6 text in any spelling",
      request: { name: "web", ipv4: false, subnets: [{ prefix: "FD00:0:0::/64", gateway: "fd00:0::1" }] },
      want: { subnets: [{ prefix: "fd00::/64", gateway: "fd00::1", reserved: [] }], automatic: [] },
    },
    {
      name: "an existing bridge with a DHCP server on it, which somebody else answers for",
      request: { name: "web", adopt: "br0", ipam: "dhcp" },
      want: { bridge: "br0", adopted: true, ipam: "dhcp", gatewayMode: "external", automatic: [] },
    },
    {
      name: "DHCP for IPv4 beside what routers advertise for IPv6",
      request: { name: "web", adopt: "br0", ipam: "dhcp", ipv6: true },
      want: { bridge: "br0", adopted: true, ipam: "dhcp", slaac: true, gatewayMode: "external", automatic: [] },
    },
    { name: "the pools by name", request: { name: "web", ipam: "pool" }, want: {} },
    { name: "dual stack from the pools", request: { name: "web", ipv6: true }, want: { automatic: [4, 6] } },
    { name: "IPv6 alone", request: { name: "web", ipv4: false, ipv6: true }, want: { automatic: [6] } },
    {
      name: "an IPv6 subnet beside an automatic IPv4 one",
      request: { name: "web", ipv6: true, subnets: [{ prefix: "fd00::/64" }] },
      want: { subnets: [{ prefix: "fd00::/64", gateway: "fd00::1", reserved: [] }], automatic: [4] },
    },
    {
      name: "isolated mode, without gateways and default route",
      request: { name: "web", gatewayMode: "isolated", subnets: [{ prefix: "10.9.0.0/24" }] },
      want: {
        gatewayMode: "isolated",
        defaultRoute: false,
        subnets: [{ prefix: "10.9.0.0/24", reserved: [] }],
        automatic: [],
      },
    },
    {
      name: "every bridge option",
      request: {
        name: "web",
        driver: "bridge",
        mtu: 1400,
        bridge: "br-web",
        internal: true,
        gatewayMode: "routed",
        icc: false,
        defaultRoute: false,
        metric: 0,
        containerIfname: "net",
        labels: { "com.example/a": "", b: "=\n" },
      },
      want: {
        mtu: 1400,
        bridge: "br-web",
        internal: true,
        gatewayMode: "routed",
        icc: false,
        defaultRoute: false,
        metric: 0,
        containerIfname: "net",
        labels: { "com.example/a": "", b: "=\n" },
      },
    },
    { name: "an existing bridge", request: { name: "web", adopt: "br0" }, want: { bridge: "br0", adopted: true } },
    { name: "the smallest and largest MTU", request: { name: "web", mtu: 68 }, want: { mtu: 68 } },
    { name: "the highest metric", request: { name: "web", metric: 4294967295 }, want: { metric: 4294967295 } },
    { name: "undefined as absent", request: { name: "web", mtu: undefined, labels: undefined } as never, want: {} },
  ])("$name", ({ request, want }) => {
    expect(checkCreateNetwork(request)).toEqual({
      issues: [],
      value: { ...BRIDGE, ...want } as unknown as NetworkDraft,
    })
  })

  test("macvlan, whose subnets have a gateway only when one is named", () => {
    const subnets = [{ prefix: "192.0.2.0/24", gateway: "192.0.2.1" }, { prefix: "198.51.100.0/24" }]
    expect(
      checkCreateNetwork({ name: "lan", driver: "macvlan", parent: "eth0", mode: "passthru", subnets }).value,
    ).toEqual({
      name: "lan",
      driver: "macvlan",
      parent: "eth0",
      mode: "passthru",
      labels: {},
      subnets: [
        { prefix: "192.0.2.0/24", gateway: "192.0.2.1", reserved: [] },
        { prefix: "198.51.100.0/24", reserved: [] },
      ],
      automatic: [],
      internal: false,
      defaultRoute: true,
      containerIfname: "eth",
    } as unknown as NetworkDraft)
    expect(checkCreateNetwork({ name: "lan", driver: "macvlan" }).value).toMatchObject({ mode: "bridge" })
    expect(checkCreateNetwork({ name: "lan", driver: "ipvlan" }).value).toMatchObject({ mode: "l2" })
  })
})

describe("checkCreateNetwork() refuses", () => {
  test.each<[string, object, string[]]>([
    ["no name", { name: undefined }, ["name is missing"]],
    ["a bad name", { name: "../x" }, [`name "../x" is not a name: use 1 to 63`]],
    ["a name of another type", { name: 5 }, ["name must be text, not 5"]],
    [
      "an unknown driver",
      { driver: "brigde" },
      ['driver must be "bridge", "macvlan" or "ipvlan", not "brigde"; did you mean "bridge"?'],
    ],
    [
      "DHCP on a bridge of its own, with subnets",
      { ipam: "dhcp", subnets: [{ prefix: "10.9.0.0/24" }], ipv6: true },
      [`ipam "dhcp" needs a bridge that somebody else's server is on`, 'subnets is not possible with ipam "dhcp"'],
    ],
    ["DHCP without IPv4", { ipam: "dhcp", driver: "macvlan", ipv4: false }, ['ipv4 is not possible with ipam "dhcp"']],
    ["DHCP with NAT", { ipam: "dhcp", adopt: "br0", gatewayMode: "nat" }, ['ipam "dhcp" needs a bridge']],
    ["DHCP with ipvlan", { ipam: "dhcp", driver: "ipvlan" }, ['ipam "dhcp" is not possible with ipvlan']],
    ["an unknown field", { subnet: "10.9.0.0/24" }, [' has no field "subnet"; did you mean "subnets"?']],
    [
      "an unknown field of a subnet",
      { subnets: [{ prefix: "10.9.0.0/24", gw: "10.9.0.1" }] },
      ['subnets[0] has no field "gw"'],
    ],
    ["subnets as text", { subnets: ["10.9.0.0/24"] }, ['subnets[0] must be an object, not "10.9.0.0/24"']],
    ["a subnet without prefix", { subnets: [{}] }, ["subnets[0].prefix is missing"]],
    ["no subnet", { subnets: [{ prefix: "web" }] }, ['subnets[0].prefix "web" is not a subnet; write ADDRESS/LENGTH']],
    [
      "host bits",
      { subnets: [{ prefix: "10.9.0.5/24" }] },
      ['subnets[0].prefix "10.9.0.5/24" has bits set beyond /24; the subnet is 10.9.0.0/24'],
    ],
    [
      "loopback",
      { subnets: [{ prefix: "127.0.0.0/8" }] },
      ["subnets[0].prefix 127.0.0.0/8 cannot be a container network: it is loopback (RFC 1122 §3.2.1.3)"],
    ],
    [
      "one address",
      { subnets: [{ prefix: "10.9.0.0/32" }] },
      ["subnets[0].prefix 10.9.0.0/32 cannot be a container network: it is one address"],
    ],
    [
      "a foreign gateway",
      { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.8.0.1" }] },
      ["subnets[0].gateway 10.8.0.1 is not in subnet 10.9.0.0/24"],
    ],
    [
      "the network address as gateway",
      { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.0" }] },
      ["subnets[0].gateway 10.9.0.0 is the network address of subnet 10.9.0.0/24"],
    ],
    [
      "the broadcast address as gateway",
      { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.255" }] },
      ["subnets[0].gateway 10.9.0.255 is the broadcast address of subnet 10.9.0.0/24"],
    ],
    [
      "a gateway with length",
      { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1/24" }] },
      ['subnets[0].gateway "10.9.0.1/24" is not an address: an address has no /LENGTH'],
    ],
    [
      "a gateway in octal",
      { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.01" }] },
      ['subnets[0].gateway "10.9.0.01" is not an address: a leading zero could mean octal; leave it out'],
    ],
    [
      "a zoned gateway",
      { subnets: [{ prefix: "fd00::/64", gateway: "fe80::1%eth0" }] },
      [
        'subnets[0].gateway "fe80::1%eth0" is not an address: an address with a zone (%…) means something on one interface only',
      ],
    ],
    [
      "a mapped gateway",
      { subnets: [{ prefix: "fd00::/64", gateway: "::ffff:10.9.0.1" }] },
      [
        'subnets[0].gateway "::ffff:10.9.0.1" is not an address: IPv4-mapped IPv6 names an IPv4 host; write the IPv4 address',
      ],
    ],
    [
      "a range outside",
      { subnets: [{ prefix: "10.9.0.0/24", range: "10.9.1.0/25" }] },
      ["subnets[0].range 10.9.1.0/25 is not within subnet 10.9.0.0/24"],
    ],
    [
      "a range from first to last that is none, or outside",
      {
        subnets: [
          { prefix: "10.9.0.0/24", range: "10.9.0.9-10.9.0.1" },
          { prefix: "10.8.0.0/24", range: "10.8.0.9-10.8.1.1" },
          { prefix: "fd00::/64", range: "10.8.0.9-10.8.0.11" },
        ],
      },
      [
        'subnets[0].range "10.9.0.9-10.9.0.1" is not a range; write a prefix or FIRST-LAST, as in 10.89.0.10-10.89.0.20',
        "subnets[1].range 10.8.0.9-10.8.1.1 is not within subnet 10.8.0.0/24",
        "subnets[2].range 10.8.0.9-10.8.0.11 is not within subnet fd00::/64",
      ],
    ],
    [
      "a range of the other family",
      { subnets: [{ prefix: "10.9.0.0/24", range: "fd00::/120" }] },
      ["subnets[0].range fd00::/120 is not within subnet 10.9.0.0/24"],
    ],
    [
      "a reserved address outside",
      { subnets: [{ prefix: "10.9.0.0/24", reserved: ["10.9.0.2", "10.9.1.2"] }] },
      ["subnets[0].reserved[1] 10.9.1.2 is not in subnet 10.9.0.0/24"],
    ],
    [
      "no room",
      { subnets: [{ prefix: "10.9.0.0/30", reserved: ["10.9.0.2"] }] },
      ["subnets[0] 10.9.0.0/30 has no address left for a container beside the gateway and the reserved ones"],
    ],
    [
      "no room in the range",
      { subnets: [{ prefix: "10.9.0.0/24", range: "10.9.0.0/31" }] },
      ["subnets[0] range 10.9.0.0/31 has no address left for a container beside the gateway and the reserved ones"],
    ],
    [
      "no gateway possible",
      { subnets: [{ prefix: "10.9.0.0/31", reserved: ["10.9.0.0", "10.9.0.1"] }] },
      ["subnets[0] 10.9.0.0/31 has no address left for a container beside the gateway and the reserved ones"],
    ],
    [
      "overlapping subnets",
      { subnets: [{ prefix: "10.9.0.0/16" }, { prefix: "10.8.0.0/24" }, { prefix: "10.9.3.0/24" }] },
      ["subnets[2] 10.9.3.0/24 overlaps 10.9.0.0/16 of the same request"],
    ],
    [
      "the same subnet twice",
      { subnets: [{ prefix: "fd00::/64" }, { prefix: "fd00::/64" }] },
      ["subnets[1] fd00::/64 overlaps fd00::/64 of the same request"],
    ],
    [
      "too many subnets",
      { subnets: new Array(65).fill({ prefix: "10.9.0.0/24" }) },
      ["subnets has 65 entries; at most 64 are allowed"],
    ],
    [
      "IPv4 off with an IPv4 subnet",
      { ipv4: false, ipv6: true, subnets: [{ prefix: "10.9.0.0/24" }] },
      ["subnets[0] 10.9.0.0/24 is an IPv4 subnet, but ipv4 is false"],
    ],
    [
      "IPv6 off with an IPv6 subnet",
      { ipv6: false, subnets: [{ prefix: "fd00::/64" }] },
      ["subnets[0] fd00::/64 is an IPv6 subnet, but ipv6 is false"],
    ],
    ["no family", { ipv4: false }, ["ipv4 cannot be false without IPv6: a network needs at least one of them"]],
    ["an MTU below IPv4's", { mtu: 67 }, ["mtu must be a whole number from 68 to 65535, not 67"]],
    ["an MTU beyond the largest packet", { mtu: 65536 }, ["mtu must be a whole number from 68 to 65535, not 65536"]],
    ["an MTU as text", { mtu: "1500" }, ['mtu must be a whole number from 68 to 65535, not "1500"']],
    [
      "an MTU below IPv6's",
      { mtu: 1279, ipv6: true },
      ["mtu 1279 is too small for a network with IPv6, which needs at least 1280 (RFC 8200 §5)"],
    ],
    [
      "an MTU below IPv6's with a subnet",
      { mtu: 1279, subnets: [{ prefix: "fd00::/64" }] },
      ["mtu 1279 is too small for a network with IPv6"],
    ],
    ["a negative metric", { metric: -1 }, ["metric must be a whole number from 0 to 4294967295, not -1"]],
    [
      "a metric beyond 32 bits",
      { metric: 2 ** 32 },
      ["metric must be a whole number from 0 to 4294967295, not 4294967296"],
    ],
    [
      "both bridge and adopt",
      { bridge: "br0", adopt: "br1" },
      ["adopt names a bridge that exists while bridge names one to be made"],
    ],
    ["a bridge called lo", { bridge: "lo" }, [`bridge "lo" is the loopback interface`]],
    [
      "a long bridge name",
      { bridge: "bridge-with-long-name" },
      [`bridge "bridge-with-long-name" is not an interface name: use 1 to 15`],
    ],
    [
      "an interface prefix that leaves no number",
      { containerIfname: "abcdefghijklm" },
      [`containerIfname "abcdefghijklm" cannot begin an interface name`],
    ],
    ["an empty interface prefix", { containerIfname: "" }, [`containerIfname "" cannot begin an interface name`]],
    [
      "a parent with a bridge",
      { parent: "eth0", mode: "vepa" },
      [
        'parent is possible only with driver "macvlan" or "ipvlan", not with "bridge"',
        'mode is possible only with driver "macvlan" or "ipvlan"',
      ],
    ],
    [
      "bridge options with macvlan",
      {
        driver: "macvlan",
        bridge: "br0",
        adopt: "br0",
        gatewayMode: "nat",
        icc: true,
        isolation: "open",
        outbound: [],
        masquerade: false,
        direct: true,
        vlan: 10,
        vrf: "red",
      },
      ["bridge", "adopt", "vlan", "vrf", "gatewayMode", "icc", "isolation", "outbound", "masquerade", "direct"].map(
        (key) => `${key} is possible only with driver "bridge", not with "macvlan"`,
      ),
    ],
    [
      "an internal network that is open, and leaves by an address",
      { internal: true, isolation: "open", outbound: ["192.0.2.1"] },
      [
        'isolation cannot be "open": containers of a network that is internal, or whose gateway the host is not, meet no others',
        "outbound is possible only where the host rewrites what leaves (nat), and something may leave",
      ],
    ],
    ["a VLAN that nobody may have", { vlan: 4095 }, ["vlan must be a whole number from 1 to 4094, not 4095"]],
    [
      "a VRF for a bridge of somebody else's",
      { vrf: "red", adopt: "br0" },
      ["vrf is possible only for a bridge that is made here; the one in adopt is somebody else's to move"],
    ],
    [
      "a VRF for an internal network",
      { vrf: "red", internal: true },
      ["vrf is not possible for an internal network: its routes lead out of it"],
    ],
    [
      "a way in where nothing comes in",
      { internal: true, direct: true },
      [
        "direct cannot be true: nothing from outside comes into a network that is internal, or whose gateway the host is not",
      ],
    ],
    [
      "outbound addresses that are none",
      { outbound: ["192.0.2.1", "192.0.2.2"] },
      ["outbound has two IPv4 addresses; give at most one a family"],
    ],
    [
      "an address for what leaves, and none",
      { outbound: ["192.0.2.1"], masquerade: false },
      ["masquerade cannot be false while outbound says which address replaces the containers'"],
    ],
    [
      "a loopback address for what leaves",
      { outbound: ["127.0.0.1"] },
      ["outbound[0] 127.0.0.1 cannot be the host's outbound address: it is a loopback address"],
    ],
    [
      "an internal macvlan",
      { driver: "macvlan", internal: true, mtu: "auto" },
      [
        'mtu can be "auto" only with driver "bridge": macvlan and ipvlan have their parent\'s',
        'internal only networks with driver "bridge" can be internal',
      ],
    ],
    [
      "an ipvlan mode for macvlan",
      { driver: "macvlan", mode: "l3" },
      ['mode must be "bridge", "private", "vepa", "passthru" or "source", not "l3"'],
    ],
    [
      "a gateway for ipvlan l3",
      { driver: "ipvlan", mode: "l3", subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1" }] },
      ["subnets[0].gateway 10.9.0.1 is not possible: ipvlan in l3 mode routes by the parent and has no gateway"],
    ],
    [
      "a gateway in isolated mode",
      { gatewayMode: "isolated", subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1" }] },
      ["subnets[0].gateway 10.9.0.1 is not possible: in isolated mode the host has no address on the network"],
    ],
    [
      "a default route in isolated mode",
      { gatewayMode: "isolated", defaultRoute: true },
      ["defaultRoute cannot be true in isolated mode: there is no gateway that the route could lead to"],
    ],
    [
      "an unknown gateway mode",
      { gatewayMode: "nat-unprotected" },
      ['gatewayMode must be "nat", "routed", "isolated" or "external", not "nat-unprotected"'],
    ],
    ["labels as a list", { labels: ["a=b"] }, ["labels must be an object, not a list"]],
    ["a label key", { labels: { "a b": "x" } }, ['labels "a b" is not a label\'s key']],
    ["a label of another type", { labels: { a: 1 } }, ["labels.a must be text, not 1"]],
    [
      "too many labels",
      { labels: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`l${n}`, ""])) },
      ["labels has 257 labels; at most 256 are allowed"],
    ],
    [
      "booleans as text",
      { internal: "yes", icc: 1, ipv6: "true", defaultRoute: null },
      [
        "defaultRoute must be true or false, not null",
        "icc must be true or false, not 1",
        'internal must be true or false, not "yes"',
        'ipv6 must be true or false, not "true"',
      ],
    ],
  ])("%s", (_, request, want) => {
    const { issues, value } = checkCreateNetwork({ name: "web", ...request })
    const lines = issues.map(({ path, message }) => `${path} ${message}`).sort()
    expect(value).toBeUndefined()
    expect(lines).toHaveLength(want.length)
    for (const [index, line] of [...want].sort().entries()) {
      expect(lines[index]).toStartWith(line)
    }
  })

  test.each([undefined, null, "web", 5, [], [{ name: "web" }], () => 1].map((request) => ({ request })))(
    "$request",
    ({ request }) => {
      expect(checkCreateNetwork(request).issues).toHaveLength(1)
    },
  )

  test("everything wrong at once, everything listed", () => {
    const { issues } = checkCreateNetwork({
      name: "",
      driver: "overlay",
      subnets: [{ prefix: "10.9.0.0/24", gateway: "x", range: "y", reserved: ["z"] }, { prefix: "nonsense" }],
      mtu: 1,
      metric: -1,
      labels: { "": "x" },
      typo: true,
    })
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "",
      "driver",
      "labels",
      "metric",
      "mtu",
      "name",
      "subnets[0].gateway",
      "subnets[0].range",
      "subnets[0].reserved[0]",
      "subnets[1].prefix",
    ])
  })
})

test("checkCreateNetwork() gives a value or issues for whatever it is given, and a second pass changes nothing", () => {
  fc.assert(
    fc.property(anyRequest(), (request) => {
      const { issues, value } = checkCreateNetwork(request)
      expect(value === undefined).toBe(issues.length > 0)
      if (value?.driver === "bridge") {
        const { automatic, adopted, bridge, ...rest } = value
        const name = bridge === undefined ? {} : adopted ? { adopt: bridge } : { bridge }
        const again = checkCreateNetwork({
          ...rest,
          ...name,
          ipv4: families(value).includes(4),
          ipv6: families(value).includes(6),
        })
        expect(again.value).toEqual(value)
        expect(automatic.every((family) => family === 4 || family === 6)).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
})

test("gatewayRule() is the same for drafts and networks", () => {
  expect(gatewayRule({ driver: "bridge", gatewayMode: "nat" })).toBe("first")
  expect(gatewayRule({ driver: "macvlan", mode: "bridge" })).toBe("none")
  expect(gatewayRule({ driver: "ipvlan", mode: "l3s" })).toEqual({ refused: expect.stringContaining("l3s") })
})

test("drafts carry checked types", () => {
  expectTypeOf<NetworkDraft["subnets"][number]["prefix"]>().toEqualTypeOf<Prefix>()
  expectTypeOf<NetworkDraft["subnets"][number]["reserved"]>().toEqualTypeOf<readonly Ip[]>()
})

function families(draft: NetworkDraft): number[] {
  return [...draft.automatic, ...draft.subnets.map(({ prefix }) => (prefix.includes(":") ? 6 : 4))]
}

/** Requests of right and wrong values, mixed. */
function anyRequest(): fc.Arbitrary<unknown> {
  const wild = fc.anything()
  const or = <T>(...values: T[]) =>
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: wild })
  const subnet = fc.record(
    {
      prefix: or("10.9.0.0/24", "10.9.1.0/30", "fd00::/64", "fd00:0:0:1::/126", "10.9.0.1/24"),
      gateway: or("10.9.0.1", "10.9.1.2", "fd00::1"),
      range: or("10.9.0.128/25", "fd00::/80"),
      reserved: or<unknown>([], ["10.9.0.2"], ["fd00::2", "fd00::2"]),
    },
    { requiredKeys: ["prefix"] },
  )
  return fc.record(
    {
      name: or("web", "my_net", "-"),
      driver: or("bridge", "macvlan", "ipvlan"),
      subnets: fc.oneof({ weight: 9, arbitrary: fc.array(subnet, { maxLength: 3 }) }, { weight: 1, arbitrary: wild }),
      ipv4: or(true, false),
      ipv6: or(true, false),
      mtu: or(1500, 1280, 68),
      bridge: or("br0"),
      adopt: or("br1"),
      internal: or(true, false),
      gatewayMode: or("nat", "routed", "isolated"),
      icc: or(true, false),
      isolation: or("strict", "open"),
      outbound: or(["192.0.2.1"], ["192.0.2.1", "2001:db8::1"]),
      masquerade: or(true, false),
      defaultRoute: or(true, false),
      metric: or(0, 100),
      containerIfname: or("eth", "net"),
      mode: or("l2"),
      labels: or<unknown>({}, { a: "b" }),
    },
    { requiredKeys: ["name"] },
  )
}
