// What has to change for one set of elements to become another.

import type { NftElement } from "#plan/op.ts"
import { elementIdentity } from "./render.ts"

/** A map's key that gets another value is both removed and added. */
export function elementDifference(
  before: readonly NftElement[],
  after: readonly NftElement[],
): { readonly add: NftElement[]; readonly del: NftElement[] } {
  const was = new Set(before.map(elementIdentity))
  const is = new Set(after.map(elementIdentity))
  return {
    add: after.filter((element) => !was.has(elementIdentity(element))),
    del: before.filter((element) => !is.has(elementIdentity(element))),
  }
}

/** By table, set and key only: a map has one value for a key. */
function place({ table, set, key }: NftElement): string {
  return `${table} ${set} ${key}`
}

/** Elements with a change applied to them. */
export function changedElements(
  elements: readonly NftElement[],
  add: readonly NftElement[],
  del: readonly NftElement[],
): NftElement[] {
  const byPlace = new Map(elements.map((element) => [place(element), element]))
  for (const element of del) {
    byPlace.delete(place(element))
  }
  for (const element of add) {
    byPlace.set(place(element), element)
  }
  return [...byPlace.values()]
}
