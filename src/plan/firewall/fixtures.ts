// One network and one endpoint for this folder's tests, with the fields that a case is about changed.

import { type Ip, parseIp } from "#inet/ip.ts"
import { type Mac, parseMac } from "#inet/mac.ts"
import { type Interface, type Prefix, parseInterface, parsePrefix } from "#inet/prefix.ts"
import { type Ifname, parseIfname } from "#model/name.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"

export function aNetwork(change: Partial<BridgeNetwork> = {}): BridgeNetwork {
  return {
    id: "000000000001",
    name: "web",
    createdAt: "2026-01-01T00:00:00Z",
    labels: {},
    driver: "bridge",
    bridge: ifname("br-web"),
    adopted: false,
    mac: mac("02:00:00:00:00:01"),
    gatewayMode: "nat",
    icc: true,
    internal: false,
    defaultRoute: true,
    containerIfname: "eth",
    subnets: [
      { prefix: prefix("10.89.0.0/24"), gateway: ip("10.89.0.1"), reserved: [] },
      { prefix: prefix("fd00:89::/64"), gateway: ip("fd00:89::1"), reserved: [] },
    ],
    ...change,
  }
}

export function anEndpoint(change: Partial<Endpoint> = {}): Endpoint {
  return {
    id: "000000000002",
    sandbox: "000000000003",
    network: "000000000001",
    ifname: ifname("eth0"),
    hostIfname: ifname("vethweb1"),
    mac: mac("02:00:00:00:00:02"),
    addresses: [address("10.89.0.2/24"), address("fd00:89::2/64")],
    gateways: [ip("10.89.0.1"), ip("fd00:89::1")],
    gatewayPriority: 0,
    aliases: [],
    publications: [],
    ...change,
  }
}

export const ADDRESS = {
  host4: ip("192.0.2.1"),
  host6: ip("2001:db8::1"),
  any6: ip("::"),
  elsewhere4: ip("10.90.0.2"),
  elsewhere6: ip("fd00:90::2"),
} as const

export function ip(text: string): Ip {
  return valid(parseIp(text), text)
}

export function mac(text: string): Mac {
  return valid(parseMac(text), text)
}

export function prefix(text: string): Prefix {
  return valid(parsePrefix(text), text)
}

export function address(text: string): Interface {
  return valid(parseInterface(text), text)
}

export function ifname(text: string): Ifname {
  return valid(parseIfname(text), text)
}

function valid<T>(value: T | undefined, text: string): T {
  if (value === undefined) {
    throw new Error(`fixture is malformed: ${text}`)
  }
  return value
}
