// What a reference to a network may mean: one of linkspan's, one that every Docker has, or a configuration.

import type { Network } from "#model/network.ts"
import type { State } from "#model/view.ts"
import type { ConfigNetwork } from "./config-networks.ts"
import { oneNetwork } from "./identity.ts"
import { PREDEFINED, type Predefined } from "./predefined.ts"
import { Refusal } from "./refusal.ts"

export type FoundNetwork = { readonly id: string; readonly name: string } & (
  | { readonly kind: "network"; readonly network: Network }
  | { readonly kind: "predefined"; readonly predefined: Predefined }
  | { readonly kind: "config"; readonly config: ConfigNetwork }
)

export function allNetworks(state: State, configs: readonly ConfigNetwork[]): FoundNetwork[] {
  return [
    ...state.networks.map(
      (network): FoundNetwork => ({ kind: "network", id: network.id, name: network.name, network }),
    ),
    ...PREDEFINED.map(
      (predefined): FoundNetwork => ({ kind: "predefined", id: predefined.id, name: predefined.name, predefined }),
    ),
    ...configs.map((config): FoundNetwork => ({ kind: "config", id: config.id, name: config.name, config })),
  ]
}

/** @param scope where to look; all networks are local. @throws Refusal 404, 400 when it is ambiguous */
export function findNetwork(networks: readonly FoundNetwork[], reference: string, scope = ""): FoundNetwork {
  return oneNetwork(scope === "" || scope === "local" ? networks : [], reference)
}

/** One that containers can be put on and taken off. @throws Refusal */
export function joinable(found: FoundNetwork): Network {
  switch (found.kind) {
    case "network":
      return found.network
    case "config":
      throw new Refusal(403, `network ${found.name} is a configuration for other networks: no container can be on it`)
    case "predefined":
      throw new Refusal(
        400,
        found.name === "host"
          ? "container cannot be disconnected from host network or connected to host network"
          : "container cannot be connected to multiple networks with one of the networks in private (none) mode",
      )
  }
}
