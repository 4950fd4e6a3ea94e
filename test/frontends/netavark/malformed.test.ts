// Requests with one thing wrong, everywhere it can be wrong: each field missing, or of each other type. The answer is
// one key with what could not be loaded, in serde's words (which netavark reads JSON with), and nothing is done.

import { expect, test } from "bun:test"
import { Host } from "../../host.ts"
import { answerOf } from "./in-process.ts"
import { options, PORT } from "./request.ts"

type Type = "text" | "boolean" | "u16" | "u32" | "list" | "map" | "map or list" | "address"

const ATTACHMENT: Readonly<Record<string, Type>> = {
  "interface_name!": "text",
  static_ips: "list",
  "static_ips.0+": "address",
  static_mac: "text",
  aliases: "list",
  "aliases.0+": "text",
  options: "map",
  "options.host_interface_name+": "text",
}

/** Every field that is read, by where it stands; "!" says that it must be there, "+" that it is no field but a member. */
const FIELDS: Readonly<Record<string, Type>> = {
  "container_id!": "text",
  "container_name!": "text",
  container_hostname: "text",
  "networks!": "map or list",
  "networks.n1+": "map",
  ...below("networks.n1", ATTACHMENT),
  "network_info!": "map",
  "network_info.n1+": "map",
  ...below("network_info.n1", {
    "name!": "text",
    "id!": "text",
    "driver!": "text",
    "internal!": "boolean",
    "ipv6_enabled!": "boolean",
    "dns_enabled!": "boolean",
    network_interface: "text",
    subnets: "list",
    "subnets.0+": "map",
    "subnets.0.subnet!": "text",
    "subnets.0.gateway": "address",
    routes: "list",
    "routes.0+": "map",
    "routes.0.destination!": "text",
    "routes.0.gateway": "address",
    "routes.0.metric": "u32",
    "routes.0.route_type": "text",
    ipam_options: "map",
    "ipam_options.driver+": "text",
    network_dns_servers: "list",
    "network_dns_servers.0+": "address",
    options: "map",
    "options.mtu+": "text",
  }),
  port_mappings: "list",
  "port_mappings.0+": "map",
  ...below("port_mappings.0", {
    "host_ip!": "text",
    "container_port!": "u16",
    "host_port!": "u16",
    "protocol!": "text",
    "range!": "u16",
  }),
  dns_servers: "list",
  "dns_servers.0+": "address",
}

/** Podman 6 sends a list in order. */
const LIST_FIELDS: Readonly<Record<string, Type>> = {
  "networks.0+": "map",
  ...below("networks.0", { "name!": "text", ...ATTACHMENT }),
}

const ATTACHED = {
  interface_name: "eth0",
  static_ips: ["10.89.0.2"],
  static_mac: "02:00:00:00:00:09",
  aliases: ["uno"],
  options: { host_interface_name: "host0" },
}
const WHOLE = options({
  network: {
    options: { mtu: "1400" },
    network_dns_servers: ["192.0.2.53"],
    routes: [{ destination: "10.99.0.0/24", gateway: "10.89.0.9", metric: 7, route_type: "unicast" }],
  },
  ports: [PORT],
  rest: { container_hostname: "c1", networks: { n1: ATTACHED }, dns_servers: ["192.0.2.54"] },
})

const VALUES: readonly unknown[] = [null, true, 7, -1, 1.5, 70_000, 4_294_967_296, "x", [], { x: 7 }]

test.each<[string, object, Readonly<Record<string, Type>>]>([
  ["a map of networks", WHOLE, FIELDS],
  ["a list of networks", { ...WHOLE, networks: [{ name: "n1", ...ATTACHED }] }, LIST_FIELDS],
])("in a request with %s, each wrong type and each missing field is told by its name", async (_, whole, fields) => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  const missed: string[] = []
  let tried = 0
  const ask = async (what: string, request: object, want: RegExp): Promise<void> => {
    for (const verb of ["setup", "teardown"]) {
      tried++
      const { code, answer } = await answerOf(host, [verb, a.path], JSON.stringify(request))
      const said = JSON.stringify(answer)
      if (code !== 1 || Object.keys(answer as object).join() !== "error" || !want.test(said)) {
        missed.push(`${verb}: ${what}: ${code} ${said}`)
      }
    }
  }
  for (const [field, type] of Object.entries(fields)) {
    const path = field.replace(/[!+]/, "").split(".")
    const key = path.at(-1) as string
    if (field.endsWith("!")) {
      await ask(`${field} missing`, changed(whole, path, undefined), new RegExp(`missing field \`${key}\` at line 1`))
    }
    for (const value of VALUES.filter((each) => !isOf(type, each, /[!+]/.test(field)))) {
      await ask(
        `${field} = ${JSON.stringify(value)}`,
        changed(whole, path, value),
        /failed to load network options: IO error: (invalid type: .*, expected |invalid IP address syntax ).*at line 1 column/,
      )
    }
  }
  expect(missed).toEqual([])
  expect(tried).toBeGreaterThan(100)
  expect(await host.changes()).toEqual([])
})

/** Whether the value is one that may stand there. */
function isOf(type: Type, value: unknown, isRequired: boolean): boolean {
  if (value === null) {
    return !isRequired
  }
  switch (type) {
    case "text":
      return typeof value === "string"
    case "address":
      return false
    case "boolean":
      return typeof value === "boolean"
    case "u16":
    case "u32":
      return value === 7 || (value === 70_000 && type === "u32")
    case "list":
      // What is in it is of other types.
      return Array.isArray(value)
    case "map":
      return typeof value === "object" && !Array.isArray(value)
    case "map or list":
      return typeof value === "object"
  }
}

function below(path: string, fields: Readonly<Record<string, Type>>): Readonly<Record<string, Type>> {
  return Object.fromEntries(Object.entries(fields).map(([field, type]) => [`${path}.${field}`, type]))
}

function changed(request: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(request)
  const parent = path.slice(0, -1).reduce((at, key) => (at as Readonly<Record<string, object>>)[key] as object, copy)
  ;(parent as Record<string, unknown>)[path.at(-1) as string] = value
  return copy
}
