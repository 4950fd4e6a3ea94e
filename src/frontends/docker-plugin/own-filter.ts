// dockerd's own packet filter refuses what it does not forward itself (its FORWARD policy is DROP with the iptables
// backend). Whoever asks Docker for a network of linkspan's has asked for one that works beside it, so the rules go into
// the chain that Docker documents for others; they are recorded, and leave with the last network.

import type { LinkspanApi } from "#engine/linkspan.ts"

export async function passDocker(linkspan: LinkspanApi): Promise<void> {
  await linkspan.firewall.integrate({ owners: ["docker"] })
}

/** dockerd has started, perhaps for the first time with a filter. @returns why that is of no avail */
export async function passDockerAgain(linkspan: LinkspanApi): Promise<string | undefined> {
  try {
    if ((await linkspan.networks.list()).some(({ driver }) => driver === "bridge")) {
      await passDocker(linkspan)
    }
    return undefined
  } catch (error) {
    return `Docker's packet filter may refuse what linkspan forwards: ${(error as Error).message}`
  }
}
