// Containers that another program connected, to a bridge of its own, with ports that linkspan publishes.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Ifname } from "#model/name.ts"
import type { ForeignNetwork } from "#model/network.ts"
import { foreignElements, foreignNetworkElements } from "#plan/firewall/foreign-elements.ts"
import { ipFrame, udp } from "./firewall-frames.ts"
import type { FirewallLab } from "./firewall-lab.ts"

const BRIDGE_MAC = "02:00:00:00:98:01"
const GUESTS = { u: 2, w: 3 } as const

export function buildGuests(lab: FirewallLab): void {
  lab.ip("host", [
    `link add br-guest address ${BRIDGE_MAC} type bridge mcast_snooping 0`,
    "addr add 10.98.0.1/24 dev br-guest",
    "addr add fd00:98::1/64 dev br-guest nodad",
  ])
  lab.sysctl("host", { "net.ipv6.conf.br-guest.accept_dad": "0", "net.ipv4.conf.br-guest.route_localnet": "1" })
  lab.ip("host", ["link set br-guest up"])
  const network: ForeignNetwork = {
    id: "0000000000ff",
    name: "guests",
    createdAt: "2026-01-01T00:00:00Z",
    labels: {},
    driver: "foreign",
    bridge: "br-guest" as Ifname,
    internal: false,
    defaultRoute: false,
    containerIfname: "eth",
    subnets: [],
  }
  lab.change({ add: foreignNetworkElements(network) })
  for (const [name, host] of Object.entries(GUESTS)) {
    lab.addNamespace(name)
    const mac = `02:00:00:00:98:0${host}`
    lab.ip("host", [
      `link add guest${host} type veth peer name eth0 netns ${lab.ns(name)} address ${mac}`,
      `link set guest${host} master br-guest up`,
    ])
    lab.ip(name, [
      `addr add 10.98.0.${host}/24 dev eth0`,
      `addr add fd00:98::${host}/64 dev eth0 nodad`,
      "link set eth0 up",
      "route add 0.0.0.0/0 via 10.98.0.1",
      "route add ::/0 via fd00:98::1",
    ])
    const endpoint = {
      id: "0000000000fe",
      sandbox: "0000000000fe",
      network: network.id,
      ifname: "eth0" as Ifname,
      hostIfname: `guest${host}` as Ifname,
      mac: mac as Mac,
      addresses: [
        { ip: `10.98.0.${host}` as Ip, length: 24 },
        { ip: `fd00:98::${host}` as Ip, length: 64 },
      ],
      gateways: [],
      gatewayPriority: 0,
      aliases: [],
      publications: name === "u" ? [{ protocol: "tcp" as const, hostPort: 8300, containerPort: 80, count: 1 }] : [],
    }
    lab.change({ add: foreignElements(network, endpoint) })
  }
}

/** What of three messages that concern loopback addresses a guest gets to the host, or through it. */
export async function guestsAtLoopback(lab: FirewallLab): Promise<string[]> {
  const marks = ["to loopback", "from loopback"]
  const message = (src: string, dst: string, text: string): string =>
    ipFrame(
      { src: "02:00:00:00:98:03", dst: BRIDGE_MAC },
      { src, dst, protocol: "udp", body: udp({ from: 7, to: 7778 }, text) },
    )
  lab.sysctl("host", { "net.ipv4.conf.br-guest.accept_local": "1" })
  const arrived = await lab.watch("host", { port: 7778 }, "the end", () =>
    lab.transmit("w", [
      message("10.98.0.3", "127.0.0.1", "to loopback"),
      message("127.0.0.9", "10.98.0.1", "from loopback"),
      message("10.98.0.3", "10.98.0.1", "the end"),
    ]),
  )
  const left = await lab.watch("neighbour", { ifname: "uplink" }, "the end", () =>
    lab.transmit("w", [
      message("127.0.0.9", "192.0.2.2", "from loopback"),
      message("10.98.0.3", "192.0.2.2", "the end"),
    ]),
  )
  lab.sysctl("host", { "net.ipv4.conf.br-guest.accept_local": "0" })
  return marks.filter((mark) =>
    [...arrived, ...left].some((bytes) => bytes.includes(Buffer.from(mark).toString("hex"))),
  )
}
