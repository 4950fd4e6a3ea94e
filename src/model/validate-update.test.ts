import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Ip } from "#inet/ip.ts"
import type { Network } from "./network.ts"
import { checkUpdateNetwork, fitUpdate, type NetworkUpdate } from "./validate-update.ts"

describe("checkUpdateNetwork()", () => {
  test("keeps what is absent absent", () => {
    expect(checkUpdateNetwork({ network: "web", mtu: 1400 })).toEqual({
      issues: [],
      value: { network: "web", addSubnets: [], addLabels: {}, removeLabels: [], mtu: 1400 },
    })
  })

  test("accepts every change at once", () => {
    const request = {
      network: "0123456789ab",
      addSubnets: [{ prefix: "10.9.0.0/24" }],
      mtu: 1400,
      internal: false,
      icc: true,
      gatewayMode: "routed",
      addLabels: { a: "b" },
      removeLabels: ["c"],
    }
    const addSubnets = [{ prefix: "10.9.0.0/24", reserved: [] }]
    expect(checkUpdateNetwork(request)).toEqual({
      issues: [],
      value: { ...request, addSubnets } as unknown as NetworkUpdate,
    })
  })

  test.each<[string, unknown, string[]]>([
    [
      "nothing to change",
      { network: "web" },
      [
        " changes nothing; give at least one of addSubnets, mtu, internal, icc, isolation, gatewayMode, addLabels, removeLabels, dns, dnsServers, dnsRecords, dnsCache",
      ],
    ],
    ["no network", { mtu: 1400 }, ["network is missing"]],
    [
      "isolating",
      { network: "web", gatewayMode: "isolated" },
      ['gatewayMode must be "nat" or "routed", not "isolated"'],
    ],
    ["a field of create", { network: "web", bridge: "br0", mtu: 1400 }, [' has no field "bridge"']],
    [
      "overlapping subnets",
      { network: "web", addSubnets: [{ prefix: "10.9.0.0/24" }, { prefix: "10.9.0.0/25" }] },
      ["addSubnets[1] 10.9.0.0/25 overlaps 10.9.0.0/24 of the same request"],
    ],
    [
      "a label both ways",
      { network: "web", addLabels: { a: "" }, removeLabels: ["b", "a"] },
      ['removeLabels[1] "a" is both added and removed'],
    ],
    [
      "a bad label key",
      { network: "web", removeLabels: ["a=b"] },
      ["removeLabels[0] \"a=b\" is not a label's key: use 1 to 255 printable ASCII characters without '=' or blanks"],
    ],
    ["null", null, [" must be an object, not null"]],
  ])("refuses %s", (_, request, want) => {
    const { issues, value } = checkUpdateNetwork(request)
    expect(value).toBeUndefined()
    expect(issues.map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })

  test("gives a value or issues for whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (mtu, addLabels) => {
        const { issues, value } = checkUpdateNetwork({ network: "web", mtu, addLabels })
        expect(value === undefined).toBe(issues.length > 0)
      }),
    )
  })
})

