import { change } from "../command.ts"
import { changeEach } from "../each.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Remove networks",
  description: [
    "A network that containers are connected to is refused, unless --force takes them off it first. A bridge that was adopted stays. The JSON form is a list, one element a network.",
  ],
  positionals: { networks: { kind: "many", value: text("NETWORK", "network") } },
  options: {
    force: { kind: "flag", short: "f", about: "Disconnect containers first" },
  },
  examples: [
    { line: "linkspan network rm web", about: "Remove one network" },
    { line: "linkspan network rm --force web db", about: "Remove two, whoever is on them" },
  ],
  request: ({ positionals, options }) => ({ networks: positionals.networks, force: options.force ?? false }),
  origins: () => ({ network: "NETWORK" }),
  change: (engine, { networks, force }, options) =>
    changeEach(networks, (network) => engine.networks.remove(network, { ...options, force })),
  show: (removed) => removed.map(({ name }) => `${name}\n`).join(""),
})
