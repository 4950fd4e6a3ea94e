// What ADD answers, made in the newest shape and cut down to the version that was asked for.

import { parseInterface, prefixContains } from "#inet/prefix.ts"
import type { Network } from "#model/network.ts"
import type { EndpointView } from "#model/view.ts"
import { isAtLeast, type Version } from "./versions.ts"

export interface ResultInterface {
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
  readonly sandbox?: string
}

export interface ResultIp {
  readonly address: string
  readonly gateway?: string
  /** Index into the interfaces. */
  readonly interface?: number
}

export interface ResultRoute {
  readonly dst: string
  readonly gw?: string
  readonly priority?: number
}

export interface ResultDns {
  readonly nameservers?: readonly string[]
  readonly domain?: string
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

export interface Result {
  readonly interfaces?: readonly ResultInterface[]
  readonly ips?: readonly ResultIp[]
  readonly routes?: readonly ResultRoute[]
  readonly dns?: ResultDns
}

/** Bridge, host's end, container's interface: the order that plugins behind this one look for. */
export function resultOf(
  endpoint: EndpointView,
  network: Network,
  { netns, dns }: { readonly netns: string; readonly dns: ResultDns },
): Result {
  const mtu = network.mtu === undefined ? {} : { mtu: network.mtu }
  const outside: ResultInterface[] =
    network.driver === "bridge" && endpoint.hostIfname !== undefined
      ? [
          { name: network.bridge, ...(network.mac === undefined ? {} : { mac: network.mac }), ...mtu },
          { name: endpoint.hostIfname, ...mtu },
        ]
      : []
  const interfaces = [...outside, { name: endpoint.ifname, mac: endpoint.mac, ...mtu, sandbox: netns }]
  const own = interfaces.length - 1
  const isIpv6 = (ip: string): boolean => ip.includes(":")
  // Also where it gives no default route: that is what the field has from other plugins.
  const gatewayFor = (address: string): string | undefined => {
    const ip = parseInterface(address)?.ip
    return (
      network.subnets.find(({ prefix }) => ip !== undefined && prefixContains(prefix, ip))?.gateway ??
      (network.subnets.length === 0 ? endpoint.gateways.find((gw) => isIpv6(gw) === isIpv6(address)) : undefined)
    )
  }
  return {
    interfaces,
    ips: endpoint.addresses.map((address) => {
      const gateway = gatewayFor(address)
      return { address, ...(gateway === undefined ? {} : { gateway }), interface: own }
    }),
    routes: [
      ...endpoint.gateways.map((gw) => ({ dst: isIpv6(gw) ? "::/0" : "0.0.0.0/0", gw })),
      ...(network.routes ?? []).flatMap(({ destination, via, metric }) =>
        via === undefined ? [] : [{ dst: destination, gw: via, ...(metric === undefined ? {} : { priority: metric }) }],
      ),
    ],
    dns,
  }
}

/** As JSON of that version, without what it does not know and without empty lists. */
export function resultAnswer(result: Result, version: Version): string {
  const is1 = isAtLeast(version, "1.0.0")
  const is11 = isAtLeast(version, "1.1.0")
  const interfaces = (result.interfaces ?? []).map(({ name, mac, mtu, sandbox }) => ({
    name,
    ...(mac === undefined ? {} : { mac }),
    ...(is11 && mtu !== undefined ? { mtu } : {}),
    ...(sandbox === undefined ? {} : { sandbox }),
  }))
  const ips = (result.ips ?? []).map((ip) => ({
    ...(is1 ? {} : { version: ip.address.includes(":") ? "6" : "4" }),
    ...(ip.interface === undefined ? {} : { interface: ip.interface }),
    address: ip.address,
    ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }),
  }))
  const routes = (result.routes ?? []).map(({ dst, gw, priority }) => ({
    dst,
    ...(gw === undefined ? {} : { gw }),
    ...(is11 && priority !== undefined ? { priority } : {}),
  }))
  const dns = result.dns ?? {}
  return `${JSON.stringify({
    cniVersion: version,
    ...(interfaces.length === 0 ? {} : { interfaces }),
    ...(ips.length === 0 ? {} : { ips }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(is1 && Object.keys(dns).length === 0 ? {} : { dns }),
  })}\n`
}
