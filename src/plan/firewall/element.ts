// Elements as canonical text. Only this folder makes them; everyone else compares, stores and prints them.

import type { NftElement } from "#plan/op.ts"
import type { SetName, Table } from "./sets.ts"

/** @param key the key's fields in order, each in its canonical spelling (fields.ts). */
export function element<T extends Table>(
  table: T,
  set: SetName<T>,
  key: readonly string[],
  value?: readonly string[],
): NftElement {
  return { table, set, key: joinFields(key), ...(value === undefined ? {} : { value: joinFields(value) }) }
}

export function joinFields(fields: readonly string[]): string {
  return fields.join(" . ")
}
