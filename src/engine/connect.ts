import { listLinks } from "#kernel/links.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import { quote } from "#model/quote.ts"
import type { ConnectRequest } from "#model/request.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { checkConnect } from "#model/validate-join.ts"
import type { EndpointView, Outcome } from "#model/view.ts"
import { planMemberships } from "#plan/membership.ts"
import { allocateEndpoint } from "./allocate-endpoint.ts"
import { disconnect } from "./disconnect.ts"
import { findNetwork, findSandbox, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import { endpointView } from "./inspect-endpoint.ts"
import { withLeases } from "./leases/with-leases.ts"
import type { MutationOptions } from "./linkspan.ts"
import { mendContainerFirst, mendFirst } from "./mend.ts"
import { observePorts } from "./observe-host.ts"
import { sweep } from "./sweep.ts"
import { carryOut, Stale } from "./transaction.ts"

export async function connect(
  host: Host,
  request: ConnectRequest,
  options: MutationOptions,
): Promise<Outcome<EndpointView>> {
  const title = `connect container ${quote(request?.container)} to network ${quote(request?.network)}`
  const join = accept(`Cannot ${title}`, checkConnect(request))
  const outcome = carryOut(
    host,
    options,
    () => {
      const network = settled(findNetwork(host, title, join.network), `network "${join.network}"`)
      const sandbox = settled(findSandbox(host, title, join.container), `container "${join.container}"`)
      if (sandbox.mode !== "private") {
        throw new LinkspanError("NOT_SUPPORTED", {
          message: `Cannot ${title}: the container ${sandbox.mode === "none" ? "was made without a network" : "has no network namespace of its own"}`,
          hint:
            sandbox.mode === "shared" ? "Connect the container whose network it uses" : "Run it with --network NAME",
        })
      }
      if (!host.isAlive(sandbox)) {
        if (sandbox.process === undefined) {
          throw new Stale([sandbox.id])
        }
        throw new LinkspanError("CONTAINER_NOT_RUNNING", {
          message: `Cannot ${title}: the container is not running`,
          hint: `Remove it with: linkspan rm ${sandbox.name}`,
        })
      }
      const before = memberships(host, sandbox)
      if (before.some((one) => one.network.id === network.id)) {
        throw new LinkspanError("ALREADY_CONNECTED", {
          message: `Cannot ${title}: it is connected already`,
          hint: `Look at it with: linkspan inspect ${sandbox.name}`,
        })
      }
      const mending = [...mendFirst(host, [network], options), ...mendContainerFirst(host, sandbox, before, options)]
      const namespace = host.resolve(sandbox.id)
      const endpoint = allocateEndpoint(host, {
        title,
        network,
        sandbox,
        join,
        path: "",
        publications: [],
        takenIfnames: new Set(namespace === undefined ? [] : listLinks(namespace.rtnl).map(({ ifname }) => ifname)),
      })
      return {
        title,
        changes: [{ object: "endpoint", id: endpoint.id, after: endpoint }],
        ops: [
          ...mending,
          ...planMemberships(sandbox.id, before, [...before, { endpoint, network }], observePorts(host)),
        ],
        intent: "make",
        result: () => endpointView(host, endpoint),
      }
    },
    sweep,
  )
  const { id, containerId, networkId } = outcome.result
  return withLeases(host, outcome, {
    title,
    sandbox: containerId,
    undo: () => disconnect(host, { container: containerId, network: networkId }, {}),
    // A cast: it was connected just now.
    result: () => endpointView(host, host.store.endpoint(id)?.body as Endpoint),
  })
}
