// Other packet filters that refuse what linkspan forwards, in words: what is in the way, and what helps.

import type { Network } from "#model/network.ts"
import type { Obstacle } from "#model/view.ts"
import { obstacleSentence, toObstacle } from "#plan/firewall/obstacle.ts"
import { observeNameRefusals, observeRefusals, type Situation } from "./foreign-refusals.ts"
import type { Host } from "./host.ts"
import { INTEGRATIONS } from "./integrations.ts"

/** A sentence for each obstacle that the kernel has now; nothing, at the price of one dump, where there is none. */
export function obstacleWarnings(host: Host): string[] {
  return obstaclesIn(host, observeRefusals(host)).map(obstacleSentence)
}

/** The same for questions about names at the gateways of a network. */
export function nameObstacleWarnings(host: Host, network: Network): string[] {
  return obstaclesIn(host, observeNameRefusals(host, [network])).map(obstacleSentence)
}

export function obstaclesIn(host: Host, situation: Situation): Obstacle[] {
  if (situation.refusals.length === 0) {
    return []
  }
  const means = {
    ufw: INTEGRATIONS.ufw.isAvailable(host),
    firewalld: INTEGRATIONS.firewalld.isAvailable(host),
    inPlace: Object.values(INTEGRATIONS)
      .filter((integration) => integration.isInPlace(host, situation))
      .map(({ owner }) => owner),
  }
  return situation.refusals.map(({ filter, refused }) => toObstacle(refused, filter.reader, situation.traffic, means))
}
