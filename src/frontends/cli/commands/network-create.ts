import { presentOnly } from "#model/field.ts"
import {
  GATEWAY_MODES,
  IPAM_DRIVERS,
  IPVLAN_MODES,
  ISOLATIONS,
  MACVLAN_MODES,
  NETWORK_DRIVERS,
} from "#model/network.ts"
import { change } from "../command.ts"
import { NETWORK_DNS, networkDnsOrigins, readNetworkDns } from "../parts/dns.ts"
import { LABEL, readLabels } from "../parts/labels.ts"
import { readSubnets, SUBNETS, subnetOrigins } from "../parts/subnets.ts"
import { integer, text } from "../value.ts"

export const command = change({
  summary: "Make a network",
  description: [
    "A bridge network is one Linux bridge: containers are its ports, the host's own end of it is their gateway. Without --subnet a free subnet is picked that no network, route or address of this host overlaps.",
    "--gateway, --ip-range and --reserve belong to the subnet that holds them.",
  ],
  positionals: { name: { kind: "required", value: text("NAME") } },
  options: {
    driver: {
      kind: "one",
      short: "d",
      value: text("DRIVER", { words: NETWORK_DRIVERS }),
      about: "bridge (the default), macvlan or ipvlan",
    },
    ...SUBNETS,
    ipam: {
      kind: "one",
      value: text("IPAM", { words: IPAM_DRIVERS }),
      about: "Who gives addresses: pool (linkspan, the default) or dhcp (a DHCP server on the network)",
    },
    ipv4: { kind: "flag", negatable: true, about: "Whether containers get IPv4 (the default)" },
    ipv6: {
      kind: "flag",
      negatable: true,
      about: "Pick a private IPv6 subnet (ULA) when none is given; with DHCP, take what routers advertise (SLAAC)",
    },
    internal: { kind: "flag", about: "No way out or in beyond the bridge" },
    "gateway-mode": {
      kind: "one",
      value: text("MODE", { words: GATEWAY_MODES }),
      about:
        "nat (the default), routed (the host rewrites nothing) or isolated (the host has no address on the bridge)",
    },
    nat: { kind: "flag", negatable: true, about: "--no-nat is --gateway-mode routed" },
    icc: {
      kind: "flag",
      negatable: true,
      about: "Whether the network's containers may talk to each other (the default)",
    },
    isolation: {
      kind: "one",
      value: text("HOW", { words: ISOLATIONS }),
      about:
        "Which other networks' containers its own meet: none (strict, the default), those of open networks (guarded), of open and guarded ones (open)",
    },
    outbound: {
      kind: "many",
      value: text("IP"),
      about: "What the world sees instead of the address of the interface by which packets leave; one a family",
    },
    masquerade: {
      kind: "flag",
      negatable: true,
      about: "Whether what leaves a NAT network gets the host's address (the default)",
    },
    direct: {
      kind: "flag",
      about:
        "Who is outside and has a route reaches all ports of the containers' own addresses, not published ones alone",
    },
    "default-route": {
      kind: "flag",
      negatable: true,
      about: "Whether containers get a default route through this network (the default)",
    },
    metric: { kind: "one", value: integer("N"), about: "Metric of the containers' routes through this network" },
    mtu: { kind: "one", value: integer("BYTES"), about: "Largest packet" },
    bridge: { kind: "one", value: text("IFNAME"), about: "Name of the bridge to make" },
    adopt: {
      kind: "one",
      value: text("IFNAME"),
      about: "Use this bridge, which exists already and will never be deleted",
    },
    vlan: {
      kind: "one",
      value: integer("ID"),
      about: "The containers' ports are in this VLAN of the bridge, untagged",
    },
    vrf: { kind: "one", value: text("IFNAME"), about: "Put the new bridge into this VRF device of the host's" },
    "container-ifname": {
      kind: "one",
      value: text("PREFIX"),
      about: "Name of the interface inside containers, a number follows (default eth)",
    },
    parent: {
      kind: "one",
      value: text("IFNAME"),
      about: "The host's interface below a macvlan or ipvlan network (default: that of the default route)",
    },
    mode: {
      kind: "one",
      value: text("MODE", { words: [...MACVLAN_MODES, ...IPVLAN_MODES] }),
      about: "Of macvlan: bridge (the default), private, vepa, passthru, source; of ipvlan: l2, l3, l3s",
    },
    "broadcast-cutoff": {
      kind: "one",
      value: integer("N"),
      about: "Of macvlan: from how many interfaces on broadcasts are queued rather than delivered at once",
    },
    ...NETWORK_DNS,
    ...LABEL,
  },
  examples: [
    { line: "linkspan network create web", about: "A bridge with NAT and a free subnet" },
    { line: "linkspan network create web --subnet 10.89.0.0/24 --ipv6", about: "Dual stack" },
    {
      line: "linkspan network create db --internal --subnet 10.89.7.0/24 --ip-range 10.89.7.128/25 --reserve 10.89.7.200",
      about: "No way out; addresses from the upper half but one",
    },
    {
      line: "linkspan network create lan --driver macvlan --parent eth0 --subnet 192.168.1.0/24 --gateway 192.168.1.1",
      about: "Containers on the host's own network",
    },
    {
      line: "linkspan network create lan --driver macvlan --parent eth0 --ipam dhcp",
      about: "The same, with addresses from the network's own DHCP server",
    },
    {
      line: "linkspan network create web --dns 192.0.2.53 --dns-record '*.apps=10.89.0.80'",
      about: "A name server of its own for the rest of the world, and a name for a whole domain",
    },
    { line: "linkspan network create web --dry-run", about: "See what would be done" },
  ],
  request({ positionals, options }, refuse) {
    const subnets = readSubnets(options, refuse)
    const gatewayMode = readGatewayMode(options.nat, options["gateway-mode"], refuse)
    return {
      name: positionals.name,
      ...(subnets.length === 0 ? {} : { subnets }),
      ...(options.outbound.length === 0 ? {} : { outbound: options.outbound }),
      ...presentOnly({
        driver: options.driver,
        ipam: options.ipam,
        ipv4: options.ipv4,
        ipv6: options.ipv6,
        internal: options.internal,
        gatewayMode,
        icc: options.icc,
        isolation: options.isolation,
        masquerade: options.masquerade,
        direct: options.direct,
        defaultRoute: options["default-route"],
        metric: options.metric,
        mtu: options.mtu,
        bridge: options.bridge,
        adopt: options.adopt,
        vlan: options.vlan,
        vrf: options.vrf,
        containerIfname: options["container-ifname"],
        parent: options.parent,
        mode: options.mode,
        broadcastCutoff: options["broadcast-cutoff"],
      }),
      ...readNetworkDns(options),
      ...readLabels(options.label),
    }
  },
  check: async (request) => (await import("#model/validate-network.ts")).checkCreateNetwork(request).issues,
  origins: ({ options }) => ({
    name: "NAME",
    driver: "--driver",
    ...subnetOrigins("subnets", options),
    ipam: "--ipam",
    ipv4: "--no-ipv4",
    ipv6: "--ipv6",
    internal: "--internal",
    gatewayMode: options["gateway-mode"] === undefined ? "--no-nat" : "--gateway-mode",
    icc: "--icc",
    isolation: "--isolation",
    outbound: "--outbound",
    masquerade: "--masquerade",
    direct: "--direct",
    defaultRoute: "--default-route",
    metric: "--metric",
    mtu: "--mtu",
    bridge: "--bridge",
    adopt: "--adopt",
    vlan: "--vlan",
    vrf: "--vrf",
    containerIfname: "--container-ifname",
    parent: "--parent",
    mode: "--mode",
    broadcastCutoff: "--broadcast-cutoff",
    ...networkDnsOrigins(options),
    labels: "--label",
  }),
  change: (engine, request, options) => engine.networks.create(request, options),
  show: ({ network }) => `${network.name}\n`,
})

function readGatewayMode(
  nat: boolean | undefined,
  mode: string | undefined,
  refuse: (option: string, message: string) => void,
): string | undefined {
  const meant = nat === undefined ? undefined : nat ? "nat" : "routed"
  if (mode !== undefined && meant !== undefined && mode !== meant) {
    refuse(nat === true ? "--nat" : "--no-nat", `contradicts --gateway-mode ${mode}`)
  }
  return mode ?? meant
}
