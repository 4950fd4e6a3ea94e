// `linkspan network ls`.

import type { NetworkSummary } from "#model/view.ts"
import { columns } from "./columns.ts"
import type { Look } from "./look.ts"

export function networkTable(networks: readonly NetworkSummary[], look: Look): string {
  return columns(
    networks,
    [
      { title: "NAME", cell: (network) => network.name, gives: true, colour: () => "bold" },
      { title: "ID", cell: (network) => network.id, colour: () => "dim" },
      { title: "DRIVER", cell: (network) => network.driver },
      { title: "MODE", cell: (network) => network.mode },
      { title: "INTERFACE", cell: (network) => network.ifname ?? "" },
      { title: "SUBNETS", cell: (network) => network.subnets.join(", "), gives: true },
      { title: "CONTAINERS", cell: (network) => String(network.containers), align: "right" },
    ],
    look,
  )
}
