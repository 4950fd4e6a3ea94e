import type { Directory } from "#model/directory.ts"
import type { NameRecord } from "#model/view.ts"

/** Every name that is answered from the directory, by network; at the end what single containers have of their own. */
export function recordsOf({ networks, containers }: Directory): NameRecord[] {
  const byId = new Map(containers.map((container) => [container.id, container]))
  const ofNetworks = networks.flatMap((network) => [
    ...network.endpoints.flatMap(({ containerId, addresses, aliases }): NameRecord[] => {
      const container = byId.get(containerId)
      const shortId = containerId
      const all = [
        ...(container === undefined ? [] : [{ name: container.name, kind: "container" as const }]),
        ...(container?.hostname === undefined || container.hostname === container.name
          ? []
          : [{ name: container.hostname, kind: "hostname" as const }]),
        { name: shortId, kind: "id" as const },
        ...aliases.map((name) => ({ name, kind: "alias" as const })),
      ]
      return all.map(({ name, kind }) => ({
        name,
        kind,
        network: network.name,
        addresses,
        ...(container === undefined ? {} : { container: container.name }),
      }))
    }),
    ...network.records.map(
      ({ name, addresses }): NameRecord => ({ name, kind: "record", network: network.name, addresses }),
    ),
  ])
  const own = containers.flatMap(({ name: container, records, links }) => [
    ...records.map(({ name, addresses }): NameRecord => ({ name, kind: "host", addresses, container })),
    ...links.map(({ alias, containerId }): NameRecord => {
      const target = byId.get(containerId)?.name
      return { name: alias, kind: "link", addresses: [], container, ...(target === undefined ? {} : { target }) }
    }),
  ])
  const linked = networks.flatMap(({ name: network, endpoints }) =>
    endpoints.flatMap(({ containerId, links = [] }) =>
      links.map(({ alias, containerId: to }): NameRecord => {
        const [container, target] = [byId.get(containerId)?.name, byId.get(to)?.name]
        return {
          ...{ name: alias, kind: "link", network, addresses: [] },
          ...(container === undefined ? {} : { container }),
          ...(target === undefined ? {} : { target }),
        }
      }),
    ),
  )
  return [...ofNetworks, ...own, ...linked]
}
