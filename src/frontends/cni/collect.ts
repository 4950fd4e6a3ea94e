// What the plugin and linkspan-ipam have in common: GC of a configuration's networks, and whether one is used up.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import { CniError, CODES } from "./cni-error.ts"
import { fold, get, list, text } from "./fold.ts"
import { CONTAINER_LABEL, sandboxId } from "./identity.ts"
import type { Call } from "./verbs.ts"

/**
 * With a list of what is valid, even an empty one, everything else that CNI made on the networks goes; without one (as
 * cnitool calls it) only what is provably dead. Goes on after a failure, and reports all of them.
 * @param further what else is to be done, whatever fails before.
 */
export async function collect(
  { linkspan, config }: Call,
  networks: readonly string[],
  further: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const valid = config.keys.get("cni.dev/valid-attachments") ?? config.keys.get("cni.dev/attachments")
  const failures: unknown[] = []
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act()
    } catch (error) {
      failures.push(error)
    }
  }
  if (valid === undefined) {
    await attempt(() => linkspan.reconcile())
  } else {
    const keep = new Set(
      list({ value: valid, path: "cni.dev/valid-attachments" }).map((found) => {
        const keys = fold(found)
        return keyOf(
          sandboxId(text(get(keys, "containerID", found.path)) ?? ""),
          text(get(keys, "ifname", found.path)) ?? "",
        )
      }),
    )
    for (const { id, ifname, network } of await attachments(linkspan, networks)) {
      if (!keep.has(keyOf(id, ifname))) {
        await attempt(() => linkspan.tearDown({ id, networks: [network], ifnames: [ifname] }))
      }
    }
  }
  await attempt(further)
  if (failures.length > 0) {
    const messages = failures.map((error) => (error instanceof Error ? error.message : String(error)))
    throw new CniError(CODES.tryAgainLater, messages.join("; "), { cause: failures[0] })
  }
}

function keyOf(id: string, ifname: string): string {
  return `${id} ${ifname}`
}

interface Made {
  readonly id: string
  readonly ifname: string
  readonly network: string
}

/** What CNI made on the networks; containers that came by another door are none of its business. */
async function attachments(linkspan: LinkspanApi, networks: readonly string[]): Promise<Made[]> {
  const made: Made[] = []
  for (const network of networks) {
    for (const { containerId, ifname } of (await presentNetwork(linkspan, network))?.endpoints ?? []) {
      const { labels } = await linkspan.inspect(containerId)
      if (labels[CONTAINER_LABEL] !== undefined) {
        made.push({ id: containerId, ifname, network })
      }
    }
  }
  return made
}

export async function presentNetwork(linkspan: LinkspanApi, id: string) {
  try {
    return await linkspan.networks.inspect(id)
  } catch (error) {
    if (error instanceof LinkspanError && error.code === "NETWORK_NOT_FOUND") {
      return undefined
    }
    throw error
  }
}

/** For STATUS. @throws CniError 50 when a family has no address left for a further container */
export async function refuseExhausted(linkspan: LinkspanApi, id: string): Promise<void> {
  const view = await presentNetwork(linkspan, id)
  for (const isIpv6 of [false, true]) {
    const subnets = (view?.subnets ?? []).filter(({ prefix }) => prefix.includes(":") === isIpv6)
    if (subnets.length > 0 && subnets.every(({ free }) => free === "0")) {
      throw new CniError(
        CODES.unavailable,
        `Network "${view?.network.name}" has no free IPv${isIpv6 ? 6 : 4} address left in ${subnets.map(({ prefix }) => prefix).join(", ")}`,
        { details: "Addresses of containers that are gone come back with GC; else widen the range" },
      )
    }
  }
}
