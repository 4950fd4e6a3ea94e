// From requests for published ports to checked ones: each by itself, next to each other, and next to the networks that
// are to carry them.

import { type Family, family, type Ip, isLinkLocal, isMulticast, isUnspecified } from "#inet/ip.ts"
import { PROTOCOLS, type Protocol } from "#inet/port.ts"
import { prefixFamily } from "#inet/prefix.ts"
import type { Issue } from "./errors.ts"
import {
  type Checked,
  checked,
  childField,
  type Field,
  integerFrom,
  isPresent,
  oneOf,
  optional,
  presentOnly,
  readList,
  readObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import { publishedFamilies } from "./host-address.ts"
import { isGateway, isPool, type Network } from "./network.ts"
import { readIp } from "./read-inet.ts"
import type { PublishRequest } from "./request.ts"
import type { Publication } from "./sandbox.ts"

/** A publication whose host port linkspan may still have to choose. */
export interface PublicationDraft extends Omit<Publication, "hostPort"> {
  readonly hostPort?: number
  /** Instead of one host port: those to choose from. */
  readonly hostPorts?: { readonly first: number; readonly last: number }
}

const PUBLISH_FIELDS = {
  protocol: true,
  hostIp: true,
  hostPort: true,
  hostPortEnd: true,
  containerPort: true,
  count: true,
} as const satisfies Record<keyof PublishRequest, true>

const LAST_PORT = 65535
const readPortNumber = integerFrom(1, LAST_PORT)

export function checkPublish(request: unknown): Checked<readonly PublicationDraft[]> {
  const root = rootField(request)
  return checked(root, readPublications(root))
}

/** The same shape names what to withdraw; there it does no harm to name a port twice. */
export function checkUnpublish(request: unknown): Checked<readonly PublicationDraft[]> {
  const root = rootField(request)
  return checked(root, readList(root, LAST_PORT, readPublication)?.filter(isPresent))
}

export function readPublications(field: Field): readonly PublicationDraft[] | undefined {
  const publications = readList(field, LAST_PORT, readPublication)
  if (publications === undefined) {
    return undefined
  }
  refuseTooMany(field, publications)
  refuseClashes(field, publications)
  return publications.filter(isPresent)
}

function readPublication(field: Field): PublicationDraft | undefined {
  const fields = readObject(field, PUBLISH_FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const protocol = fields.protocol.value === undefined ? "tcp" : oneOf(PROTOCOLS)(fields.protocol)
  const hostIp = optional(fields.hostIp, readHostAddress)
  const hostPort = optional(fields.hostPort, readHostPort)
  const last = optional(fields.hostPortEnd, readHostPort)
  const containerPort = required(fields.containerPort, readPortNumber)
  const count = optional(fields.count, readPortNumber) ?? 1
  checkLast(fields.hostPort, hostPort, count)
  checkLast(fields.containerPort, containerPort, count)
  if (last !== undefined && last < (hostPort ?? 1) + count - 1) {
    refuse(
      fields.hostPortEnd,
      `${last} is too low for ${count} ${count === 1 ? "port" : "ports"} from ${hostPort ?? 1} on`,
    )
  }
  const wanted = last === undefined ? { hostPort } : { hostPorts: { first: hostPort ?? 1, last } }
  return protocol === undefined || containerPort === undefined
    ? undefined
    : { protocol, containerPort, count, ...presentOnly({ hostIp, ...wanted }) }
}

function readHostPort(field: Field): number | undefined {
  return field.value === 0
    ? refuse(field, "0 is no port; leave the host port out to have one chosen")
    : readPortNumber(field)
}

function checkLast(field: Field, first: number | undefined, count: number): void {
  if (first !== undefined && first + count - 1 > LAST_PORT) {
    refuse(
      field,
      `${first} is too high for ${count} consecutive ports: the last would be ${first + count - 1}, beyond ${LAST_PORT}`,
    )
  }
}

/** 0.0.0.0 and :: stay as they are: every IPv4, or every IPv6, address of the host. */
function readHostAddress(field: Field): Ip | undefined {
  const ip = readIp(field)
  if (ip === undefined) {
    return undefined
  }
  if (isMulticast(ip) || ip === "255.255.255.255") {
    return refuse(
      field,
      `${ip} is no single host's address; ports are published at an address of this host, at "0.0.0.0" or at "::"`,
    )
  }
  if (isLinkLocal(ip) && family(ip) === 6) {
    return refuse(field, `${ip} is link-local: it may exist on every interface, so it does not say where to publish`)
  }
  if (family(ip) === 4 && ip.startsWith("0.") && !isUnspecified(ip)) {
    return refuse(field, `${ip} is no host's address (RFC 1122 §3.2.1.3); write "0.0.0.0" for every IPv4 address`)
  }
  return ip
}

/** Nobody has more ports than there are. */
function refuseTooMany(field: Field, publications: readonly (PublicationDraft | undefined)[]): void {
  for (const protocol of PROTOCOLS) {
    const total = publications.reduce((sum, one) => sum + (one?.protocol === protocol ? one.count : 0), 0)
    if (total > LAST_PORT) {
      refuse(field, `publishes ${total} ${protocol} ports; at most ${LAST_PORT} are possible`)
    }
  }
}

/** Host ports of one protocol and family that an entry wants, at one address or at all. */
interface Claim {
  readonly index: number
  readonly first: number
  readonly last: number
  /** Absent: everywhere. */
  readonly address?: Ip
}

/** Host ports of one request that would lead to two places. */
function refuseClashes(field: Field, publications: readonly (PublicationDraft | undefined)[]): void {
  const refused = new Set<number>()
  for (const protocol of PROTOCOLS) {
    for (const version of [4, 6] as const) {
      for (const pair of clashes(claims(publications, protocol, version))) {
        const [earlier = 0, later = 0] = pair.map(({ index }) => index).sort((a, b) => a - b)
        if (!refused.has(later)) {
          refused.add(later)
          refuse(childField(field, later, undefined), `has host ports in common with ${field.path}[${earlier}]`)
        }
      }
    }
  }
}

function claims(publications: readonly (PublicationDraft | undefined)[], protocol: Protocol, version: Family): Claim[] {
  return publications
    .flatMap((one, index): Claim[] => {
      if (one?.hostPort === undefined || one.protocol !== protocol || !publishedFamilies(one).includes(version)) {
        return []
      }
      const ports = { index, first: one.hostPort, last: one.hostPort + one.count - 1 }
      return one.hostIp === undefined || isUnspecified(one.hostIp) ? [ports] : [{ ...ports, address: one.hostIp }]
    })
    .sort((a, b) => a.first - b.first)
}

/** @param sorted by their first port, so that the claim reaching furthest among the earlier ones decides. */
function* clashes(sorted: readonly Claim[]): Generator<readonly [Claim, Claim]> {
  let ofAll: Claim | undefined
  let everywhere: Claim | undefined
  const byAddress = new Map<Ip, Claim>()
  for (const claim of sorted) {
    const { address } = claim
    const rival = address === undefined ? ofAll : furthest(everywhere, byAddress.get(address))
    if (rival !== undefined && rival.last >= claim.first) {
      yield [rival, claim]
    }
    ofAll = furthest(ofAll, claim)
    if (address === undefined) {
      everywhere = furthest(everywhere, claim)
    } else {
      byAddress.set(address, furthest(byAddress.get(address), claim) ?? claim)
    }
  }
}

function furthest(a: Claim | undefined, b: Claim | undefined): Claim | undefined {
  return a === undefined || (b !== undefined && b.last > a.last) ? b : a
}

/** Whether the host can lead published ports into the network. */
export function canPublish(network: Network): boolean {
  return network.driver === "foreign"
    ? !isPool(network)
    : network.driver === "bridge" && !network.internal && isGateway(network)
}

/**
 * Why the container's networks cannot carry its publications.
 * @param path where the publications stood in their request: "publish", or "" for `publish` itself.
 */
export function publishMisfits(
  publications: readonly PublicationDraft[],
  networks: readonly Network[],
  path = "",
): readonly Issue[] {
  const field: Field = { value: publications, path, issues: [] }
  const able = networks.filter(canPublish)
  const families = new Set(able.flatMap(familiesOf))
  if (publications.length > 0 && able.length === 0) {
    refuse(
      field,
      `needs a network that the host can reach: ${networks.map(whyUnable).join("; ") || "the container is on none"}`,
    )
    return field.issues
  }
  for (const [index, one] of publications.entries()) {
    const wanted = publishedFamilies(one)
    if (!wanted.some((version) => families.has(version))) {
      refuse(
        childField(childField(field, index, one), "hostIp", one.hostIp),
        `${one.hostIp} is IPv${wanted[0]}, which none of the container's networks has`,
      )
    }
  }
  return field.issues
}

/** Of interfaces that are not linkspan's nobody knows before they are looked at. */
function familiesOf(network: Network): readonly Family[] {
  return network.driver === "foreign" ? [4, 6] : network.subnets.map(({ prefix }) => prefixFamily(prefix))
}

function whyUnable(network: Network): string {
  if (network.driver === "foreign") {
    return `network "${network.name}" is addresses alone`
  }
  if (network.driver !== "bridge") {
    return `network "${network.name}" has driver "${network.driver}", whose containers are on the parent's own network`
  }
  return network.internal
    ? `network "${network.name}" is internal`
    : `network "${network.name}" is isolated from the host`
}
