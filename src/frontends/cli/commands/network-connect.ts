import { change } from "../command.ts"
import { link } from "../parts/dns.ts"
import { JOIN_OPTIONS, joinOrigins, readJoin } from "../parts/joins.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Put a container on a further network",
  positionals: {
    network: { kind: "required", value: text("NETWORK", "network") },
    container: { kind: "required", value: text("CONTAINER", "container") },
  },
  options: {
    ...JOIN_OPTIONS,
    link: {
      kind: "many",
      value: link,
      about: "Another container of the network, under a name that only this one knows",
    },
  },
  examples: [
    { line: "linkspan network connect db api", about: "api gets a cable to db" },
    {
      line: "linkspan network connect db api --ip 10.89.7.9 --alias api.internal",
      about: "With a fixed address and a further name",
    },
    { line: "linkspan network connect wan api --priority 10", about: "wan gives the default route from now on" },
  ],
  request: ({ positionals, options }) => ({
    container: positionals.container,
    ...readJoin(positionals.network, options),
    ...(options.link.length === 0 ? {} : { links: options.link.map(({ request }) => request) }),
  }),
  check: async (request) => (await import("#model/validate-join.ts")).checkConnect(request).issues,
  origins: ({ options }) => ({ container: "CONTAINER", network: "NETWORK", links: "--link", ...joinOrigins(options) }),
  change: (engine, request, options) => engine.networks.connect(request, options),
  show: ({ network, ifname, addresses }) => `${network} ${ifname} ${addresses.join(" ")}\n`,
})
