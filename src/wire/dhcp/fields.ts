// What the bytes of single options mean. Undefined: not there, or not of the shape that its code demands.

import { type Ip, ipFromBytes, isMulticast, isUnspecified } from "#inet/ip.ts"
import { type Prefix, prefixOf } from "#inet/prefix.ts"
import type { Options } from "./options.ts"

const IP_BYTES = 4

/** Those of a list of addresses that can be hosts. */
export function ipsOption(options: Options, code: number): Ip[] {
  const bytes = options.get(code) ?? new Uint8Array()
  if (bytes.length % IP_BYTES !== 0) {
    return []
  }
  const ips = Array.from({ length: bytes.length / IP_BYTES }, (_, index) =>
    ipFromBytes(bytes.subarray(index * IP_BYTES, (index + 1) * IP_BYTES)),
  )
  return ips.filter(isHost)
}

export function isHost(ip: Ip): boolean {
  return !isUnspecified(ip) && !isMulticast(ip) && ip !== "255.255.255.255"
}

export function secondsOption(options: Options, code: number): number | undefined {
  const bytes = options.get(code)
  return bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined
}

/** The length of a prefix by its mask (RFC 2132 §3.3); undefined for a mask with holes. */
export function maskOption(options: Options, code: number): number | undefined {
  const mask = secondsOption(options, code)
  if (mask === undefined) {
    return undefined
  }
  const length = Math.clz32(~mask >>> 0)
  return mask === (length === 0 ? 0 : (-1 << (32 - length)) >>> 0) ? length : undefined
}

/** Printable ASCII without blanks, as names are; servers may end it with NULs. */
export function nameOption(options: Options, code: number): string | undefined {
  const text = textOption(options, code)
  return text !== undefined && /^[!-~]{1,253}$/.test(text) ? text : undefined
}

/** For people: what cannot be printed is left out. */
export function textOption(options: Options, code: number): string | undefined {
  const bytes = options.get(code)
  return bytes === undefined
    ? undefined
    : Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "")).join("")
}

export interface ClasslessRoute {
  readonly destination: Prefix
  /** Absent: on the link itself. */
  readonly via?: Ip
}

/** RFC 3442: a length, as many bytes of the destination as that needs, a router. Undefined unless all of it is so. */
export function routesOption(options: Options, code: number): ClasslessRoute[] | undefined {
  const bytes = options.get(code)
  if (bytes === undefined) {
    return undefined
  }
  const routes: ClasslessRoute[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at++] as number
    const significant = Math.ceil(length / 8)
    if (length > 32 || at + significant + IP_BYTES > bytes.length) {
      return undefined
    }
    const base = new Uint8Array(IP_BYTES)
    base.set(bytes.subarray(at, at + significant))
    const via = ipFromBytes(bytes.subarray(at + significant, at + significant + IP_BYTES))
    routes.push({ destination: prefixOf(ipFromBytes(base), length), ...(isUnspecified(via) ? {} : { via }) })
    at += significant + IP_BYTES
  }
  return routes
}

export function secondsBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
