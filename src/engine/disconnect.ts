import { LinkspanError } from "#model/errors.ts"
import type { EndpointView, Outcome } from "#model/view.ts"
import { planMemberships } from "#plan/membership.ts"
import { planDeparture } from "./departure.ts"
import { findNetwork, findSandbox, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import { endpointView } from "./inspect-endpoint.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

export interface DisconnectRequest {
  readonly container: string
  readonly network: string
}

export function disconnect(host: Host, request: DisconnectRequest, options: MutationOptions): Outcome<EndpointView> {
  const title = `disconnect container "${request.container}" from network "${request.network}"`
  return carryOut(
    host,
    options,
    () => {
      const network = settled(findNetwork(host, title, request.network), `network "${request.network}"`)
      const sandbox = settled(findSandbox(host, title, request.container), `container "${request.container}"`)
      const before = memberships(host, sandbox)
      const leaving = before.find((one) => one.network.id === network.id)
      if (leaving === undefined) {
        throw new LinkspanError("ENDPOINT_NOT_FOUND", {
          message: `Cannot ${title}: it is not on that network`,
          hint: `Look at its networks with: linkspan inspect ${sandbox.name}`,
        })
      }
      const departure = planDeparture(host, [leaving])
      const left = endpointView(host, leaving.endpoint)
      return {
        title,
        changes: [{ object: "endpoint", id: leaving.endpoint.id, before: leaving.endpoint }, ...departure.changes],
        ops: [
          ...planMemberships(
            sandbox.id,
            before,
            before.filter((one) => one !== leaving),
            observePorts(host),
          ),
          ...departure.ops,
        ],
        facts: departure.facts,
        intent: "remove",
        result: () => left,
      }
    },
    sweep,
  )
}
