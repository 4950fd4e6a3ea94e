// Debian's docker-compose and the Python client library below it, against linkspan's socket: what they do about networks.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { Host } from "../../host.ts"
import { unpacked } from "../../kernel/debian-package.ts"
import { type Ran, run, toolEnvironment } from "../../run.ts"
import { Api } from "./api.ts"

const LIBRARIES = [
  "attr",
  "cached-property",
  "certifi",
  "chardet",
  "charset-normalizer",
  "distro",
  "docker",
  "dockerpty",
  "docopt",
  "dotenv",
  "idna",
  "jsonschema",
  "packaging",
  "pyrsistent",
  "requests",
  "six",
  "texttable",
  "urllib3",
  "websocket",
  "yaml",
].map((name) => `python3-${name}`)

async function python(api: Api, args: (root: string) => readonly string[], input?: string): Promise<Ran> {
  const root = await unpacked("docker-compose", ...LIBRARIES)
  return run(["/usr/bin/python3", ...args(root)], {
    env: {
      ...toolEnvironment(),
      PYTHONPATH: join(root, "usr/lib/python3/dist-packages"),
      DOCKER_HOST: `unix://${api.socket}`,
    },
    timeoutMs: 60_000,
    ...(input === undefined ? {} : { input }),
  })
}

const COMPOSE = `
version: "3.8"
services:
  web:
    image: nothing.invalid/none
    networks: [front, back]
networks:
  front:
    driver: linkspan
    driver_opts: { com.docker.network.driver.mtu: "1400" }
    labels: { tier: front }
    ipam: { config: [{ subnet: 10.77.0.0/24 }] }
  back:
    internal: true
`

test("docker-compose makes its networks, says why there are no images, and takes them down", async () => {
  await using host = await Host.create({ uplink: false })
  await using api = await Api.serve(host)
  const file = host.file("compose.yml")
  await Bun.write(file, COMPOSE)
  const compose = (...args: readonly string[]): Promise<Ran> =>
    python(api, (root) => [join(root, "usr/bin/docker-compose"), "-f", file, "-p", "shop", ...args])

  const up = await compose("up", "--no-start")
  expect(up.code).not.toBe(0)
  expect(up.stderr).toContain("page not found: linkspan serves Docker's networks here")
  const { networks } = await api.linkspan.state()
  expect(networks).toMatchObject([
    { name: "shop_back", internal: true },
    {
      name: "shop_front",
      mtu: 1400,
      subnets: [{ prefix: "10.77.0.0/24", gateway: "10.77.0.1" }],
      labels: { tier: "front", "com.docker.compose.project": "shop", "com.docker.compose.network": "front" },
    },
  ])
  expect((await api.ask("GET", "/networks/shop_front")).json).toMatchObject({ Driver: "linkspan" })
  // Again: it finds them as it left them.
  expect((await compose("up", "--no-start")).stderr).not.toContain("needs to be recreated")
  expect((await api.linkspan.state()).networks).toEqual(networks)
  const ps = (await compose("ps", "-q")).ok()
  expect(ps.stdout).toBe("")

  const down = (await compose("down", "--volumes")).ok()
  expect(down.stderr).toContain("Removing network shop_front")
  expect((await api.linkspan.state()).networks).toEqual([])
  expect(api.log).toEqual([])
})

const SCRIPT = `
import docker, json, sys
client = docker.from_env()
print(json.dumps(client.version()["Version"]))
ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.78.0.0/24", aux_addresses={"p": "10.78.0.9"})])
web = client.networks.create("web", driver="bridge", ipam=ipam, labels={"a": "b"}, enable_ipv6=False)
events = client.events(decode=True, filters={"type": "network"}, since=0)
web.connect("box", ipv4_address="10.78.0.7", aliases=["www"])
web.reload()
print(json.dumps([web.name, len(web.id), [c.name for c in web.containers], web.attrs["IPAM"]["Config"]]))
print(json.dumps([n.name for n in client.networks.list(filters={"label": "a=b"})]))
box = client.containers.get("box")
print(json.dumps([box.status, box.attrs["NetworkSettings"]["Networks"]["web"]["IPAddress"]]))
try:
    web.connect("box")
except docker.errors.APIError as error:
    print(json.dumps([error.status_code, error.explanation]))
web.disconnect(box)
print(json.dumps(client.networks.prune()))
seen = [next(events)["Action"] for _ in range(4)]
print(json.dumps(seen))
`

test("Docker's Python library does with networks what it does", async () => {
  await using host = await Host.create({ uplink: false })
  const box = await host.netns("box")
  await using api = await Api.serve(host)
  await api.linkspan.networks.create({ name: "base" })
  await api.linkspan.attach({
    name: "box",
    netns: { kind: "path", path: box.path },
    networks: [{ network: "base" }],
  })
  const ran = (await python(api, () => ["-"], SCRIPT)).ok()
  expect(
    ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    "0.1.0",
    ["web", 64, ["box"], [{ Subnet: "10.78.0.0/24", Gateway: "10.78.0.1", AuxiliaryAddresses: { p: "10.78.0.9" } }]],
    ["web"],
    ["running", "10.78.0.7"],
    [403, "endpoint with name box already exists in network web"],
    { NetworksDeleted: ["web"] },
    ["connect", "disconnect", "destroy", "prune"],
  ])
  await api.linkspan.detach("box")
  await api.linkspan.networks.remove("base")
  expect(api.log).toEqual([])
})
