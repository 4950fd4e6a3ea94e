// Settings that networks need, read twice a second: see kernel/watch/open-settings.ts for why not told.

import { OpenSettings } from "#kernel/watch/open-settings.ts"
import type { Id } from "#model/name.ts"
import { type BridgeNetwork, isBridge, isGateway } from "#model/network.ts"
import { bridgeSysctls } from "#plan/drivers/bridge.ts"
import { hasFamily } from "#plan/host.ts"
import type { Host } from "../host.ts"

export class SettingWatch implements Disposable {
  readonly #host: Host
  readonly #settings: OpenSettings
  #others = ""

  constructor(host: Host) {
    this.#host = host
    this.#settings = new OpenSettings(host.namespace.netns)
  }

  [Symbol.dispose](): void {
    this.#settings[Symbol.dispose]()
  }

  /** Networks at rest whose settings are not what they need, when that is news. */
  suspects(): Id[] {
    const { store } = this.#host
    const claims = store.sysctlClaims().map(({ key, value }) => [key, value] as const)
    const asked = new Set<string>()
    const others: string[] = []
    const suspects = store.networks().flatMap(({ body: network, journal }) => {
      const needed = isBridge(network) ? needs(network, claims) : []
      const found = needed.flatMap(([key, value]) => {
        asked.add(key)
        const current = this.#settings.read(key) ?? value
        return current === value ? [] : [`${network.id} ${key}=${current}`]
      })
      others.push(...found)
      return journal === null && found.length > 0 ? [network.id] : []
    })
    this.#settings.keep(asked)
    const before = this.#others
    this.#others = others.join("\n")
    return before === this.#others ? [] : suspects
  }
}

/** Of the host's settings those that are needed in any case, and those that linkspan had to change. */
function needs(
  network: BridgeNetwork,
  claims: readonly (readonly [key: string, value: string])[],
): readonly (readonly [key: string, value: string])[] {
  const own = Object.entries(bridgeSysctls(network))
  if (!isGateway(network)) {
    return own
  }
  return [
    ...own,
    ...(hasFamily(network, 4) ? [["ipv4/ip_forward", "1"] as const] : []),
    ...(hasFamily(network, 6) ? [["ipv6/conf/all/forwarding", "1"] as const] : []),
    ...claims,
  ]
}
