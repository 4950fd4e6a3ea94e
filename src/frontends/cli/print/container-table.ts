// `linkspan ps`.

import type { ContainerSummary } from "#model/view.ts"
import { columns } from "./columns.ts"
import { ago } from "./humanise.ts"
import type { Look } from "./look.ts"
import { publicationText } from "./publication.ts"
import { statusColour, statusText } from "./status.ts"

export function containerTable(containers: readonly ContainerSummary[], look: Look, nowMs: number): string {
  return columns(
    containers,
    [
      { title: "NAME", cell: (container) => container.name, gives: true, colour: () => "bold" },
      { title: "ID", cell: (container) => container.id, colour: () => "dim" },
      { title: "STATUS", cell: statusText, colour: statusColour },
      { title: "CREATED", cell: (container) => ago(container.createdAt, nowMs) },
      { title: "NETWORKS", cell: networksText, gives: true },
      { title: "PORTS", cell: (container) => container.publications.map(publicationText).join(", "), gives: true },
      { title: "COMMAND", cell: (container) => container.command?.join(" ") ?? "", gives: true },
    ],
    look,
  )
}

function networksText(container: ContainerSummary): string {
  if (container.mode !== "private") {
    return container.mode
  }
  return container.networks
    .map(({ network, addresses }) => [network, ...addresses.map((address) => address.split("/", 1)[0])].join(" "))
    .join(", ")
}
