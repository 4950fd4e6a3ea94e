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
  #seq = -1
  #needs: readonly { readonly network: Id; readonly key: string; readonly value: string }[] = []
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
    this.#readNeeds()
    const others = this.#needs.filter(({ key, value }) => (this.#settings.read(key) ?? value) !== value)
    const before = this.#others
    this.#others = others.map(({ network, key }) => `${network} ${key}=${this.#settings.read(key)}`).join("\n")
    return before === this.#others ? [] : others.map(({ network }) => network)
  }

  /** Only when the state has changed: between changes a look costs a system call for each setting. */
  #readNeeds(): void {
    const { store } = this.#host
    const seq = store.lastChange()
    if (seq === this.#seq) {
      return
    }
    this.#seq = seq
    const claims = store.sysctlClaims().map(({ key, value }) => [key, value] as const)
    this.#needs = store
      .networks()
      .flatMap(({ body: network, journal }) =>
        journal !== null || !isBridge(network)
          ? []
          : needs(network, claims).map(([key, value]) => ({ network: network.id, key, value })),
      )
    this.#settings.keep(new Set(this.#needs.map(({ key }) => key)))
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