describe("fitUpdate()", () => {
  test.each<[string, Partial<Network>, object, object[]]>([
    ["a bridge network", {}, { addSubnets: [subnet("10.9.1.0/24")] }, [subnet("10.9.1.0/24", "10.9.1.1")]],
    ["an isolated one", { gatewayMode: "isolated" }, { addSubnets: [subnet("10.9.1.0/24")] }, [subnet("10.9.1.0/24")]],
    [
      "macvlan",
      { driver: "macvlan", mode: "bridge" },
      { addSubnets: [subnet("10.9.1.0/24")] },
      [subnet("10.9.1.0/24")],
    ],
  ])("gives a further subnet of %s the gateway that fits", (_, network, update, want) => {
    expect(fitUpdate(updateOf(update), networkOf(network)).value?.addSubnets).toEqual(want as never)
  })

  test.each<[string, Partial<Network>, object, string[]]>([
    [
      "its own subnet",
      {},
      { addSubnets: [subnet("10.9.0.128/25")] },
      ['addSubnets[0] 10.9.0.128/25 overlaps 10.9.0.0/24, which network "web" has already'],
    ],
    [
      "a full subnet",
      {},
      { addSubnets: [{ ...subnet("10.9.1.0/30"), reserved: ["10.9.1.2"] }] },
      ["addSubnets[0] 10.9.1.0/30 has no address left for a container beside the gateway and the reserved ones"],
    ],
    [
      "too many subnets",
      { subnets: many(60) },
      { addSubnets: many(5, 100) },
      ['addSubnets would give network "web" 65 subnets; at most 64 are allowed'],
    ],
    [
      "a small MTU with IPv6",
      { subnets: [subnet("fd00::/64")] } as never,
      { mtu: 1279 },
      ["mtu leaves an MTU of 1279 on a network with IPv6, which needs at least 1280 (RFC 8200 §5)"],
    ],
    [
      "IPv6 with a small MTU",
      { mtu: 1279 },
      { addSubnets: [subnet("fd00::/64")] },
      ["addSubnets leaves an MTU of 1279 on a network with IPv6, which needs at least 1280 (RFC 8200 §5)"],
    ],
    [
      "a gateway in isolated mode",
      { gatewayMode: "isolated" },
      { addSubnets: [subnet("10.9.1.0/24", "10.9.1.1")] },
      ["addSubnets[0].gateway 10.9.1.1 is not possible: in isolated mode the host has no address on the network"],
    ],
    [
      "NAT in isolated mode",
      { gatewayMode: "isolated" },
      { gatewayMode: "nat" },
      ['gatewayMode cannot change: network "web" was made isolated and has no gateway; make another network'],
    ],
    [
      "bridge options of macvlan",
      { driver: "macvlan", mode: "bridge" },
      { icc: false, gatewayMode: "nat", internal: true },
      [
        'icc is possible only with driver "bridge"; network "web" has "macvlan"',
        'gatewayMode is possible only with driver "bridge"; network "web" has "macvlan"',
        'internal only networks with driver "bridge" can be internal: what macvlan and ipvlan send passes none of linkspan\'s rules',
      ],
    ],
    [
      "an internal network to be open",
      { internal: true },
      { isolation: "open" },
      [
        'isolation cannot be "open": containers of a network that is internal, or whose gateway the host is not, meet no others',
      ],
    ],
    [
      "an open network with a source of its own to be internal",
      { isolation: "guarded", outbound: ["192.0.2.1" as Ip] },
      { internal: true },
      [
        'internal cannot be "guarded": containers of a network that is internal, or whose gateway the host is not, meet no others',
        'internal leaves no use for the outbound address 192.0.2.1 of network "web"; make another network',
      ],
    ],
  ])("refuses %s", (_, network, update, want) => {
    const { issues, value } = fitUpdate(updateOf(update), networkOf(network))
    expect(value).toBeUndefined()
    expect(issues.map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })

  test("lets a larger MTU in together with IPv6", () => {
    const update = updateOf({ mtu: 1500, addSubnets: [subnet("fd00::/64")] })
    expect(fitUpdate(update, networkOf({ mtu: 1000 })).issues).toEqual([])
  })
})

function updateOf(update: object): NetworkUpdate {
  return { network: "web", addSubnets: [], addLabels: {}, removeLabels: [], ...update } as NetworkUpdate
}

function networkOf(network: Partial<Network>): Network {
  return {
    name: "web",
    driver: "bridge",
    gatewayMode: "nat",
    subnets: [subnet("10.9.0.0/24", "10.9.0.1")],
    ...network,
  } as unknown as Network
}

function subnet(prefix: string, gateway?: string): Network["subnets"][number] {
  return {
    prefix,
    reserved: [],
    ...(gateway === undefined ? {} : { gateway }),
  } as unknown as Network["subnets"][number]
}

function many(count: number, from = 0): Network["subnets"] {
  return Array.from({ length: count }, (_, n) => subnet(`10.${from + n}.0.0/24`))
}
