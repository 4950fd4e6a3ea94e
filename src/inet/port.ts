// Transport ports and the protocols that have them.

export const PROTOCOLS = ["tcp", "udp", "sctp"] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** Protocol numbers (IANA, include/uapi/linux/in.h). */
export const IPPROTO = { tcp: 6, udp: 17, sctp: 132 } as const satisfies Record<Protocol, number>

export function isProtocol(text: string): text is Protocol {
  return (PROTOCOLS as readonly string[]).includes(text)
}

/** Reads 1–65535 without sign, blanks or leading zeros. */
export function parsePort(text: string): number | undefined {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Reads "8080" or "8080-8089". */
export function parsePortRange(text: string): { readonly first: number; readonly count: number } | undefined {
  const [low = "", high, ...rest] = text.split("-")
  const first = parsePort(low)
  const last = high === undefined ? first : parsePort(high)
  if (rest.length > 0 || first === undefined || last === undefined || last < first) {
    return undefined
  }
  return { first, count: last - first + 1 }
}
