import { describe, expect, test } from "bun:test"
import type { LinkspanError } from "#model/errors.ts"
import { networkRequest } from "./network-request.ts"

const ID = "73a61c47e0a2fd48f099c10bdd193e9663ca61dfda70a2afb1c80318fcbf97d0"
const V4 = { AddressSpace: "", Pool: "10.77.0.0/24", Gateway: "10.77.0.1/24", AuxAddresses: {} }
const V6 = { AddressSpace: "", Pool: "fd77::/64", Gateway: "fd77::1/64", AuxAddresses: {} }

function request(options: Record<string, string> = {}, more: object = {}, flags: object = {}) {
  return networkRequest({
    NetworkID: ID,
    IPv4Data: [V4],
    IPv6Data: [],
    Options: { "com.docker.network.generic": options, ...flags },
    ...more,
  })
}

function refusal(act: () => unknown): readonly string[] {
  try {
    act()
  } catch (error) {
    return (error as LinkspanError).issues.map(({ path, message }) => `${path} ${message}`)
  }
  return []
}

describe("networkRequest()", () => {
  test("takes the beginning of Docker's id, and keeps the whole as a label", () => {
    expect(request()).toEqual({
      request: {
        id: "73a61c47e0a2",
        name: "docker-73a61c47e0a2",
        internal: false,
        ipv4: true,
        ipv6: false,
        subnets: [{ prefix: "10.77.0.0/24", gateway: "10.77.0.1", reserved: [] }],
        dns: false,
        labels: { "com.docker.network.id": ID },
      },
    })
  })

  test("reads both families, internal networks, and auxiliary addresses", () => {
    const auxiliary = { a: "10.77.0.5/24", DefaultGatewayIPv4: "10.77.0.254/24" }
    const { request: read } = request(
      {},
      { IPv4Data: [{ ...V4, AuxAddresses: auxiliary }], IPv6Data: [V6] },
      { "com.docker.network.internal": true },
    )
    expect(read).toMatchObject({ internal: true, ipv4: true, ipv6: true })
    expect(read.subnets?.[0]?.reserved).toEqual(["10.77.0.5", "10.77.0.254"])
    expect(read.labels).toMatchObject({ DefaultGatewayIPv4: "10.77.0.254" })
  })

  test("keeps Docker's gateway from everybody where the host has no address", () => {
    const isolated = { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" }
    expect(request(isolated, {}, { "com.docker.network.internal": true }).request.subnets).toEqual([
      { prefix: "10.77.0.0/24", reserved: ["10.77.0.1"] },
    ])
  })

  test("leaves to Docker what Docker obeys itself", () => {
    expect(request({ "com.docker.network.advertise_addr_ms": "500" }).request.name).toBe("docker-73a61c47e0a2")
  })

  test("refuses everything that is wrong at once", () => {
    const wrong = { "com.docker.network.driver.mtu": "many", nonsense: "1" }
    const issues = refusal(() => request(wrong, { IPv4Data: [{ Pool: "0.0.0.0/0" }] }))
    expect(issues.map((issue) => issue.split(" ")[0]).toSorted()).toEqual([
      "IPAM[0]",
      "option.com.docker.network.driver.mtu",
      "option.nonsense",
    ])
  })
})
