import { expect, test } from "bun:test"
import { flowsToForget } from "./conntrack.ts"
import { endpointElements, networkElements } from "./elements.ts"
import { ADDRESS, aNetwork, anEndpoint, ip } from "./fixtures.ts"

test("flowsToForget() names each publication's flows at the container, neighbouring ports together", () => {
  const endpoint = anEndpoint({
    publications: [
      { protocol: "udp", hostPort: 5000, containerPort: 53, count: 3 },
      { protocol: "udp", hostIp: ADDRESS.host4, hostPort: 6000, containerPort: 56, count: 1 },
      { protocol: "tcp", hostIp: ADDRESS.host4, hostPort: 6000, containerPort: 53, count: 1 },
    ],
  })
  expect(flowsToForget(endpointElements(aNetwork(), endpoint))).toEqual([
    { ip: ip("10.89.0.2"), protocol: "tcp", containerPort: 53, count: 1 },
    { ip: ip("10.89.0.2"), protocol: "udp", containerPort: 53, count: 4 },
    { ip: ip("fd00:89::2"), protocol: "udp", containerPort: 53, count: 3 },
  ])
})

test("flowsToForget() knows opened ports of routed networks, and nothing of other elements", () => {
  const network = aNetwork({ gatewayMode: "routed" })
  const endpoint = anEndpoint({
    publications: [{ protocol: "tcp", hostIp: ADDRESS.host4, hostPort: 80, containerPort: 8080, count: 1 }],
  })
  expect(flowsToForget([...networkElements(network), ...endpointElements(network, endpoint)])).toEqual([
    { ip: ip("10.89.0.2"), protocol: "tcp", containerPort: 8080, count: 1 },
  ])
})
