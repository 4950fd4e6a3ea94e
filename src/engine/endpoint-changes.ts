import type { Membership } from "#plan/default-route.ts"
import type { Change } from "#store/journal.ts"

/** What differs between two sets of a container's memberships. */
export function endpointChanges(before: readonly Membership[], after: readonly Membership[]): Change[] {
  const had = new Map(before.map(({ endpoint }) => [endpoint.id, endpoint]))
  const has = new Map(after.map(({ endpoint }) => [endpoint.id, endpoint]))
  return [...new Set([...had.keys(), ...has.keys()])].flatMap((id): Change[] => {
    const [old, now] = [had.get(id), has.get(id)]
    return old === now
      ? []
      : [
          {
            object: "endpoint",
            id,
            ...(old === undefined ? {} : { before: old }),
            ...(now === undefined ? {} : { after: now }),
          },
        ]
  })
}
