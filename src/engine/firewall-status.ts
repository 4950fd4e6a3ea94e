import { hasOwnTables } from "#kernel/foreign-firewall.ts"
import type { FirewallStatus } from "#model/view.ts"
import { observeNameRefusals, observeRefusals } from "./foreign-refusals.ts"
import type { Host } from "./host.ts"
import { recordedIntegrations } from "./integrations.ts"
import { obstaclesIn } from "./obstacles.ts"

/** Everything but the list of integrations is read from the kernel in this moment. */
export function firewallStatus(host: Host): FirewallStatus {
  const situation = observeRefusals(host)
  return {
    loaded: hasOwnTables(host.namespace),
    obstacles: obstaclesIn(host, situation),
    nameObstacles: obstaclesIn(host, observeNameRefusals(host)),
    integrations: recordedIntegrations(host).map(({ integration, record }) => ({
      owner: integration.owner,
      where: record.where,
      inPlace: integration.isInPlace(host, situation),
    })),
  }
}
