// Published ports as Docker users write them: [HOST-IP:][HOST-PORT[-LAST]:]PORT[-LAST][/PROTOCOL].

import { isProtocol, PROTOCOLS, parsePortRange } from "#inet/port.ts"
import { didYouMean } from "#model/nearest.ts"
import { alternatives, quote } from "#model/quote.ts"
import type { PublishRequest } from "#model/request.ts"
import type { Options, Origins } from "../command.ts"
import type { Refuse, Value } from "../value.ts"

export interface PortSpec {
  readonly text: string
  readonly request: PublishRequest
}

export const portSpec: Value<PortSpec> = {
  metavar: "PORT",
  read(text, refuse) {
    const request = readPort(text, (why) => refuse(`${quote(text)} ${why}`))
    return request === undefined ? undefined : { text, request }
  },
}

export const PUBLISH = {
  publish: {
    kind: "many",
    short: "p",
    value: portSpec,
    about:
      "Publish a port or range of the container: 80, 8080:80, 127.0.0.1:8080:80, [::1]::80, 8000-8009:80-89/udp; linkspan chooses a host port that is left out",
  },
} as const satisfies Options

export function readPublish(specs: readonly PortSpec[]): { readonly publish?: readonly PublishRequest[] } {
  return specs.length === 0 ? {} : { publish: specs.map((spec) => spec.request) }
}

/** @param field the request's, "publish" or "ports". */
export function portOrigins(field: string, written: string, specs: readonly PortSpec[]): Origins {
  return {
    [field]: written,
    ...Object.fromEntries(specs.map((spec, i) => [`${field}[${i}]`, `${written} ${spec.text}`])),
  }
}

function readPort(text: string, refuse: Refuse): PublishRequest | undefined {
  const slash = text.lastIndexOf("/")
  const protocol = slash < 0 ? "tcp" : text.slice(slash + 1).toLowerCase()
  const places = splitPlaces(slash < 0 ? text : text.slice(0, slash), refuse)
  if (!isProtocol(protocol)) {
    refuse(
      `has the protocol ${quote(protocol)}, which must be ${alternatives(PROTOCOLS)}${didYouMean(protocol, PROTOCOLS)}`,
    )
  }
  if (places === undefined) {
    return undefined
  }
  const container = readRange("container port", places.container, refuse)
  // Docker writes "0" for a host port that it may choose.
  const chosen = places.host === "" || places.host === "0"
  const host = chosen ? undefined : readRange("host port", places.host, refuse)
  if (container === undefined || (host === undefined && !chosen) || !isProtocol(protocol)) {
    return undefined
  }
  if (host !== undefined && host.count !== container.count) {
    refuse(
      `leads ${host.count} host port${host.count === 1 ? "" : "s"} to ${container.count} of the container; both ranges must be equally long`,
    )
    return undefined
  }
  return {
    protocol,
    containerPort: container.first,
    count: container.count,
    ...(places.ip === undefined ? {} : { hostIp: places.ip }),
    ...(host === undefined ? {} : { hostPort: host.first }),
  }
}

function splitPlaces(
  text: string,
  refuse: Refuse,
): { readonly ip?: string; readonly host: string; readonly container: string } | undefined {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  const ip = bracketed?.[1]
  const parts = (bracketed === null ? text : (bracketed[2] ?? "")).split(":")
  if (ip !== undefined) {
    const [host, container] = parts
    if (parts.length !== 2 || host === undefined || container === undefined) {
      refuse(
        `has no host and container port after the address; write [${ip}]:8080:80, or [${ip}]::80 to let linkspan choose the host port`,
      )
      return undefined
    }
    return { ip, host, container }
  }
  const [first = "", second, third] = parts
  if (parts.length > 3) {
    refuse(`has too many colons; an IPv6 address is written in brackets, [::1]:8080:80`)
    return undefined
  }
  if (second === undefined) {
    return { host: "", container: first }
  }
  if (third === undefined) {
    if (first.includes(".")) {
      refuse(
        `has an address but one port only; write ${first}:8080:${second}, or ${first}::${second} to let linkspan choose the host port`,
      )
      return undefined
    }
    return { host: first, container: second }
  }
  if (first === "") {
    refuse("has nothing before its first colon; leave the colon out to publish on every address")
    return undefined
  }
  return { ip: first, host: second, container: third }
}

function readRange(
  what: string,
  text: string,
  refuse: Refuse,
): { readonly first: number; readonly count: number } | undefined {
  const range = parsePortRange(text)
  if (range === undefined) {
    refuse(
      text === ""
        ? `has no ${what}`
        : `has the ${what} ${quote(text)}, which is neither a port from 1 to 65535 nor a range like 8000-8009`,
    )
  }
  return range
}
