// A published port in one line, as it would be written after -p.

import type { PublicationView } from "#model/view.ts"

export function publicationText({ hostIp, hostPort, containerPort, count, protocol }: PublicationView): string {
  const ip = hostIp === undefined ? "" : `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:`
  return `${ip}${range(hostPort, count)}:${range(containerPort, count)}/${protocol}`
}

function range(first: number, count: number): string {
  return count === 1 ? `${first}` : `${first}-${first + count - 1}`
}
