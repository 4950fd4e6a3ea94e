// Networks whose driver is a program of somebody else, called as netavark calls it.
// time limit: 180 s

import { expect, test } from "bun:test"
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Host } from "../../host.ts"
import { netavark } from "./call.ts"

const ID = "4c1e5bf24714a5b51ddf672f83cc5c9b6b8243b58428b632eb759b8e96e76c46"
const BRIDGE_ID = "8e1e5bf24714a5b51ddf672f83cc5c9b6b8243b58428b632eb759b8e96e76c46"
const PORT = { host_ip: "", container_port: 80, host_port: 8080, range: 1, protocol: "tcp" }

function network(more: object = {}): object {
  return { name: "wire", id: ID, driver: "mydriver", ipv6_enabled: false, internal: false, dns_enabled: false, ...more }
}

const BRIDGE = {
  ...network({ name: "n1", id: BRIDGE_ID, driver: "bridge" }),
  network_interface: "podman1",
  subnets: [{ subnet: "10.89.0.0/24", gateway: "10.89.0.1" }],
}

/** A container on a bridge of linkspan's and on the plugin's network. */
function request(more: object = {}): object {
  return {
    container_id: "f".repeat(64),
    container_name: "c",
    networks: {
      n1: { interface_name: "eth0", static_ips: ["10.89.0.2"], aliases: [] },
      wire: { interface_name: "eth1", static_mac: "aa:bb:cc:dd:ee:01", aliases: ["x"] },
    },
    network_info: { n1: BRIDGE, wire: network(more) },
    port_mappings: [PORT],
  }
}

/** A directory with the plugin in it, under that name. */
function plugins(host: Host) {
  const directory = host.file("plugins")
  mkdirSync(directory)
  copyFileSync(join(import.meta.dir, "plugin.py"), join(directory, "mydriver"))
  chmodSync(join(directory, "mydriver"), 0o755)
  return {
    directory,
    calls: () => {
      const file = join(directory, "calls")
      return existsSync(file)
        ? readFileSync(file, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as { args: string[]; request: Record<string, unknown> })
        : []
    },
  }
}

test("setup and teardown call the plugin with what netavark would, beside linkspan's own networks", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  const { directory, calls } = plugins(host)
  const args = ["--plugin-directory", "/nonexistent", `--plugin-directory=${directory}`]
  const input = request({ options: { custom: "opt" } })
  const ran = (await netavark(host, [...args, "setup", a.path], { input })).ok()
  expect(ran.stderr).toContain("made eth1")
  expect(ran.json<object>()).toMatchObject({
    n1: { interfaces: { eth0: { subnets: [{ ipnet: "10.89.0.2/24" }] } } },
    wire: { dns_server_ips: ["192.0.2.53"], interfaces: { eth1: { mac_address: "aa:bb:cc:dd:ee:01" } } },
  })
  expect((await a.ip(["link"])).map(({ ifname }) => ifname)).toEqual(["lo", "eth0", "eth1"])
  ;(await netavark(host, [...args, "teardown", a.path], { input })).ok()
  expect(await a.ip(["link"])).toHaveLength(1)
  expect(calls()).toEqual(
    ["setup", "teardown"].map((verb) => ({
      plugin: "mydriver",
      args: [verb, a.path],
      request: {
        container_id: "f".repeat(64),
        container_name: "c",
        port_mappings: [PORT],
        network: network({ options: { custom: "opt" } }) as Record<string, unknown>,
        network_options: { interface_name: "eth1", static_mac: "aa:bb:cc:dd:ee:01", aliases: ["x"] },
      },
    })) as never,
  )
  // Podman 6 sends a list; and a network of a plugin alone needs nothing of linkspan.
  const alone = {
    container_id: "e".repeat(64),
    container_name: "d",
    networks: [{ name: "wire", interface_name: "eth0" }],
    network_info: { wire: network() },
  }
  ;(await netavark(host, [...args, "setup", a.path], { input: alone })).ok()
  expect(calls().at(-1)?.request["network_options"]).toEqual({ interface_name: "eth0" })
  ;(await netavark(host, [...args, "teardown", a.path], { input: alone })).ok()
}, 60_000)

test.each([
  ["fails", 'plugin "mydriver" failed: exit code 1, message: no such wire'],
  ["crashes", 'plugin "mydriver" failed: exit code 3, parse error'],
  ["killed", 'plugin "mydriver" failed: killed by signal (SIGKILL)'],
  ["babbles", 'plugin "mydriver" failed: its answer cannot be read'],
  ["floods", 'plugin "mydriver" failed: it says more than 1 MiB'],
  ["hangs", 'plugin "mydriver" failed: it did not end within 3 s'],
])(
  "when a plugin %s, setup says so in one key and nothing is left of any network",
  async (behaviour, error) => {
    await using host = await Host.create({ uplink: false })
    const a = await host.netns("a")
    const { directory, calls } = plugins(host)
    const ran = await netavark(host, [`--plugin-directory=${directory}`, "setup", a.path], {
      input: request({ options: { behaviour } }),
      env: behaviour === "hangs" ? { LINKSPAN_PLUGIN_TIMEOUT: "3" } : {},
    })
    expect(ran.code).toBe(1)
    expect(ran.json<object>()).toEqual({ error: expect.stringContaining(error) })
    expect(calls().map(({ args }) => args[0])).toEqual(["setup", "teardown"])
    expect(await a.ip(["link"])).toHaveLength(1)
  },
  60_000,
)

test("a driver that is no plugin is refused before anything is made; teardown removes the rest and says what failed", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  const { directory, calls } = plugins(host)
  const option = `--plugin-directory=${directory}`
  for (const driver of ["none", "../plugins/mydriver", "", "."]) {
    const ran = await netavark(host, [option, "setup", a.path], { input: request({ driver }) })
    expect(ran.json<object>()).toEqual({ error: `unknown network driver "${driver}"` })
  }
  expect(calls()).toEqual([])
  const input = request({ options: { behaviour: "stuck-teardown" } })
  ;(await netavark(host, [option, "setup", a.path], { input })).ok()
  const ran = await netavark(host, [option, "teardown", a.path], { input })
  expect(ran.json<object>()).toEqual({ error: 'plugin "mydriver" failed: exit code 1, message: cannot let go' })
  expect(await a.ip(["link"])).toHaveLength(1)
}, 60_000)

test("create lets the plugin complete its network, but not rename it", async () => {
  await using host = await Host.create({ uplink: false })
  const { directory } = plugins(host)
  const input = (options: object) => ({
    network: { ...network({ options }), created: "0001-01-01T00:00:00Z" },
    used: { interfaces: [], names: {}, subnets: [] },
    options: { subnet_pools: [], default_interface_name: "podman", check_used_subnets: true },
  })
  const args = [`--plugin-directory=${directory}`, "create"]
  const made = (await netavark(host, args, { input: input({ a: "b" }) })).ok().json<object>()
  expect(made).toMatchObject({
    name: "wire",
    driver: "mydriver",
    options: { a: "b", made: "by plugin" },
    created: expect.stringMatching(/^20/),
  })
  const renamed = await netavark(host, args, { input: input({ renames: "yes" }) })
  expect(renamed.json<object>()).toEqual({
    error: expect.stringContaining('it answers for name "another" instead of "wire"'),
  })
}, 60_000)
