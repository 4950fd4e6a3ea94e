// Who answered a question and why, for people.

import type { Ip } from "#inet/ip.ts"
import type { Reason } from "./entry.ts"

export type Source =
  /** A name of the directory; without networks it is the asker's own. */
  | { readonly kind: "name"; readonly name: string; readonly reason: Reason; readonly networks: readonly string[] }
  /** An address of the directory's networks, asked back. */
  | { readonly kind: "address" }
  /** Others were asked: `server` answered, now or so many seconds ago; absent when none did. */
  | { readonly kind: "server"; readonly servers: readonly Ip[]; readonly server?: Ip; readonly ageS?: number }
  /** Not a local name, and nobody else is asked: all of the asker's networks are internal. */
  | { readonly kind: "internal" }
  /** Who asks is on no network of the directory. */
  | { readonly kind: "stranger" }

export interface ExplainedRecord {
  readonly name: string
  readonly type: string
  readonly ttlS: number
  /** As zone files write it, as far as the type is one of the usual ones. */
  readonly data: string
}

export interface Explanation {
  readonly source: Source
  /** "NOERROR", "NXDOMAIN", … */
  readonly rcode: string
  readonly records: readonly ExplainedRecord[]
}

/** Loads its library when it is needed for the first time: packets are answered without it. */
export async function readReply(packet: Uint8Array): Promise<Pick<Explanation, "rcode" | "records">> {
  const { decode } = await import("dns-packet")
  const reply = decode(Buffer.from(packet))
  return {
    rcode: "rcode" in reply ? String(reply.rcode) : "",
    records: (reply.answers ?? []).map((answer) => ({
      name: answer.name,
      type: answer.type,
      ttlS: "ttl" in answer ? (answer.ttl ?? 0) : 0,
      data: "data" in answer ? textOf(answer.data) : "",
    })),
  }
}

function textOf(data: unknown): string {
  if (Buffer.isBuffer(data)) {
    return data.toString("utf8")
  }
  if (Array.isArray(data)) {
    return data.map(textOf).join(" ")
  }
  return typeof data === "object" && data !== null ? Object.values(data).map(textOf).join(" ") : String(data)
}
