import { LinkspanError } from "#model/errors.ts"
import { containerName } from "#plan/names.ts"
import type { Host } from "./host.ts"
import { Stale } from "./transaction.ts"

const ATTEMPTS = 20

/** The name asked for, if nobody has it, or a new one. @throws LinkspanError NAME_IN_USE; Stale when its holder is gone */
export function availableName(host: Host, title: string, wanted: string | undefined): string {
  if (wanted === undefined) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const name = containerName(host.random(4))
      if (host.store.sandbox(name) === undefined) {
        return name
      }
    }
    throw new LinkspanError("POOL_EXHAUSTED", {
      message: `Cannot ${title}: no free container name was found`,
      hint: "Give one with --name",
    })
  }
  const holder = host.store.sandboxNamed(wanted)
  if (holder === undefined) {
    return wanted
  }
  const { body, journal } = holder
  const forgettable = body.process === undefined || body.process.autoRemove
  if (journal === null && forgettable && !host.isAlive(body)) {
    throw new Stale([body.id])
  }
  throw new LinkspanError("NAME_IN_USE", {
    message: `Cannot ${title}: a container of that name exists`,
    hint:
      body.process === undefined
        ? `Detach it with: linkspan detach ${wanted}`
        : `Remove it with: linkspan rm ${wanted}`,
  })
}
