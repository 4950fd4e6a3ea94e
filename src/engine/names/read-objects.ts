import type { Id } from "#model/name.ts"
import type { Row, Store } from "#store/store.ts"
import type { NamedObjects } from "./directory.ts"

/**
 * What is there at this moment, but containers that are known to be gone. What a command is making is not there yet;
 * what one is removing or changing is there until that is done.
 */
export function readObjects(store: Store, gone: ReadonlySet<Id>): NamedObjects {
  return store.consistently(() => {
    const made = new Set<Id>()
    const present = <T extends { readonly id: Id }>(rows: readonly Row<T>[]): T[] =>
      rows.flatMap(({ body, journal }) => (journal !== null && made.has(body.id) ? [] : [body]))
    for (const { entry } of store.hasJournal() ? store.journal() : []) {
      for (const { id, before } of entry.changes) {
        if (before === undefined) {
          made.add(id)
        }
      }
    }
    return {
      networks: present(store.networks()),
      sandboxes: present(store.sandboxes()).filter(({ id }) => !gone.has(id)),
      endpoints: present(store.endpoints()),
    }
  })
}
