import { change } from "../command.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Take a container off a network",
  description: ["Its default route moves to the network that now has the highest priority."],
  positionals: {
    network: { kind: "required", value: text("NETWORK", "network") },
    container: { kind: "required", value: text("CONTAINER", "container") },
  },
  options: {},
  examples: [{ line: "linkspan network disconnect db api", about: "Unplug api from db" }],
  request: ({ positionals }) => positionals,
  origins: () => ({ container: "CONTAINER", network: "NETWORK" }),
  change: (engine, request, options) => engine.networks.disconnect(request, options),
  show: ({ network }) => `${network}\n`,
})
