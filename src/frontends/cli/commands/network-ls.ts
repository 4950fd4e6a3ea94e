import { query } from "../command.ts"

export const command = query({
  summary: "List the networks",
  positionals: {},
  options: {},
  examples: [
    { line: "linkspan network ls", about: "All networks" },
    { line: "linkspan network ls -o json", about: "For machines" },
    { line: "linkspan network ls -q", about: "Names only" },
  ],
  request: () => undefined,
  ask: (engine) => engine.networks.list(),
  async show(networks, look) {
    const { networkTable } = await import("../print/network-table.ts")
    return networkTable(networks, look)
  },
  names: (networks) => networks.map((network) => network.name),
  whenEmpty: "There are no networks; make one with: linkspan network create NAME",
})
