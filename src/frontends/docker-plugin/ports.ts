// Docker's list of published ports, an entry for each single one in no particular order, as linkspan's publications.

import { family, parseIp } from "#inet/ip.ts"
import { IPPROTO, PROTOCOLS } from "#inet/port.ts"
import { LinkspanError } from "#model/errors.ts"
import type { PublishRequest } from "#model/request.ts"
import { type Message, number, objects, optionalText } from "./message.ts"

const PORT_MAP = "com.docker.network.portmap"

/** What the network has to do with it. */
export interface PublishingNetwork {
  /** Where ports are published that name no address. */
  readonly hostBinding: string | undefined
}

/** Runs of ports are one publication each: a range of 500 is one, however Docker lists it. */
export function publicationsOf(options: Message, { hostBinding }: PublishingNetwork): PublishRequest[] {
  const single = objects(options, PORT_MAP).map((entry) => publicationOf(entry, hostBinding))
  const fixed = single
    .filter((one) => one.hostPort !== undefined && one.hostPortEnd === undefined)
    .toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)) || (a.hostPort ?? 0) - (b.hostPort ?? 0))
  const rest = single.filter((one) => !fixed.includes(one))
  return [...runs(fixed), ...rest.toSorted((a, b) => a.containerPort - b.containerPort)]
}

function publicationOf(entry: Message, hostBinding: string | undefined): PublishRequest {
  const protocol = PROTOCOLS.find((name) => IPPROTO[name] === number(entry, "Proto"))
  if (protocol === undefined) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot publish a port of IP protocol ${number(entry, "Proto")}: only TCP, UDP and SCTP have ports`,
    })
  }
  const hostIp = optionalText(entry, "HostIP") ?? hostBinding
  const hostPort = number(entry, "HostPort")
  const last = number(entry, "HostPortEnd")
  return {
    protocol,
    containerPort: number(entry, "Port"),
    ...(hostIp === undefined ? {} : { hostIp }),
    ...(hostPort === 0 ? {} : { hostPort }),
    ...(last > hostPort ? { hostPortEnd: last } : {}),
  }
}

function keyOf({ protocol, hostIp }: PublishRequest): string {
  return `${protocol} ${hostIp ?? ""}`
}

function runs(sorted: readonly PublishRequest[]): PublishRequest[] {
  const result: PublishRequest[] = []
  for (const one of sorted) {
    const open = result.at(-1)
    const count = open?.count ?? 1
    if (open !== undefined && keyOf(open) === keyOf(one) && continues(open, one, count)) {
      result[result.length - 1] = { ...open, count: count + 1 }
    } else {
      result.push(one)
    }
  }
  return result
}

function continues(open: PublishRequest, { hostPort, containerPort }: PublishRequest, count: number): boolean {
  return hostPort === (open.hostPort ?? 0) + count && containerPort === open.containerPort + count
}

/**
 * On a network of one family, what is published at every address of the host is so at that family's alone: the other
 * family's port is free for another network of the same container.
 */
export function ofFamilies(ports: readonly PublishRequest[], families: ReadonlySet<4 | 6>): PublishRequest[] {
  const everywhere = families.size > 1 ? undefined : families.has(4) ? "0.0.0.0" : "::"
  return ports
    .filter(({ hostIp }) => {
      const ip = hostIp === undefined ? undefined : parseIp(hostIp)
      return ip === undefined || families.has(family(ip))
    })
    .map((one) => (one.hostIp === undefined && everywhere !== undefined ? { ...one, hostIp: everywhere } : one))
}
