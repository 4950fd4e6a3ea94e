// Docker's ids are opaque and long; linkspan's are twelve hexadecimal digits. A hexadecimal id keeps its beginning, which
// is what Docker itself shows of it ("docker network ls"), so that both can be told to belong together.

import type { Id } from "#model/name.ts"

const DIGITS = 12

export function toId(dockerId: string): Id {
  return /^[0-9a-f]{12,}$/.test(dockerId)
    ? dockerId.slice(0, DIGITS)
    : // Swarm's are 25 digits of base 36.
      new Bun.CryptoHasher("sha256").update(dockerId).digest("hex").slice(0, DIGITS)
}

/** A sandbox is known by the file of its namespace: .../netns/1cd51ef2cf16. */
export function sandboxId(sandboxKey: string): Id {
  return toId(sandboxKey.slice(sandboxKey.lastIndexOf("/") + 1))
}
