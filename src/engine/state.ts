// The state whole, for whoever shows or follows all of it: read once a change, and of that only what has changed.

import { watchDirectory } from "#kernel/directory-watch.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import type { State } from "#model/view.ts"
import type { Row, Store } from "#store/store.ts"
import type { Host } from "./host.ts"
import { isPresent, readObjects } from "./names/read-objects.ts"

/** As it was after that change. */
export interface KnownState {
  readonly seq: number
  readonly state: State
}

/** @throws LinkspanError STATE_UNUSABLE */
export function readState(host: Host): State {
  const { store, knownState: known } = host
  if (known !== undefined && known.seq === store.lastChange()) {
    return known.state
  }
  const now = store.consistently((): KnownState => {
    const seq = store.lastChange()
    const changed = known === undefined ? undefined : store.changedSince(known.seq)
    const objects =
      known === undefined || changed === undefined ? readObjects(store) : updated(store, known.state, changed)
    return { seq, state: { version: String(seq), ...objects } }
  })
  host.knownState = now
  return now.state
}

type Changed = NonNullable<ReturnType<Store["changedSince"]>>

function updated(store: Store, before: State, changed: Changed): Omit<State, "version"> {
  const ids = Map.groupBy(changed, ({ object }) => object)
  const idsOf = (object: Changed[number]["object"]): readonly Id[] => (ids.get(object) ?? []).map(({ id }) => id)
  const present = <T extends { readonly id: Id }>(row: Row<T> | undefined): T | undefined =>
    row !== undefined && isPresent(store, row) ? row.body : undefined
  return {
    networks: replaced(before.networks, {
      ids: idsOf("network"),
      read: (id) => present(store.networkOfId(id)),
      by: "name",
    }),
    sandboxes: replaced(before.sandboxes, {
      ids: idsOf("sandbox"),
      read: (id) => present(store.sandboxOfId(id)),
      by: "name",
    }),
    endpoints: replaced(before.endpoints, {
      ids: idsOf("endpoint"),
      read: (id) => present(store.endpoint(id)),
      by: "id",
    }),
  }
}

interface Replacement<K, T> {
  readonly ids: readonly Id[]
  readonly read: (id: Id) => T | undefined
  /** The field by which the store sorts them. */
  readonly by: K
}

/** The objects, with those of these ids as they are now. */
function replaced<K extends "id" | "name", T extends { readonly id: Id } & Readonly<Record<K, string>>>(
  objects: readonly T[],
  { ids, read, by }: Replacement<K, T>,
): readonly T[] {
  if (ids.length === 0) {
    return objects
  }
  const old = new Set(ids)
  return [...objects.filter(({ id }) => !old.has(id)), ...ids.map(read).filter((one) => one !== undefined)].sort(
    (a, b) => (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0),
  )
}

/**
 * Every commit writes to the database's log, a file beside it: that is what is watched, so that it does not matter which
 * process commits.
 */
export function watchState(host: Host, onChange: (state: State) => void): Disposable {
  let seen = readState(host).version
  const look = (): void => {
    const state = lookAgain(host)
    if (state !== undefined && state.version !== seen) {
      seen = state.version
      onChange(state)
    }
  }
  return watchDirectory(host.stateDir, look)
}

/** Undefined when the state cannot be read just now; the next change tells. */
function lookAgain(host: Host): State | undefined {
  try {
    return readState(host)
  } catch (error) {
    if (error instanceof LinkspanError) {
      return undefined
    }
    throw error
  }
}
