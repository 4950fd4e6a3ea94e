import { query } from "../command.ts"
import { askEach } from "../each.ts"
import { text } from "../value.ts"

export const command = query({
  summary: "Show how containers are wired",
  description: [
    "From the namespace by interface, veth and bridge port to the bridge and its gateway, with the kernel's own names, addresses, routes and counters. The JSON form is a list, one element a container.",
  ],
  positionals: { containers: { kind: "many", value: text("CONTAINER", "container") } },
  options: {},
  examples: [
    { line: "linkspan inspect api", about: "As a tree" },
    { line: "linkspan inspect api -o json", about: "Everything, for machines" },
  ],
  request: ({ positionals }) => positionals.containers,
  ask: (engine, containers) => askEach(containers, (container) => engine.inspect(container)),
  async show(views, look) {
    const { containerTree } = await import("../print/container-tree.ts")
    return views.map((view) => containerTree(view, look)).join("\n")
  },
})
