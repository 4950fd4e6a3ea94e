import { change } from "../command.ts"

export const command = change({
  summary: "Let linkspan's traffic through other packet filters, by their own documented hooks",
  description: [
    "Docker's DOCKER-USER chain, a firewalld zone, a ufw route rule. What is put there is recorded, and firewall remove takes it away again. Nothing else of theirs is touched.",
  ],
  positionals: {},
  options: {},
  examples: [
    { line: "linkspan firewall integrate --dry-run", about: "See what would be put where" },
    { line: "linkspan firewall integrate", about: "Do it" },
  ],
  request: () => undefined,
  change: (engine, _request, options) => engine.firewall.integrate(options),
  async show(status, look) {
    const { firewallTree } = await import("../print/firewall-tree.ts")
    return firewallTree(status, look)
  },
})
