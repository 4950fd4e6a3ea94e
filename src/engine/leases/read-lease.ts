// From a server's answer to a lease. What a server leaves out has a meaning, and what makes no sense is not taken.

import { type Ip, isLoopback } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Lease, LeaseTimes } from "#model/lease.ts"
import { ipsOption, isHost, maskOption, nameOption, routesOption, secondsOption } from "#wire/dhcp/fields.ts"
import type { DhcpMessage } from "#wire/dhcp/message.ts"
import { OPTION, type Options } from "#wire/dhcp/options.ts"

/** RFC 2131 §3.3. */
const FOR_EVER = 0xffff_ffff
const MOST_ROUTES = 64

/** How the answer came. */
export interface Arrival {
  /** When the request was made that it answers. */
  readonly askedAt: Date
  readonly sender?: Mac
}

/** An offer's or an acknowledgement's; undefined when it is not one that a host could use. */
export function readLease(answer: DhcpMessage, { askedAt, sender }: Arrival): Lease | undefined {
  const { yiaddr: ip, options } = answer
  const [server] = ipsOption(options, OPTION.serverId)
  if (server === undefined || !isHost(ip) || isLoopback(ip)) {
    return undefined
  }
  const times = readTimes(options)
  const domain = nameOption(options, OPTION.domainName)
  return {
    address: { ip, length: maskOption(options, OPTION.subnetMask) ?? classLength(ip) },
    server,
    ...(sender === undefined ? {} : { serverMac: sender }),
    ...readRoutes(options),
    dnsServers: ipsOption(options, OPTION.domainNameServer),
    ...(domain === undefined ? {} : { domain }),
    obtainedAt: askedAt.toISOString(),
    ...(times === undefined ? {} : { times }),
  }
}

/** Without times of the server's own: a half and seven eighths (RFC 2131 §4.4.5). */
function readTimes(options: Options): LeaseTimes | undefined {
  const seconds = secondsOption(options, OPTION.leaseTime)
  if (seconds === undefined || seconds === FOR_EVER) {
    return undefined
  }
  const rebind = secondsOption(options, OPTION.rebindingTime) ?? seconds
  const rebindSeconds = rebind < seconds ? rebind : (seconds * 7) / 8
  const renew = secondsOption(options, OPTION.renewalTime) ?? rebindSeconds
  return { renewSeconds: renew < rebindSeconds ? renew : Math.min(seconds / 2, rebindSeconds), rebindSeconds, seconds }
}

/** Whoever sends classless routes means them instead of the router (RFC 3442). */
function readRoutes(options: Options): Pick<Lease, "gateway" | "routes"> {
  const routes = routesOption(options, OPTION.classlessRoutes)
  const isDefault = ({ destination }: { readonly destination: string }): boolean => destination.endsWith("/0")
  const gateway = routes === undefined ? ipsOption(options, OPTION.router)[0] : routes.find(isDefault)?.via
  return {
    ...(gateway === undefined || !isHost(gateway) ? {} : { gateway }),
    routes: (routes ?? []).filter((route) => !isDefault(route)).slice(0, MOST_ROUTES),
  }
}

/** What an address without a mask was taken for before there were masks (RFC 950 §2.1). */
function classLength(ip: Ip): number {
  const first = Number(ip.slice(0, ip.indexOf(".")))
  return first < 128 ? 8 : first < 192 ? 16 : 24
}
