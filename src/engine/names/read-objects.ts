// What of the store is there at this moment: what a command is making is not there yet; what one is removing or changing
// is there until that is done.

import type { Id } from "#model/name.ts"
import type { Row, Store } from "#store/store.ts"
import type { NamedObjects } from "./directory.ts"

export function readObjects(store: Store): NamedObjects {
  return store.consistently(() => {
    const present = <T extends { readonly id: Id }>(rows: readonly Row<T>[]): T[] =>
      rows.filter((row) => isPresent(store, row)).map(({ body }) => body)
    return {
      networks: present(store.networks()),
      sandboxes: present(store.sandboxes()),
      endpoints: present(store.endpoints()),
    }
  })
}

export function isPresent(store: Store, { body, journal }: Row<{ readonly id: Id }>): boolean {
  const changes = journal === null ? [] : (store.journalEntry(journal)?.changes ?? [])
  return !changes.some(({ id, before }) => id === body.id && before === undefined)
}
