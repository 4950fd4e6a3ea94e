// The watching service of the resident process: what somebody damages of linkspan's is healed, and what happens is told.

import type { LinkspanApi, WatchOptions } from "#engine/linkspan.ts"
import type { Service } from "#model/service.ts"

export async function serveWatch(linkspan: LinkspanApi, options: WatchOptions = {}): Promise<Service> {
  const watching = await linkspan.watch(options)
  return {
    name: "Watching and healing",
    address: "rtnetlink, nf_tables",
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  }
}
