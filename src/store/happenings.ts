// What a settled journal entry has changed, as it is told: one event for a container with its networks, not one for each
// row.

import type { Happening, Place } from "#model/event.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Publication, Sandbox } from "#model/sandbox.ts"
import type { Change } from "./journal.ts"

/** Names of what the entry itself does not hold. */
export interface Names {
  network(id: Id): string | undefined
  sandbox(id: Id): string | undefined
}

export function happeningsOf(changes: readonly Change[], names: Names): Happening[] {
  const networks = new Map(
    changes.flatMap((change) =>
      change.object === "network" ? [[change.id, bodyOf<Network>(change)?.name] as const] : [],
    ),
  )
  const endpoints = changes.filter((change) => change.object === "endpoint")
  const sandboxes = changes.filter((change) => change.object === "sandbox")
  const placeOf = (endpoint: Endpoint): Place => ({
    network: networks.get(endpoint.network) ?? names.network(endpoint.network) ?? endpoint.network,
    addresses: endpoint.addresses.map(({ ip, length }) => `${ip}/${length}`),
    ...(endpoint.aliases.length === 0 ? {} : { aliases: endpoint.aliases }),
  })
  const whole = sandboxes.filter((change) => change.before === undefined || change.after === undefined)
  const ofWhole = new Set(whole.map(({ id }) => id))
  return [
    ...networkHappenings(changes),
    ...whole.flatMap((change) => {
      const own = endpoints.map((one) => bodyOf<Endpoint>(one)).filter((endpoint) => endpoint?.sandbox === change.id)
      const kind = change.before === undefined ? "attached" : "detached"
      return told(kind, bodyOf<Sandbox>(change)?.name ?? change.id, own, placeOf)
    }),
    ...endpoints.flatMap((change): Happening[] => {
      const endpoint = bodyOf<Endpoint>(change)
      if (endpoint === undefined || ofWhole.has(endpoint.sandbox)) {
        return []
      }
      const container =
        sandboxes.map((one) => bodyOf<Sandbox>(one)).find((sandbox) => sandbox?.id === endpoint.sandbox)?.name ??
        names.sandbox(endpoint.sandbox) ??
        endpoint.sandbox
      return change.before !== undefined && change.after !== undefined
        ? portHappenings(container, change.before, change.after)
        : told(change.before === undefined ? "connected" : "disconnected", container, [endpoint], placeOf)
    }),
  ]
}

function bodyOf<B>({ before, after }: { readonly before?: B; readonly after?: B }): B | undefined {
  return after ?? before
}

function networkHappenings(changes: readonly Change[]): Happening[] {
  return changes.flatMap((change): Happening[] => {
    if (change.object !== "network") {
      return []
    }
    const network = bodyOf<Network>(change)?.name ?? change.id
    if (change.before === undefined || change.after === undefined) {
      return [{ kind: change.before === undefined ? "network-created" : "network-removed", network }]
    }
    // Mending changes the kernel, and nothing of what should be.
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [{ kind: "network-changed", network }]
  })
}

function told(
  kind: "attached" | "detached" | "connected" | "disconnected",
  container: string,
  endpoints: readonly (Endpoint | undefined)[],
  placeOf: (endpoint: Endpoint) => Place,
): Happening[] {
  const there = endpoints.filter((endpoint) => endpoint !== undefined)
  return [
    {
      kind,
      container,
      places: there.map(placeOf),
      ports: there.flatMap(({ publications }) => publications),
    },
  ]
}

function portHappenings(container: string, before: Endpoint, after: Endpoint): Happening[] {
  const published = missingIn(after.publications, before.publications)
  const unpublished = missingIn(before.publications, after.publications)
  return [
    ...(unpublished.length === 0 ? [] : [{ kind: "unpublished", container, ports: unpublished } as const]),
    ...(published.length === 0 ? [] : [{ kind: "published", container, ports: published } as const]),
  ]
}

function missingIn(some: readonly Publication[], others: readonly Publication[]): Publication[] {
  const known = new Set(others.map((one) => JSON.stringify(one)))
  return some.filter((one) => !known.has(JSON.stringify(one)))
}
