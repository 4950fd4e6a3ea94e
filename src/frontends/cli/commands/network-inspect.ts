import { query } from "../command.ts"
import { askEach } from "../each.ts"
import { text } from "../value.ts"

export const command = query({
  summary: "Show how networks are wired",
  description: [
    "Bridge, subnets, and every container's cable: bridge port, veth, interface, addresses, counters. What differs between what should be and what is stands at the end. The JSON form is a list, one element a network.",
  ],
  positionals: { networks: { kind: "many", value: text("NETWORK", "network") } },
  options: {},
  examples: [
    { line: "linkspan network inspect web", about: "As a tree" },
    { line: "linkspan network inspect web -o json", about: "Everything, for machines" },
  ],
  request: ({ positionals }) => positionals.networks,
  ask: (engine, networks) => askEach(networks, (network) => engine.networks.inspect(network)),
  async show(views, look) {
    const { networkTree } = await import("../print/network-tree.ts")
    return views.map((view) => networkTree(view, look)).join("\n")
  },
})
