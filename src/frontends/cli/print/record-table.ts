// `linkspan dns records`.

import type { NameRecord } from "#model/view.ts"
import { columns } from "./columns.ts"
import type { Look } from "./look.ts"

export function recordTable(records: readonly NameRecord[], look: Look): string {
  return columns(
    records,
    [
      { title: "NAME", cell: (record) => record.name, gives: true, colour: () => "bold" },
      { title: "KIND", cell: (record) => record.kind },
      { title: "NETWORK", cell: (record) => record.network ?? "" },
      { title: "CONTAINER", cell: (record) => record.container ?? "" },
      { title: "ADDRESSES", cell: (record) => record.target ?? record.addresses.join(", "), gives: true },
    ],
    look,
  )
}
