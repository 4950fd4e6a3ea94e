// What has happened, from the state's own record, and what happens: any process that settles a change writes it down in
// the same transaction, and its commit writes to the database's log beside it, which is what a follower watches. No
// daemon is needed for that; what only a watcher of the kernel can see is there while one watches.

import { DirectoryNews } from "#kernel/directory-watch.ts"
import { refuseIssues } from "#model/errors.ts"
import type { Event, EventsRequest } from "#model/event.ts"
import { checkEvents } from "#model/validate-events.ts"
import { onAbort } from "./abort.ts"
import type { Host } from "./host.ts"

/** Read at once. */
const PAGE = 500

/** @throws LinkspanError INVALID_REQUEST */
export async function* events(
  host: Host,
  request: EventsRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Event> {
  const { issues, value } = checkEvents(request)
  const { since, tail, follow } = value ?? {}
  const { first, last } = host.store.eventBounds()
  const early = since !== undefined && since > last
  refuseIssues("Cannot tell what has happened: the request has mistakes", [
    ...issues,
    ...(early ? [{ path: "since", message: `${since} has not happened yet: the last event is ${last}` }] : []),
  ])
  using news = follow === true ? new DirectoryNews(host.stateDir) : undefined
  using _aborting = onAbort(signal, () => news?.[Symbol.dispose]())
  let cursor = Math.max(since ?? 0, tail === undefined ? 0 : last - tail, first - 1)
  if (since !== undefined && since < first - 1) {
    yield { kind: "missed", events: first - 1 - since, cursor: first - 1, time: new Date().toISOString() }
  }
  for (;;) {
    const page = host.store.events(cursor, PAGE)
    for (const event of page) {
      yield event
    }
    cursor = page.at(-1)?.cursor ?? cursor
    if (page.length < PAGE) {
      if (!(await news?.next())) {
        return
      }
    }
  }
}
