// The names under which addresses are asked back: in-addr.arpa (RFC 1035 §3.5) and ip6.arpa (RFC 3596 §2.5).

import { type Ip, ipFromBytes } from "#inet/ip.ts"
import { type Prefix, prefixOf } from "#inet/prefix.ts"

const V4 = ".in-addr.arpa"
const V6 = ".ip6.arpa"

/** The addresses that lie below a reverse name: a whole one is a prefix of full length. `undefined` for other names. */
export function reversePrefix(name: string): { readonly prefix: Prefix; readonly ip?: Ip } | undefined {
  if (name.endsWith(V4)) {
    const parts = name.slice(0, -V4.length).split(".").reverse()
    return parts.length <= 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
      ? reversed(parts.map(Number), 4)
      : undefined
  }
  if (!name.endsWith(V6)) {
    return undefined
  }
  const nibbles = name.slice(0, -V6.length).split(".").reverse()
  if (nibbles.length > 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) {
    return undefined
  }
  const bytes = Array.from({ length: Math.ceil(nibbles.length / 2) }, (_, index) =>
    Number.parseInt(`${nibbles[index * 2]}${nibbles[index * 2 + 1] ?? "0"}`, 16),
  )
  return reversed(bytes, 16, nibbles.length * 4)
}

function reversed(parts: readonly number[], size: 4 | 16, length = parts.length * 8): { prefix: Prefix; ip?: Ip } {
  const bytes = new Uint8Array(size)
  bytes.set(parts)
  const ip = ipFromBytes(bytes)
  const prefix = prefixOf(ip, length)
  return length === size * 8 ? { prefix, ip } : { prefix }
}
