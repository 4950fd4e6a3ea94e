import { change } from "../command.ts"

export const command = change({
  summary: "Take away what firewall integrate put into other packet filters",
  positionals: {},
  options: {},
  examples: [{ line: "linkspan firewall remove", about: "Undo linkspan firewall integrate" }],
  request: () => undefined,
  change: (engine, _request, options) => engine.firewall.remove(options),
  async show(status, look) {
    const { firewallTree } = await import("../print/firewall-tree.ts")
    return firewallTree(status, look)
  },
})
