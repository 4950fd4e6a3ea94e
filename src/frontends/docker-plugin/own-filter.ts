// dockerd's own packet filter refuses what it does not forward itself (its FORWARD policy is DROP with the iptables
// backend). Whoever asks Docker for a network of linkspan's has asked for one that works beside it, so the rules go into
// the chain that Docker documents for others; they are recorded, and leave with the last network.

import type { LinkspanApi } from "#engine/linkspan.ts"

/** @returns what linkspan cannot help: of the old tables of iptables-legacy it changes nothing */
export async function passDocker(linkspan: LinkspanApi): Promise<readonly string[]> {
  return (await linkspan.firewall.integrate({ owners: ["docker"] })).warnings
}

/** dockerd has started, perhaps for the first time with a filter. @returns why that is of no avail */
export async function passDockerAgain(linkspan: LinkspanApi): Promise<string | undefined> {
  try {
    if ((await linkspan.networks.list()).some(({ driver }) => driver === "bridge")) {
      const warnings = await passDocker(linkspan)
      return warnings.length === 0 ? undefined : warnings.join("\n")
    }
    return undefined
  } catch (error) {
    return `Docker's packet filter may refuse what linkspan forwards: ${(error as Error).message}`
  }
}
