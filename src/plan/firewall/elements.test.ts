import { describe, expect, test } from "bun:test"
import type { BridgeNetwork } from "#model/network.ts"
import type { Publication } from "#model/sandbox.ts"
import { endpointElements, networkElements } from "./elements.ts"
import { ADDRESS, aNetwork, anEndpoint } from "./fixtures.ts"
import { renderElement } from "./render.ts"

function lines(elements: readonly Parameters<typeof renderElement>[0][]): string[] {
  return elements.map((element) => `${element.table} ${element.set} ${renderElement(element)}`)
}

describe("networkElements()", () => {
  const cases: readonly { name: string; network: Partial<BridgeNetwork>; want: readonly string[] }[] = [
    {
      name: "a NAT network may be left, is entered through publications, and is rewritten on the way out",
      network: {},
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_nat',
        "inet masquerade4 10.89.0.0/24",
        'inet hairpin4 10.89.0.0/24 . "br-web"',
        "inet masquerade6 fd00:89::/64",
        'inet hairpin6 fd00:89::/64 . "br-web"',
      ],
    },
    {
      name: "a routed network is rewritten nowhere",
      network: { gatewayMode: "routed" },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_routed',
      ],
    },
    {
      name: "a network that is entered directly is let into by another chain",
      network: { direct: true },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_direct',
        "inet masquerade4 10.89.0.0/24",
        'inet hairpin4 10.89.0.0/24 . "br-web"',
        "inet masquerade6 fd00:89::/64",
        'inet hairpin6 fd00:89::/64 . "br-web"',
      ],
    },
    {
      name: "an open network is one that others meet, a guarded one meets open ones",
      network: { isolation: "open", gatewayMode: "routed", icc: false },
      want: [
        'inet bridges "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_routed',
        'inet open "br-web"',
        'inet open_or_guarded "br-web"',
      ],
    },
    {
      name: "what leaves has the address that was chosen for its family",
      network: { isolation: "guarded", outbound: [ADDRESS.host6] },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_nat',
        'inet open_or_guarded "br-web"',
        "inet masquerade4 10.89.0.0/24",
        'inet hairpin4 10.89.0.0/24 . "br-web"',
        "inet outbound6 fd00:89::/64 : 2001:db8::1",
        'inet hairpin6 fd00:89::/64 . "br-web"',
      ],
    },
    {
      name: "what leaves keeps its address where nobody is to change it, and ports are published all the same",
      network: { masquerade: false },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_nat',
        'inet hairpin4 10.89.0.0/24 . "br-web"',
        'inet hairpin6 fd00:89::/64 . "br-web"',
      ],
    },
    {
      name: "names are asked at port 53, wherever another program answers them",
      network: { gatewayMode: "routed", dns: { enabled: true, servers: [], records: [], elsewhere: true, port: 5353 } },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_routed',
        "inet published4_at 10.89.0.1 . tcp . 53 : 10.89.0.1 . 5353",
        "inet published4_at 10.89.0.1 . udp . 53 : 10.89.0.1 . 5353",
        "inet published6_at fd00:89::1 . tcp . 53 : fd00:89::1 . 5353",
        "inet published6_at fd00:89::1 . udp . 53 : fd00:89::1 . 5353",
      ],
    },
    {
      name: "an internal network is neither left nor entered, and sees only its gateway",
      network: { internal: true },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet confined "br-web"',
        'inet leaving "br-web" : goto refuse',
        'inet reaching "br-web" : goto reach_gateway',
      ],
    },
    {
      name: "an isolated network gets no answer at all",
      network: { gatewayMode: "isolated" },
      want: [
        'inet bridges "br-web"',
        'inet same_network "br-web" . "br-web"',
        'inet confined "br-web"',
        'inet leaving "br-web" : drop',
        'inet reaching "br-web" : drop',
        "bridge isolated4 10.89.0.0/24",
      ],
    },
    {
      name: "without inter-container communication the bridge is no network to itself",
      network: { icc: false, gatewayMode: "routed" },
      want: [
        'inet bridges "br-web"',
        'inet leaving "br-web" : goto leave',
        'inet entering "br-web" : jump enter_routed',
      ],
    },
  ]
  for (const { name, network, want } of cases) {
    test(name, () => {
      expect(lines(networkElements(aNetwork(network)))).toEqual([...want])
    })
  }
})

