import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Ip } from "#inet/ip.ts"
import { hostAddressesOverlap } from "./host-address.ts"
import type { Network } from "./network.ts"
import type { PublishRequest } from "./request.ts"
import { checkPublish, checkUnpublish, type PublicationDraft, publishMisfits } from "./validate-publish.ts"

describe("checkPublish()", () => {
  test.each<[string, PublishRequest, object]>([
    ["a container port alone", { containerPort: 80 }, { protocol: "tcp", containerPort: 80, count: 1 }],
    [
      "both ports",
      { hostPort: 8080, containerPort: 80 },
      { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
    ],
    ["udp and sctp", { protocol: "sctp", containerPort: 80 }, { protocol: "sctp", containerPort: 80, count: 1 }],
    [
      "every port",
      { hostPort: 1, containerPort: 1, count: 65535 },
      { protocol: "tcp", hostPort: 1, containerPort: 1, count: 65535 },
    ],
    [
      "the last port",
      { hostPort: 65535, containerPort: 65535 },
      { protocol: "tcp", hostPort: 65535, containerPort: 65535, count: 1 },
    ],
    ["a chosen run of ports", { containerPort: 80, count: 3 }, { protocol: "tcp", containerPort: 80, count: 3 }],
    [
      "one IPv4 address",
      { hostIp: "192.0.2.1", containerPort: 80 },
      { protocol: "tcp", hostIp: "192.0.2.1", containerPort: 80, count: 1 },
    ],
    [
      "loopback",
      { hostIp: "127.0.0.1", containerPort: 80 },
      { protocol: "tcp", hostIp: "127.0.0.1", containerPort: 80, count: 1 },
    ],
    [
      "every IPv4 address",
      { hostIp: "0.0.0.0", containerPort: 80 },
      { protocol: "tcp", hostIp: "0.0.0.0", containerPort: 80, count: 1 },
    ],
    [
      "every IPv6 address",
      { hostIp: "0::0", containerPort: 80 },
      { protocol: "tcp", hostIp: "::", containerPort: 80, count: 1 },
    ],
  ])("accepts %s", (_, request, want) => {
    expect(checkPublish([request])).toEqual({ issues: [], value: [want as PublicationDraft] })
  })

  test.each<[string, unknown, string[]]>([
    ["no container port", [{ hostPort: 80 }], ["[0].containerPort is missing"]],
    [
      "port 0",
      [{ hostPort: 0, containerPort: 0 }],
      [
        "[0].hostPort 0 is no port; leave the host port out to have one chosen",
        "[0].containerPort must be a whole number from 1 to 65535, not 0",
      ],
    ],
    [
      "ports beyond",
      [{ hostPort: 65536, containerPort: 1e9 }],
      [
        "[0].hostPort must be a whole number from 1 to 65535, not 65536",
        "[0].containerPort must be a whole number from 1 to 65535, not 1000000000",
      ],
    ],
    ["no ports", [{ containerPort: 80, count: 0 }], ["[0].count must be a whole number from 1 to 65535, not 0"]],
    [
      "a run beyond the end",
      [{ hostPort: 65530, containerPort: 65531, count: 10 }],
      [
        "[0].hostPort 65530 is too high for 10 consecutive ports: the last would be 65539, beyond 65535",
        "[0].containerPort 65531 is too high for 10 consecutive ports: the last would be 65540, beyond 65535",
      ],
    ],
    [
      "text for a port",
      [{ containerPort: "80" }],
      ['[0].containerPort must be a whole number from 1 to 65535, not "80"'],
    ],
    [
      "another protocol",
      [{ protocol: "icmp", containerPort: 80 }],
      ['[0].protocol must be "tcp", "udp" or "sctp", not "icmp"'],
    ],
    [
      "another case",
      [{ protocol: "TCP", containerPort: 80 }],
      ['[0].protocol must be "tcp", "udp" or "sctp", not "TCP"; did you mean "tcp"?'],
    ],
    [
      "a host name",
      [{ hostIp: "localhost", containerPort: 80 }],
      ['[0].hostIp "localhost" is not an address: write IPv4 as 10.89.0.2 or IPv6 as fd00::2'],
    ],
    [
      "multicast",
      [
        { hostIp: "239.1.1.1", containerPort: 80 },
        { hostIp: "ff02::1", containerPort: 81 },
      ],
      [
        '[0].hostIp 239.1.1.1 is no single host\'s address; ports are published at an address of this host, at "0.0.0.0" or at "::"',
        '[1].hostIp ff02::1 is no single host\'s address; ports are published at an address of this host, at "0.0.0.0" or at "::"',
      ],
    ],
    [
      "broadcast",
      [{ hostIp: "255.255.255.255", containerPort: 80 }],
      [
        '[0].hostIp 255.255.255.255 is no single host\'s address; ports are published at an address of this host, at "0.0.0.0" or at "::"',
      ],
    ],
    [
      "link-local",
      [{ hostIp: "fe80::1", containerPort: 80 }],
      ["[0].hostIp fe80::1 is link-local: it may exist on every interface, so it does not say where to publish"],
    ],
    [
      "this network",
      [{ hostIp: "0.0.0.1", containerPort: 80 }],
      ['[0].hostIp 0.0.0.1 is no host\'s address (RFC 1122 §3.2.1.3); write "0.0.0.0" for every IPv4 address'],
    ],
    ["no list", { containerPort: 80 }, [" must be a list, not an object"]],
    [
      "an unknown field",
      [{ containerPort: 80, hostport: 8080 }],
      ['[0] has no field "hostport"; did you mean "hostPort"?'],
    ],
    [
      "too many ports",
      [{ hostPort: 1, containerPort: 1, count: 65535 }, { containerPort: 80 }],
      [" publishes 65536 tcp ports; at most 65535 are possible"],
    ],
  ])("refuses %s", (_, request, want) => {
    const { issues, value } = checkPublish(request)
    expect(value).toBeUndefined()
    expect(issues.map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })

  test("all ports of every protocol are possible", () => {
    const all = (protocol: string) => ({ protocol, hostPort: 1, containerPort: 1, count: 65535 })
    expect(checkPublish([all("tcp"), all("udp"), all("sctp")]).issues).toEqual([])
  })
})

describe("host ports that lead to two places", () => {
  const at = (hostIp: string | undefined, hostPort: number, count = 1, protocol = "tcp") =>
    ({
      hostPort,
      containerPort: 80,
      count,
      protocol,
      ...(hostIp === undefined ? {} : { hostIp }),
    }) satisfies PublishRequest

  test.each<[string, PublishRequest[], string[]]>([
    ["the same port", [at(undefined, 8080), at(undefined, 8080)], ["[1] has host ports in common with [0]"]],
    ["overlapping runs", [at(undefined, 8080, 10), at(undefined, 8089, 10)], ["[1] has host ports in common with [0]"]],
    ["touching runs", [at(undefined, 8080, 10), at(undefined, 8090, 10)], []],
    ["two protocols", [at(undefined, 8080), at(undefined, 8080, 1, "udp")], []],
    ["two addresses", [at("192.0.2.1", 8080), at("192.0.2.2", 8080)], []],
    ["one address twice", [at("192.0.2.1", 8080), at("192.0.2.1", 8080)], ["[1] has host ports in common with [0]"]],
    [
      "everywhere and one address",
      [at(undefined, 8080), at("192.0.2.1", 8080)],
      ["[1] has host ports in common with [0]"],
    ],
    [
      "one address and everywhere",
      [at("192.0.2.1", 8080), at(undefined, 8080)],
      ["[1] has host ports in common with [0]"],
    ],
    ["IPv4 and IPv6", [at("0.0.0.0", 8080), at("::", 8080)], []],
    ["everywhere and IPv6", [at(undefined, 8080), at("::", 8080)], ["[1] has host ports in common with [0]"]],
    ["all of IPv4 and an IPv6 address", [at("0.0.0.0", 8080), at("2001:db8::1", 8080)], []],
    [
      "all of IPv4 and an IPv4 address",
      [at("0.0.0.0", 8080), at("127.0.0.1", 8080)],
      ["[1] has host ports in common with [0]"],
    ],
    ["ports still to be chosen", [{ containerPort: 80 }, { containerPort: 80 }], []],
  ])("%s", (_, requests, want) => {
    expect(checkPublish(requests).issues.map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })

  test("are found when and only when two listeners would clash", () => {
    const one = fc.record({
      hostIp: fc.constantFrom(undefined, "0.0.0.0", "::", "192.0.2.1", "192.0.2.2", "2001:db8::1"),
      hostPort: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 3 }),
      protocol: fc.constantFrom("tcp", "udp"),
    })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (entries) => {
        const requests = entries.map(({ hostIp, ...rest }) => ({
          ...rest,
          containerPort: 80,
          ...(hostIp === undefined ? {} : { hostIp }),
        }))
        const clash = requests.some((a, index) =>
          requests.some(
            (b, other) =>
              other < index &&
              a.protocol === b.protocol &&
              a.hostPort < b.hostPort + b.count &&
              b.hostPort < a.hostPort + a.count &&
              hostAddressesOverlap(a.hostIp as Ip | undefined, b.hostIp as Ip | undefined),
          ),
        )
        expect(checkPublish(requests).issues.length > 0).toBe(clash)
      }),
      { numRuns: 2000 },
    )
  })

  test("are no mistake when they are to be withdrawn", () => {
    expect(checkUnpublish([at(undefined, 8080), at(undefined, 8080)]).issues).toEqual([])
    expect(checkUnpublish([{ containerPort: 0 }]).issues).toHaveLength(1)
  })

  test("are looked for among 65,535 in one pass", () => {
    const requests = Array.from({ length: 65_535 }, (_, n) => at("192.0.2.1", n + 1))
    // Processor time: how busy the machine is must not matter. Each with each would be two thousand million looks.
    const before = process.cpuUsage()
    expect(checkPublish(requests).issues).toEqual([])
    expect(process.cpuUsage(before).user).toBeLessThan(4_000_000)
  })
})

