// The packet filters that linkspan can be made to get along with, each through the hook that it documents for others.

import type { Host } from "./host.ts"
import { docker } from "./integrations/docker.ts"
import { firewalld } from "./integrations/firewalld.ts"
import type { Integration, IntegrationOwner, IntegrationRecord } from "./integrations/integration.ts"
import { ufw } from "./integrations/ufw.ts"

export const INTEGRATIONS: Readonly<Record<IntegrationOwner, Integration>> = { docker, ufw, firewalld }

const fact = (owner: IntegrationOwner): string => `integration/${owner}`

export function integrationRecord(host: Host, owner: IntegrationOwner): IntegrationRecord | undefined {
  const text = host.store.fact(fact(owner))
  // A cast: facts of this key were written by putRecord().
  return text === undefined ? undefined : (JSON.parse(text) as IntegrationRecord)
}

export function putRecord(host: Host, owner: IntegrationOwner, record: IntegrationRecord | undefined): void {
  host.store.write((writer) =>
    record === undefined ? writer.deleteFact(fact(owner)) : writer.putFact(fact(owner), JSON.stringify(record)),
  )
}

export function recordedIntegrations(
  host: Host,
): { readonly integration: Integration; readonly record: IntegrationRecord }[] {
  return Object.values(INTEGRATIONS).flatMap((integration) => {
    const record = integrationRecord(host, integration.owner)
    return record === undefined ? [] : [{ integration, record }]
  })
}
