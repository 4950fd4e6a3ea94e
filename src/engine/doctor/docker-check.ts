// Networks that Docker made here and has forgotten: its store was wiped, or it deleted them while nobody listened. Only
// Docker can tell; of several daemons on a host, each for its own.

import { existsSync } from "node:fs"
import { DOCKER_LABELS } from "#model/docker-options.ts"
import type { Finding } from "#model/doctor.ts"
import type { Network } from "#model/network.ts"
import type { Host } from "../host.ts"

const DOCKER_API = "/run/docker.sock"
/** While it starts, it accepts connections and answers none. */
const ANSWER_MS = 2000

export async function checkDocker(host: Host, api = DOCKER_API): Promise<Finding[]> {
  const made = host.store
    .networks()
    .map(({ body }) => body)
    .filter(({ labels }) => labels[DOCKER_LABELS.id] !== undefined)
  if (made.length === 0 || !existsSync(api)) {
    return []
  }
  try {
    const known = await networkIds(api)
    const forgotten = made.filter(({ labels }) => !known.has(labels[DOCKER_LABELS.id]))
    return forgotten.length === 0
      ? [{ check: "docker", level: "ok", what: "Docker knows every network that it made here" }]
      : forgotten.map((network) => findingOf(network, host.store.countEndpoints(network.id), api))
  } catch (error) {
    return [{ check: "docker", level: "note", what: `Docker does not answer at ${api}: ${(error as Error).message}` }]
  }
}

function findingOf({ id, name }: Network, containers: number, api: string): Finding {
  const used = containers === 0 ? "" : `, and ${containers} of its containers are still here`
  return {
    check: "docker",
    level: "warning",
    what: `network "${name}" was made by Docker, and the daemon at ${api} does not know it${used}`,
    remedy: `linkspan network rm ${containers === 0 ? "" : "--force "}${id}`,
  }
}

async function networkIds(api: string): Promise<ReadonlySet<unknown>> {
  const answer = await fetch("http://docker/networks", {
    unix: api,
    keepalive: false,
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  const list: unknown = await answer.json()
  if (!answer.ok || !Array.isArray(list)) {
    throw new Error(`HTTP status ${answer.status}`)
  }
  return new Set(list.map((one: unknown) => (one as { readonly Id?: unknown } | null)?.Id))
}
