// Elements as text for libnftables: one by one, and a change of the sets as one transaction.

import type { NftElement } from "#plan/op.ts"

/** The element inside the braces of an `add element`, and the text by which two elements of a set are compared. */
export function renderElement(element: NftElement): string {
  return element.value === undefined ? element.key : `${element.key} : ${element.value}`
}

/** The same for all tables and sets: equal exactly for equal elements. */
export function elementIdentity(element: NftElement): string {
  return `${element.table} ${element.set} ${renderElement(element)}`
}

export interface ElementChange {
  readonly add: readonly NftElement[]
  readonly del: readonly NftElement[]
}

/**
 * One statement for each set that is touched, deletions first: so a key can be given a new value in one transaction.
 * Deleting what is not there fails the whole transaction (ENOENT), and so does adding a key of a map that has another
 * value (EEXIST); adding what is there already is no error.
 */
export function renderTransaction({ add, del }: ElementChange): string {
  return [...statements("delete", del), ...statements("add", add)].join("")
}

function statements(verb: "add" | "delete", elements: readonly NftElement[]): string[] {
  // Members are sets: deleting the same key twice would be deleting what is not there.
  const bySet = new Map<string, Set<string>>()
  for (const element of elements) {
    const set = `${element.table} linkspan ${element.set}`
    // A key is enough to delete by, and stays right when the value is not what it should be.
    const text = verb === "delete" ? element.key : renderElement(element)
    const members = bySet.get(set) ?? new Set()
    bySet.set(set, members.add(text))
  }
  return Array.from(bySet, ([set, members]) => `${verb} element ${set} { ${[...members].join(", ")} }\n`)
}
