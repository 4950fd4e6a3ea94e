import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { completeNetwork } from "./create.ts"
import { errorText } from "./error.ts"

interface Capture {
  readonly scenarios: readonly {
    readonly calls: readonly {
      readonly verb: string
      readonly stdin: { network: { name: string } }
      readonly stdout: object
    }[]
  }[]
}

const SURROUNDINGS = {
  now: new Date("2026-11-24T00:00:00.5Z"),
  random: (n: number) => new Uint8Array(n).fill(7),
  byPlugin: () => undefined,
}

async function complete(input: unknown): Promise<object> {
  try {
    return await completeNetwork(JSON.stringify(input), SURROUNDINGS)
  } catch (error) {
    return { error: errorText(error) }
  }
}

const file = new URL("../../../test/fixtures/netavark/podman-6.1.1-rootful.json", import.meta.url).pathname
const calls = (JSON.parse(readFileSync(file, "utf8")) as Capture).scenarios
  .flatMap((scenario) => scenario.calls)
  .filter(({ verb }) => verb === "create")

/** A spelling that Podman took until version 5 is taken still; a random prefix is another each time. */
const OTHERS = ["optnet", "auto6"]

test.each(calls.map((call) => [call.stdin.network.name, call] as const))(
  "completeNetwork() answers for %s as netavark 2.0 did",
  async (name, { stdin, stdout }) => {
    const answer = await complete(stdin)
    if (!OTHERS.includes(name)) {
      expect({ ...answer, created: undefined }).toEqual({ ...stdout, created: undefined })
    }
  },
)

const INPUT = {
  network: { name: "n", id: "a".repeat(64), driver: "bridge", ipv6_enabled: false, internal: false, dns_enabled: true },
  used: { interfaces: ["podman1"], names: { podman2: "x" }, subnets: ["10.89.0.0/24"] },
  options: {
    subnet_pools: [{ base: "10.89.0.0/23", size: 24 }],
    default_interface_name: "podman",
    check_used_subnets: true,
  },
}

function withNetwork(network: object): object {
  return { ...INPUT, network: { ...INPUT.network, ...network } }
}

test.each<[string, object, object]>([
  [
    "the first free name and subnet",
    {},
    {
      network_interface: "podman3",
      subnets: [{ subnet: "10.89.1.0/24", gateway: "10.89.1.1" }],
      created: "2026-11-24T00:00:00.500000000Z",
    },
  ],
  [
    "IPv6 beside IPv4",
    { ipv6_enabled: true },
    { subnets: [{ subnet: "10.89.1.0/24" }, { subnet: "fd07:707:707:707::/64", gateway: "fd07:707:707:707::1" }] },
  ],
  [
    "no gateway for an internal network without names",
    { internal: true, dns_enabled: false },
    { subnets: [{ subnet: "10.89.1.0/24" }] },
  ],
  [
    "Docker's options",
    { options: { "com.docker.network.bridge.name": "br9", "com.docker.network.driver.mtu": "1400" } },
    { network_interface: "br9", options: { mtu: "1400" } },
  ],
  [
    "Go's spellings of truth",
    { options: { no_default_route: "1", isolate: "T" } },
    { options: { no_default_route: "true", isolate: "true" } },
  ],
  ["outbound addresses", { options: { outbound_addr4: "192.0.2.7" } }, { options: { outbound_addr4: "192.0.2.7" } }],
  ["no addresses", { ipam_options: { driver: "none" } }, { dns_enabled: false, ipam_options: { driver: "none" } }],
  ["macvlan without a subnet", { driver: "macvlan" }, { dns_enabled: false, ipam_options: { driver: "dhcp" } }],
])("completeNetwork() chooses %s", async (_, network, want) => {
  expect(await complete(withNetwork(network))).toMatchObject(want)
})

test.each<[string, object, string]>([
  ["a driver", { driver: "foo" }, 'unknown network driver "foo"'],
  ["a name", { name: "-n" }, "network name -n invalid"],
  ["a used subnet", { subnets: [{ subnet: "10.89.0.0/25" }] }, "already used"],
  [
    "overlapping subnets",
    { subnets: [{ subnet: "10.1.0.0/16" }, { subnet: "10.1.1.0/24" }] },
    "overlapping subnets: 10.1.0.0/16 and 10.1.1.0/24",
  ],
  [
    "a gateway elsewhere",
    { subnets: [{ subnet: "10.1.0.0/16", gateway: "10.2.0.1" }] },
    "gateway 10.2.0.1 not in subnet",
  ],
  ["no room for a gateway", { subnets: [{ subnet: "10.1.0.0/31" }] }, "too small"],
  [
    "DHCP on a managed bridge",
    { ipam_options: { driver: "dhcp" } },
    "cannot use dhcp ipam driver without using the option mode=unmanaged",
  ],
  ["an ipam driver", { ipam_options: { driver: "static" } }, "unsupported ipam driver static"],
  ["a VLAN", { options: { vlan: "4095" } }, 'unable to parse "vlan"'],
  ["a route without a gateway", { routes: [{ destination: "10.9.0.0/16" }] }, "needs a valid gateway"],
  [
    "a route to nowhere through a gateway",
    { routes: [{ destination: "10.9.0.0/16", gateway: "10.89.1.1", route_type: "blackhole" }] },
    "takes no gateway",
  ],
])("completeNetwork() refuses %s", async (_, network, want) => {
  expect(await complete(withNetwork(network))).toEqual({ error: expect.stringContaining(want) })
})
