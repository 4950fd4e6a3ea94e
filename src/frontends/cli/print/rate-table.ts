// `linkspan top`.

import { columns } from "./columns.ts"
import { bytes, group } from "./humanise.ts"
import type { Look } from "./look.ts"
import type { Rate } from "./rates.ts"

export function rateTable(rates: readonly Rate[], look: Look): string {
  return columns(
    rates,
    [
      { title: "CONTAINER", cell: ({ container }) => container, gives: true, colour: () => "bold" },
      { title: "NETWORK", cell: ({ network }) => network, gives: true },
      { title: "INTERFACE", cell: ({ ifname }) => ifname },
      { title: "RECEIVED/s", align: "right", cell: ({ rxBytes }) => bytes(rxBytes) },
      { title: "PACKETS/s", align: "right", cell: ({ rxPackets }) => group(String(rxPackets)) },
      { title: "SENT/s", align: "right", cell: ({ txBytes }) => bytes(txBytes) },
      { title: "PACKETS/s", align: "right", cell: ({ txPackets }) => group(String(txPackets)) },
      {
        title: "DROPPED/s",
        align: "right",
        cell: ({ dropped }) => group(String(dropped)),
        colour: ({ dropped }) => (dropped > 0 ? "red" : undefined),
      },
    ],
    look,
  )
}
