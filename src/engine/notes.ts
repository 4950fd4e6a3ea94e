// What a front door has to keep that is no part of the model: texts under keys of its own, as durable as the state.

import { LinkspanError } from "#model/errors.ts"
import type { Host } from "./host.ts"

export interface NoteAddress {
  /** Whose it is: "docker-api". */
  readonly door: string
  readonly key: string
}

function factKey({ door, key }: NoteAddress): string {
  return `note/${door}/${key}`
}

export function listNotes(host: Host, door: string): Map<string, string> {
  const prefix = factKey({ door, key: "" })
  return new Map(host.store.facts(prefix).map(({ key, value }) => [key.slice(prefix.length), value]))
}

/** @throws LinkspanError NAME_IN_USE when there is one and it is not to be replaced */
export function putNote(
  host: Host,
  address: NoteAddress & { readonly text: string; readonly replace?: boolean },
): void {
  host.store.write((writer) => {
    const key = factKey(address)
    if (host.store.fact(key) !== undefined) {
      throw new LinkspanError("NAME_IN_USE", {
        message: `Cannot keep note "${address.key}" of ${address.door}: there is one`,
        hint: "Choose another key",
      })
    }
    writer.putFact(key, address.text)
  })
}

/** False when there is none. */
export function removeNote(host: Host, address: NoteAddress): boolean {
  return host.store.write((writer) => {
    const key = factKey(address)
    const known = host.store.fact(key) !== undefined
    if (known) {
      writer.deleteFact(key)
    }
    return known
  })
}
