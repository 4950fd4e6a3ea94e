import { ISOLATIONS } from "#model/network.ts"
import { change } from "../command.ts"
import { NETWORK_DNS, networkDnsOrigins, readNetworkDns } from "../parts/dns.ts"
import { LABEL } from "../parts/labels.ts"
import { readSubnets, SUBNETS, subnetOrigins } from "../parts/subnets.ts"
import { integer, text } from "../value.ts"

export const command = change({
  summary: "Change a network in place, under running containers",
  positionals: { network: { kind: "required", value: text("NETWORK", "network") } },
  options: {
    ...SUBNETS,
    mtu: { kind: "one", value: integer("BYTES"), about: "Largest packet, of the bridge and of every cable" },
    internal: { kind: "flag", negatable: true, about: "Close or open the way out" },
    icc: { kind: "flag", negatable: true, about: "Whether the network's containers may talk to each other" },
    isolation: {
      kind: "one",
      value: text("HOW", { words: ISOLATIONS }),
      about: "Which other networks' containers its own meet: strict, guarded or open",
    },
    "gateway-mode": { kind: "one", value: text("MODE", { words: ["nat", "routed"] }), about: "nat or routed" },
    nat: { kind: "flag", negatable: true, about: "--nat is --gateway-mode nat, --no-nat is --gateway-mode routed" },
    ...NETWORK_DNS,
    ...LABEL,
    "label-rm": { kind: "many", value: text("KEY"), about: "Take a label away" },
  },
  examples: [
    { line: "linkspan network update web --no-icc", about: "Containers may no longer talk to each other" },
    { line: "linkspan network update web --subnet fd00:89::/64", about: "A further subnet" },
    {
      line: "linkspan network update web --mtu 1400 --label tier=front --label-rm test",
      about: "Several changes at once",
    },
  ],
  request({ positionals, options }, refuse) {
    const addSubnets = readSubnets(options, refuse)
    const { nat, "gateway-mode": mode } = options
    if (nat !== undefined && mode !== undefined && mode !== (nat ? "nat" : "routed")) {
      refuse(nat ? "--nat" : "--no-nat", `contradicts --gateway-mode ${mode}`)
    }
    const gatewayMode = mode ?? (nat === undefined ? undefined : nat ? "nat" : "routed")
    const changes = {
      ...(addSubnets.length === 0 ? {} : { addSubnets }),
      ...(options.mtu === undefined ? {} : { mtu: options.mtu }),
      ...(options.internal === undefined ? {} : { internal: options.internal }),
      ...(options.icc === undefined ? {} : { icc: options.icc }),
      ...(options.isolation === undefined ? {} : { isolation: options.isolation }),
      ...(gatewayMode === undefined ? {} : { gatewayMode }),
      ...readNetworkDns(options),
      ...(options.label.length === 0 ? {} : { addLabels: Object.fromEntries(options.label) }),
      ...(options["label-rm"].length === 0 ? {} : { removeLabels: options["label-rm"] }),
    }
    if (Object.keys(changes).length === 0) {
      refuse("OPTIONS", "are missing: say what to change")
    }
    return { network: positionals.network, ...changes }
  },
  check: async (request) => (await import("#model/validate-update.ts")).checkUpdateNetwork(request).issues,
  origins: ({ options }) => ({
    network: "NETWORK",
    ...subnetOrigins("addSubnets", options),
    mtu: "--mtu",
    internal: "--internal",
    icc: "--icc",
    isolation: "--isolation",
    gatewayMode: options["gateway-mode"] === undefined ? "--nat" : "--gateway-mode",
    ...networkDnsOrigins(options),
    addLabels: "--label",
    removeLabels: "--label-rm",
  }),
  change: (engine, request, options) => engine.networks.update(request, options),
  show: ({ network }) => `${network.name}\n`,
})
