// Rounds that several scenarios share.

import type { Turn } from "../frame.ts"
import type { PrivateHost } from "../host.ts"

/** Attach and detach container n once a round; `label` replaces the contender's name in the series. */
export function attachDetach(host: PrivateHost, { n = 0, label = host.contender } = {}): Turn {
  return {
    name: label,
    async take() {
      return { [`attach: ${label}`]: await host.attach(n), [`detach: ${label}`]: await host.detach(n) }
    },
  }
}
