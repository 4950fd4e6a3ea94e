// What the sender is told about the receiver's name: the resolver's part of the way.

import { type Ip, parseIp } from "#inet/ip.ts"
import type { ExplainRequest } from "#model/explain.ts"
import { checkNameQuery } from "#model/validate-name-query.ts"
import type { Host } from "../host.ts"
import { queryName } from "../names/query.ts"
import { toldBy } from "../names/told-by.ts"
import { WORDS } from "./parties.ts"

/** For others' name servers, which are asked up to twice. */
export const NAME_PATIENCE_MS = 400

export interface Naming {
  readonly addresses: readonly Ip[]
  /** "NXDOMAIN", or what else went wrong; absent when there are addresses. */
  readonly failure?: string
  /** "answered by linkspan: an alias on front" */
  readonly by: string
  /** Whether linkspan gives this sender names at all. */
  readonly isServed: boolean
}

/** Undefined where no name is asked for: the sender is no container, or the receiver is an address or one of the words. */
export async function askForName(host: Host, { from, to, family }: ExplainRequest): Promise<Naming | undefined> {
  const sandbox = host.store.sandbox(from)?.body
  const isName =
    !WORDS.includes(to) && parseIp(to) === undefined && checkNameQuery({ name: to, from }).issues.length === 0
  if (sandbox === undefined || sandbox.mode !== "private" || !isName) {
    return undefined
  }
  const types = family === undefined ? (["A", "AAAA"] as const) : family === 4 ? (["A"] as const) : (["AAAA"] as const)
  let last: Naming | undefined
  for (const type of types) {
    const { rcode, records, source } = await queryName(host, { name: to, type, from }, { giveUpMs: NAME_PATIENCE_MS })
    const addresses = records.flatMap((record) => (record.type === type ? (parseIp(record.data) ?? []) : []))
    const isSilent = source.kind === "server" && source.server === undefined
    const failure = isSilent ? "no answer" : rcode === "NOERROR" ? `no ${type} record` : rcode
    last = {
      addresses,
      ...(addresses.length === 0 ? { failure } : {}),
      by: toldBy(source),
      isServed: source.kind !== "stranger",
    }
    if (addresses.length > 0 || isSilent || rcode !== "NOERROR") {
      return last
    }
  }
  return last
}
