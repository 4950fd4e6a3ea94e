// Docker's ids have 64 hexadecimal digits, of which people see twelve; linkspan's have these twelve, and zeros stand for
// the rest.

import type { Id } from "#model/name.ts"
import { Refusal } from "./refusal.ts"

const DIGITS = 64

export function dockerId(id: Id): string {
  return id.padEnd(DIGITS, "0")
}

interface Identified {
  readonly id: Id
  readonly name: string
}

/** What a reference means: a whole id, else a name, else the beginning of an id. Several when only that fits several. */
export function referred<T extends Identified>(objects: readonly T[], reference: string): readonly T[] {
  const whole = objects.find(({ id }) => id === reference || dockerId(id) === reference)
  const named = whole ?? objects.find(({ name }) => name === reference)
  if (named !== undefined) {
    return [named]
  }
  return /^[0-9a-f]{1,63}$/.test(reference) ? objects.filter(({ id }) => dockerId(id).startsWith(reference)) : []
}

/** @throws Refusal 404, 400 when it is ambiguous */
export function oneNetwork<T extends Identified>(networks: readonly T[], reference: string): T {
  const matches = referred(networks, reference)
  const [network] = matches
  if (network === undefined) {
    throw new Refusal(404, `network ${reference} not found`)
  }
  if (matches.length > 1) {
    throw new Refusal(400, `network ${reference} is ambiguous (${matches.length} matches found based on ID prefix)`)
  }
  return network
}

/** @throws Refusal 404, 400 when it is ambiguous */
export function oneContainer<T extends Identified>(containers: readonly T[], reference: string): T {
  const matches = referred(containers, reference.replace(/^\//, ""))
  const [container] = matches
  if (container === undefined) {
    throw new Refusal(404, `No such container: ${reference}`)
  }
  if (matches.length > 1) {
    throw new Refusal(400, `multiple IDs found with provided prefix: ${reference}`)
  }
  return container
}
