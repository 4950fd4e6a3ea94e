// Networks with `ipam_options.driver` "dhcp", as Podman hands them in, with dnsmasq as the server.
// time limit: 180 s

import { expect, test } from "bun:test"
import { lan } from "../../dhcp/scene.ts"
import { Host } from "../../host.ts"
import { netavark } from "./call.ts"

const ID = "4c1e5bf24714a5b51ddf672f83cc5c9b6b8243b58428b632eb759b8e96e76c46"

/** What Podman 5 sends for `podman run --name web --network lan`, with a network made by `--ipam-driver dhcp`. */
function request(network: object, rest: object = {}): object {
  return {
    container_id: "f".repeat(64),
    container_name: "web",
    container_hostname: "web",
    networks: { lan: { interface_name: "eth0" } },
    network_info: {
      lan: {
        name: "lan",
        id: ID,
        driver: "bridge",
        network_interface: "lan0",
        ipv6_enabled: false,
        internal: false,
        dns_enabled: false,
        ipam_options: { driver: "dhcp" },
        options: { mode: "unmanaged" },
        ...network,
      },
    },
    ...rest,
  }
}

test.each([
  ["an unmanaged bridge", {}],
  ["macvlan", { driver: "macvlan", network_interface: "lan0", options: {} }],
])(
  "setup on %s answers with what the DHCP server lent, teardown gives it back",
  async (_, network) => {
    // The process that renews leases ends a little later than the last of them.
    await using host = await Host.create({ patienceMs: 20_000 })
    await using scene = await lan(host)
    await using server = await scene.serve()
    const a = await host.netns("a")
    const input = request(network)
    const { lan: block } = (await netavark(host, ["setup", a.path], { input })).ok().json<{ lan: Block }>()
    expect(block).toMatchObject({ dns_search_domains: ["lan.example"], dns_server_ips: ["198.51.100.53"] })
    const [subnet] = block.interfaces["eth0"]?.subnets ?? []
    expect(subnet?.gateway).toBe("198.51.100.1")
    const [link] = await a.ip(["-4", "address", "show", "dev", "eth0"])
    expect(link?.addr_info).toMatchObject([{ local: subnet?.ipnet.split("/")[0], prefixlen: 24 }])
    expect(link?.address).toBe(block.interfaces["eth0"]?.mac_address as string)
    expect(await a.ip(["route", "show", "default"])).toMatchObject([{ gateway: "198.51.100.1", metric: 100 }])
    expect(await server.says(/DHCPACK/)).toContain("web")
    // Podman may ask again, and tears down as often as it likes.
    const again = await netavark(host, ["setup", a.path], { input: request(network, { dns_servers: ["192.0.2.9"] }) })
    expect(again.ok().json<{ lan: Block }>().lan).toEqual({ ...block, dns_server_ips: ["192.0.2.9"] } as never)
    for (const _again of [1, 2]) {
      expect((await netavark(host, ["teardown", a.path], { input })).ok().stdout).toBe("")
    }
    expect(await server.says(/DHCPRELEASE/)).toContain(subnet?.ipnet.split("/")[0] as string)
    expect(await scene.changes()).toEqual([])
  },
  60_000,
)

interface Block {
  readonly dns_search_domains: readonly string[]
  readonly interfaces: Readonly<
    Record<string, { readonly mac_address: string; readonly subnets: readonly { ipnet: string; gateway?: string }[] }>
  >
}

test("without a server setup says so in one key, and nothing is left; what cannot have DHCP is refused at once", async () => {
  await using host = await Host.create()
  await using scene = await lan(host)
  const a = await host.netns("a")
  const failed = await netavark(host, ["setup", a.path], { input: request({}) })
  expect(failed.code).toBe(1)
  expect(failed.json<object>()).toEqual({
    error: expect.stringMatching(
      /^unable to obtain lease: no DHCP server answered within 10 s on network "lan" \(.*"lan0"\)$/,
    ),
  })
  expect(await scene.changes()).toEqual([])
  for (const [network, error] of [
    [{ options: {} }, "cannot use dhcp ipam driver without using the option mode=unmanaged"],
    [{ driver: "ipvlan", options: {} }, "ipam driver dhcp is not supported with ipvlan"],
  ] as const) {
    expect((await netavark(host, ["setup", a.path], { input: request(network) })).json<object>()).toEqual({ error })
  }
}, 60_000)

test("dhcp-proxy renews what there is, and ends when nothing is lent", async () => {
  await using host = await Host.create()
  const begun = performance.now()
  expect((await netavark(host, ["dhcp-proxy", "-d", "/nonexistent", "-t", "8", "-a", "1"])).ok().stdout).toBe("")
  expect(performance.now() - begun).toBeGreaterThan(1000)
  expect((await netavark(host, ["dhcp-proxy", "--activity-timeout", "x"])).code).toBe(2)
}, 60_000)
