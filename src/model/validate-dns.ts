// From what a request says about names to checked values.

import { type Ip, isLinkLocal, isMulticast, isUnspecified } from "#inet/ip.ts"
import type { StaticRecord } from "./directory.ts"
import type { ContainerDns } from "./dns.ts"
import {
  type Field,
  isPresent,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readObject,
  readText,
  refuse,
  required,
} from "./field.ts"
import { quote } from "./quote.ts"
import { readIp } from "./read-inet.ts"
import { readName } from "./read-names.ts"
import type { ContainerDnsRequest } from "./request.ts"

/** Links name containers as users do; the engine finds them. */
export interface ContainerDnsDraft extends Omit<ContainerDns, "links"> {
  readonly links: readonly { readonly container: string; readonly alias: string }[]
}

const MOST_SERVERS = 16
const MOST_RECORDS = 1024
const MOST_ADDRESSES = 64
/** resolv.conf(5): glibc 2.26 lifted its own limit of six. */
const MOST_SEARCH = 32
const MOST_OPTIONS = 32
export const MOST_LINKS = 64

export function readServers(field: Field): readonly Ip[] | undefined {
  return readList(field, MOST_SERVERS, readServer)?.filter(isPresent)
}

function readServer(field: Field): Ip | undefined {
  const ip = readIp(field)
  if (ip === undefined) {
    return undefined
  }
  if (isUnspecified(ip) || isMulticast(ip) || ip === "255.255.255.255") {
    return refuse(field, `${ip} is no address of a single server`)
  }
  return isLinkLocal(ip) ? refuse(field, `${ip} is link-local: it means something on one interface only`) : ip
}

/** @param whole whether a record must have addresses; without any it takes the name away. */
export function readRecords(field: Field, { whole }: { readonly whole: boolean }): readonly StaticRecord[] | undefined {
  return readList(field, MOST_RECORDS, (record) => readRecord(record, whole))?.filter(isPresent)
}

function readRecord(field: Field, whole: boolean): StaticRecord | undefined {
  const fields = readObject(field, { name: true, addresses: true })
  if (fields === undefined) {
    return undefined
  }
  const name = required(fields.name, readDnsName)
  const addresses = required(fields.addresses, (list) => readList(list, MOST_ADDRESSES, readIp))
  if (whole && addresses?.length === 0) {
    refuse(fields.addresses, "is empty; give at least one address")
  }
  return name === undefined || addresses === undefined ? undefined : { name, addresses: addresses.filter(isPresent) }
}

const LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
const DNS_NAME = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`)
/** RFC 1035 §2.3.4: 255 bytes with the lengths of the labels. */
const LONGEST_NAME = 253

/** Lower case and without a dot at the end, as names are compared (RFC 4343). */
function readDnsName(field: Field): string | undefined {
  const text = readText(field)
  const name = text?.toLowerCase().replace(/\.$/, "")
  if (text === undefined || name === undefined) {
    return undefined
  }
  return name.length <= LONGEST_NAME && DNS_NAME.test(name)
    ? name
    : refuse(
        field,
        `${quote(text)} is not a domain name: use parts of letters, digits, '-' and '_' with dots between, "*." in front for every name below`,
      )
}

function readSearch(field: Field): string | undefined {
  const name = readDnsName(field)
  return name?.startsWith("*") === true ? refuse(field, `${quote(name)} stands for many names; name one domain`) : name
}

/** A word of resolv.conf(5)'s options line: "ndots:2", "rotate", … */
function readOption(field: Field): string | undefined {
  const text = readText(field)
  return text === undefined || /^[a-z][a-z0-9-]{0,31}(:[0-9]{1,5})?$/.test(text)
    ? text
    : refuse(field, `${quote(text)} is not an option of resolv.conf(5); they look like "ndots:2" or "rotate"`)
}

export function readLink(field: Field): { container: string; alias: string } | undefined {
  const fields = readObject(field, { container: true, alias: true })
  if (fields === undefined) {
    return undefined
  }
  const container = required(fields.container, readName)
  const alias = required(fields.alias, readName)
  return container === undefined || alias === undefined ? undefined : { container, alias }
}

const FIELDS = {
  servers: true,
  search: true,
  options: true,
  hosts: true,
  links: true,
  resolver: true,
} as const satisfies Record<keyof ContainerDnsRequest, true>

/** Undefined also for a request that asks for nothing. */
export function readContainerDns(field: Field): ContainerDnsDraft | undefined {
  const fields = readObject(field, FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const given = presentOnly({
    servers: optional(fields.servers, readServers),
    search: optional(fields.search, (list) => readList(list, MOST_SEARCH, readSearch)?.filter(isPresent)),
    options: optional(fields.options, (list) => readList(list, MOST_OPTIONS, readOption)?.filter(isPresent)),
    records: optional(fields.hosts, (list) => readRecords(list, { whole: true })),
    links: optional(fields.links, (list) => readList(list, MOST_LINKS, readLink)?.filter(isPresent)),
  })
  const resolver = optional(fields.resolver, readBoolean) ?? true
  return resolver && Object.values(given).every((list) => list.length === 0)
    ? undefined
    : { servers: [], search: [], options: [], records: [], links: [], ...given, ...(resolver ? {} : { resolver }) }
}