describe("endpointElements()", () => {
  test("a port may send from its own MAC, its addresses and the link-local address of its MAC", () => {
    expect(lines(endpointElements(aNetwork(), anEndpoint()))).toEqual([
      'bridge macs "vethweb1" . 02:00:00:00:00:02',
      'bridge sources4 "vethweb1" . 02:00:00:00:00:02 . 10.89.0.2',
      'bridge sources6 "vethweb1" . 02:00:00:00:00:02 . fd00:89::2',
      'bridge sources6 "vethweb1" . 02:00:00:00:00:02 . fe80::ff:fe00:2',
      'bridge advertised6 "vethweb1" . 02:00:00:00:00:02 . 0xfd000089000000000000000000000002',
      'bridge advertised6 "vethweb1" . 02:00:00:00:00:02 . 0xfe80000000000000000000fffe000002',
    ])
  })

  test("a container's addresses on other networks may send, and are not claimed", () => {
    const elements = endpointElements(aNetwork(), anEndpoint(), [ADDRESS.elsewhere4, ADDRESS.elsewhere6])
    const more = lines(elements).filter((line) => !lines(endpointElements(aNetwork(), anEndpoint())).includes(line))
    expect(more).toEqual([
      'bridge sources4 "vethweb1" . 02:00:00:00:00:02 . 10.90.0.2',
      'bridge sources6 "vethweb1" . 02:00:00:00:00:02 . fd00:90::2',
    ])
  })

  test("a port of an isolated network is detached from the host", () => {
    expect(lines(endpointElements(aNetwork({ gatewayMode: "isolated" }), anEndpoint()))).toContain(
      'bridge detached "vethweb1"',
    )
  })

  const publications: readonly {
    name: string
    network?: Partial<BridgeNetwork>
    publication: Publication
    want: readonly string[]
  }[] = [
    {
      name: "a port on every address is published in each family that the endpoint has",
      publication: { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
      want: ["inet published4 tcp . 8080 : 10.89.0.2 . 80", "inet published6 tcp . 8080 : fd00:89::2 . 80"],
    },
    {
      name: "a port on one address is published there",
      publication: { protocol: "udp", hostIp: ADDRESS.host4, hostPort: 53, containerPort: 5353, count: 1 },
      want: ["inet published4_at 192.0.2.1 . udp . 53 : 10.89.0.2 . 5353"],
    },
    {
      name: "0.0.0.0 and :: are every address of their family",
      publication: { protocol: "tcp", hostIp: ADDRESS.any6, hostPort: 8080, containerPort: 80, count: 1 },
      want: ["inet published6 tcp . 8080 : fd00:89::2 . 80"],
    },
    {
      name: "a range is one element a port, each at its own distance",
      publication: { protocol: "sctp", hostIp: ADDRESS.host6, hostPort: 7000, containerPort: 9000, count: 3 },
      want: [
        "inet published6_at 2001:db8::1 . sctp . 7000 : fd00:89::2 . 9000",
        "inet published6_at 2001:db8::1 . sctp . 7001 : fd00:89::2 . 9001",
        "inet published6_at 2001:db8::1 . sctp . 7002 : fd00:89::2 . 9002",
      ],
    },
    {
      name: "a name server on every address leaves the gateways to linkspan's names",
      publication: { protocol: "udp", hostPort: 53, containerPort: 5353, count: 1 },
      want: [
        "inet published4 udp . 53 : 10.89.0.2 . 5353",
        "inet published6 udp . 53 : fd00:89::2 . 5353",
        "inet published4_at 10.89.0.1 . udp . 53 : 10.89.0.1 . 53",
        "inet published6_at fd00:89::1 . udp . 53 : fd00:89::1 . 53",
      ],
    },
    {
      name: "and takes them where linkspan answers no names",
      network: { dns: { enabled: false, servers: [], records: [] } },
      publication: { protocol: "udp", hostIp: ADDRESS.any6, hostPort: 53, containerPort: 5353, count: 1 },
      want: ["inet published6 udp . 53 : fd00:89::2 . 5353"],
    },
    {
      name: "a routed network's port is opened where it is",
      network: { gatewayMode: "routed" },
      publication: { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
      want: ["inet opened4 10.89.0.2 . tcp . 80", "inet opened6 fd00:89::2 . tcp . 80"],
    },
    {
      name: "an internal network publishes nothing",
      network: { internal: true },
      publication: { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
      want: [],
    },
  ]
  for (const { name, network, publication, want } of publications) {
    test(name, () => {
      const elements = endpointElements(aNetwork(network), anEndpoint({ publications: [publication] }))
      expect(lines(elements).filter((line) => /^inet /.test(line))).toEqual([...want])
    })
  }
})