describe("publishMisfits()", () => {
  const web = network({ name: "web" })
  const hidden = network({ name: "hidden", internal: true })
  const bare = network({ name: "bare", gatewayMode: "isolated" })
  const lan = network({ name: "lan", driver: "macvlan" })

  test.each<[string, Network[], object[], string[]]>([
    ["a bridge network", [web], [{}], []],
    ["nothing to publish", [], [], []],
    ["one of several", [hidden, lan, web], [{}], []],
    ["none", [], [{}], ["publish needs a network that the host can reach: the container is on none"]],
    [
      "an internal one",
      [hidden],
      [{}],
      ['publish needs a network that the host can reach: network "hidden" is internal'],
    ],
    [
      "three that cannot",
      [hidden, bare, lan],
      [{}],
      [
        'publish needs a network that the host can reach: network "hidden" is internal; network "bare" is isolated from the host; network "lan" has driver "macvlan", whose containers are on the parent\'s own network',
      ],
    ],
    [
      "IPv4 without it",
      [network({ name: "six", subnets: [{ prefix: "fd00::/64" }] })],
      [{}, { hostIp: "192.0.2.1" }],
      ["publish[1].hostIp 192.0.2.1 is IPv4, which none of the container's networks has"],
    ],
    [
      "IPv6 without it",
      [web],
      [{ hostIp: "::" }],
      ["publish[0].hostIp :: is IPv6, which none of the container's networks has"],
    ],
  ])("%s", (_, networks, publications, want) => {
    const drafts = publications.map(
      (one) => ({ protocol: "tcp", containerPort: 80, count: 1, ...one }) as PublicationDraft,
    )
    expect(publishMisfits(drafts, networks, "publish").map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })
})

function network(parts: object): Network {
  return {
    driver: "bridge",
    gatewayMode: "nat",
    internal: false,
    subnets: [{ prefix: "10.9.0.0/24" }],
    ...parts,
  } as unknown as Network
}
