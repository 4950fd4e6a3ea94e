// [ADDRESS:]PORT, as a server of ours listens; at 127.0.0.1 unless told otherwise. IPv6 in brackets.

import { parseIp } from "#inet/ip.ts"
import { parsePort } from "#inet/port.ts"
import { quote } from "#model/quote.ts"
import type { Value } from "../value.ts"

export interface ListenAddress {
  readonly hostname: string
  readonly port: number
}

export const listenAddress: Value<ListenAddress> = {
  metavar: "[ADDRESS:]PORT",
  read(text, refuse) {
    const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]*)\]:|([^:]*):)?([0-9]+)$/.exec(text) ?? []
    const hostname = bracketed ?? plain ?? "127.0.0.1"
    const port = parsePort(digits)
    if (port === undefined || parseIp(hostname) === undefined) {
      refuse(`${quote(text)} is not PORT or ADDRESS:PORT, as in 127.0.0.1:9475 or [::1]:9475`)
      return undefined
    }
    return { hostname, port }
  },
}

export function listenText({ hostname, port }: ListenAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`
}
