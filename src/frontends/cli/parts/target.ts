// TO[:PORT[/PROTOCOL]] as `explain` takes it; an IPv6 address with a port stands in brackets.

import { parseIp } from "#inet/ip.ts"
import { isProtocol, PROTOCOLS, type Protocol, parsePort } from "#inet/port.ts"
import { didYouMean } from "#model/nearest.ts"
import { alternatives, quote } from "#model/quote.ts"
import type { Refuse } from "../value.ts"

export interface Target {
  readonly to: string
  readonly port?: number
  readonly protocol?: Protocol
}

export function readTarget(text: string, refuse: Refuse): Target | undefined {
  if (parseIp(text) !== undefined) {
    return { to: text }
  }
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  const colon = text.indexOf(":")
  const to = bracketed === null ? (colon < 0 ? text : text.slice(0, colon)) : (bracketed[1] ?? "")
  const rest = bracketed === null ? (colon < 0 ? undefined : text.slice(colon + 1)) : bracketed[2]
  if (to === "") {
    refuse(`${quote(text)} names nobody before the port`)
    return undefined
  }
  if (rest === undefined) {
    return { to }
  }
  const [digits = "", protocol = "tcp", ...more] = rest.toLowerCase().split("/")
  const port = parsePort(digits)
  if (port === undefined || more.length > 0) {
    refuse(
      `${quote(rest)} is not PORT or PORT/PROTOCOL; an IPv6 address with a port stands in brackets, as in [fd00::2]:80`,
    )
    return undefined
  }
  if (!isProtocol(protocol)) {
    refuse(`the protocol must be ${alternatives(PROTOCOLS)}, not ${quote(protocol)}${didYouMean(protocol, PROTOCOLS)}`)
    return undefined
  }
  return { to, port, protocol }
}
