// What makes one directory another.

import type { Directory, DirectoryChange, DirectoryNetwork, DirectoryNetworkFacts } from "#model/directory.ts"

/** Networks come before their members. What is the same in both is not in it. */
export function directoryChanges(before: Directory, after: Directory): DirectoryChange[] {
  const had = new Map(before.networks.map((network) => [network.id, network]))
  return [
    ...differing(
      before.networks.map((network) => [network.id, factsOf(network)]),
      after.networks.map((network) => [network.id, factsOf(network)]),
    ).map(([id, now]): DirectoryChange => ({ kind: "network", id, now })),
    ...differing(
      before.containers.map((container) => [container.id, container]),
      after.containers.map((container) => [container.id, container]),
    ).map(([id, now]): DirectoryChange => ({ kind: "container", id, now })),
    ...after.networks.flatMap(({ id: networkId, endpoints }) =>
      differing(
        (had.get(networkId)?.endpoints ?? []).map((endpoint) => [endpoint.containerId, endpoint]),
        endpoints.map((endpoint) => [endpoint.containerId, endpoint]),
      ).map(([containerId, now]): DirectoryChange => ({ kind: "member", networkId, containerId, now })),
    ),
    ...(before.hostServers.join() === after.hostServers.join()
      ? []
      : [{ kind: "host-servers", now: after.hostServers } satisfies DirectoryChange]),
  ]
}

function factsOf({ endpoints: _, ...facts }: DirectoryNetwork): DirectoryNetworkFacts {
  return facts
}

/** By key: what is another one, or new; undefined for what is gone. */
function differing<T>(
  before: readonly (readonly [string, T])[],
  after: readonly (readonly [string, T])[],
): (readonly [string, T | undefined])[] {
  const had = new Map(before.map(([key, value]) => [key, JSON.stringify(value)]))
  const has = new Set(after.map(([key]) => key))
  return [
    ...before.filter(([key]) => !has.has(key)).map(([key]) => [key, undefined] as const),
    ...after.filter(([key, value]) => had.get(key) !== JSON.stringify(value)),
  ]
}
