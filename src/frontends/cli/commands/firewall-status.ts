import { query } from "../command.ts"

export const command = query({
  summary: "Show whether other packet filters are in the way",
  positionals: {},
  options: {},
  examples: [{ line: "linkspan firewall status", about: "Own tables, obstacles with their remedies, integrations" }],
  request: () => undefined,
  ask: (engine) => engine.firewall.status(),
  async show(status, look) {
    const { firewallTree } = await import("../print/firewall-tree.ts")
    return firewallTree(status, look)
  },
})
