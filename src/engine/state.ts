// The state whole, for whoever shows or follows all of it: read once a change, however often it is asked for.

import { watch } from "node:fs"
import { LinkspanError } from "#model/errors.ts"
import type { State } from "#model/view.ts"
import type { Host } from "./host.ts"
import { readObjects } from "./names/read-objects.ts"

/** @throws LinkspanError STATE_UNUSABLE */
export function readState(host: Host): State {
  const version = host.store.version()
  if (host.lastState?.version !== version) {
    host.lastState = { version, ...readObjects(host.store) }
  }
  return host.lastState
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
  const watcher = watch(host.stateDir, { persistent: false }, look)
  // The directory itself is gone or unreadable: the next command says so.
  watcher.on("error", () => undefined)
  return { [Symbol.dispose]: () => watcher.close() }
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
