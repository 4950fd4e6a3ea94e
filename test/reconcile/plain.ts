// A snapshot without the numbers and names that the kernel and chance give anew to a link that is made anew.

import type { Snapshot } from "../snapshot.ts"

/** Indexes, and what a bridge numbers its ports with. */
const GIVEN = new Set([
  "ifindex",
  "link_index",
  "link",
  "link_netnsid",
  "no",
  "id",
  "designated_port",
  "port_id",
  "bridge_id",
  "root_id",
  "designated_bridge",
  "designated_root",
])

/** The end of a cable that stays with the host has a MAC address by chance, which nobody looks at. */
const HOST_END = /"ifname":"lv-/

export function plain(snapshot: Snapshot): Snapshot {
  return Object.fromEntries(Object.entries(snapshot).map(([section, lines]) => [section, lines.map(plainLine).sort()]))
}

function plainLine(line: string): string {
  return line.startsWith("{")
    ? JSON.stringify(JSON.parse(line), (key, value: unknown) =>
        GIVEN.has(key) || (key === "address" && HOST_END.test(line)) ? undefined : value,
      )
    : line
}
