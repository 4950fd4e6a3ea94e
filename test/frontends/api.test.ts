// time limit: 120 s
// linkspan's own API at a real socket: every route of the document, the client in Bun and in Node, events as they come.

import { expect, test } from "bun:test"
import { type LinkspanClient, linkspanClient } from "../../src/frontends/api/client.ts"
import { ROUTES } from "../../src/frontends/api/routes.ts"
import { serveApi } from "../../src/frontends/api/serve.ts"
import { serveDockerApi } from "../../src/frontends/docker-api/serve.ts"
import { Host } from "../host.ts"
import { run } from "../run.ts"

async function serve(host: Host, log: string[]) {
  await using stack = new AsyncDisposableStack()
  const linkspan = stack.use(await host.linkspan())
  const say = (line: string): void => void log.push(line)
  const beside = { prefix: "/v1/", answer: serveApi(linkspan, say) }
  const { address: socket } = stack.use(
    await serveDockerApi(linkspan, { socket: host.file("api.sock"), beside, log: say }),
  )
  const running = stack.move()
  return { linkspan, socket, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const PORT = { hostPort: 30080, containerPort: 80 }

test("every route answers as the document says, and changes nothing when it is asked what it would do", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const log: string[] = []
  await using api = await serve(host, log)
  const tried = new Set<string>()
  const ask = async (id: string, params: Readonly<Record<string, string>> = {}, body?: unknown, query = "") => {
    const route = ROUTES.find((one) => one.id === id) ?? ROUTES[0]
    tried.add(id)
    const path = route?.path.replaceAll(/\{([a-z]+)\}/g, (_, name: string) => params[name] ?? "") ?? ""
    const response = await fetch(`http://linkspan/v1${path}${query}`, {
      unix: api.socket,
      method: route?.method ?? "GET",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = await response.json()
    expect({ id, status: response.status, answer }).toEqual({ id, status: 200, answer: expect.anything() })
    if (body !== undefined) {
      route?.body?.parse(body)
    }
    return route?.answer.parse(answer)
  }
  const web = { network: "web" }
  const request = { name: "web", subnets: [{ prefix: "10.50.0.0/24" }, { prefix: "fd50::/64" }] }
  await ask("version")
  expect(await ask("networks.create", {}, request, "?dryRun=true")).toMatchObject({ dryRun: true })
  expect(await ask("networks.list")).toEqual([])
  await ask("networks.create", {}, request)
  await ask("networks.create", {}, { name: "back", subnets: [{ prefix: "10.51.0.0/24" }] })
  const netns = { kind: "path", path: a.path }
  await ask("attach", {}, { name: "a", netns, networks: [{ network: "web", aliases: ["www"] }] })
  await ask("networks.connect", { network: "back" }, { container: "a", addresses: ["10.51.0.9"] })
  await ask("publish", { container: "a" }, [PORT])
  expect(await ask("networks.list")).toHaveLength(2)
  expect(await ask("networks.inspect", web)).toMatchObject({
    network: { name: "web" },
    endpoints: [{ container: "a" }],
  })
  expect(await ask("inspect", { container: "a" })).toMatchObject({ name: "a", publications: [PORT] })
  expect(await ask("list", {}, undefined, "?all=true")).toHaveLength(1)
  await ask("networks.update", web, { addLabels: { tier: "front" } })
  await ask("firewall.status")
  expect(await ask("reconcile")).toMatchObject({ repairs: [], problems: [] })
  await ask("unpublish", { container: "a" }, [PORT])
  await ask("networks.disconnect", { network: "back", container: "a" })
  await ask("detach", { container: "a" })
  await ask("networks.remove", web)
  expect(await ask("networks.prune")).toMatchObject({ result: [{ name: "back" }] })
  expect([...tried].sort()).toEqual(ROUTES.map(({ id }) => id).sort())
  expect(log).toEqual([])
  expect(await host.changes()).toEqual([])
})

test("the client has the engine's verbs, answers and errors, events as they come, and Docker's API beside it", async () => {
  await using host = await Host.create({ uplink: false })
  const log: string[] = []
  await using api = await serve(host, log)
  const client = linkspanClient({ socket: api.socket })
  const kinds: string[] = []
  const following = (async () => {
    for await (const { kind } of client.events({ follow: true })) {
      kinds.push(kind)
      if (kind === "network-removed") {
        return
      }
    }
  })()
  await client.networks.create({ name: "web" })
  const { network } = await client.networks.inspect("web")
  expect(network).toEqual((await api.linkspan.networks.inspect("web")).network)
  type Networks = Pick<LinkspanClient, "networks">
  const said = async (act: () => Promise<unknown>): Promise<unknown> => {
    const error = await act().catch((thrown: unknown) => thrown)
    return JSON.parse(JSON.stringify(error)) as unknown
  }
  for (const act of [
    ({ networks }: Networks) => networks.inspect("nope"),
    ({ networks }: Networks) => networks.create({ name: "a b", mtu: 1 }),
    ({ networks }: Networks) => networks.remove("../web"),
  ]) {
    expect(await said(() => act(client))).toEqual(await said(() => act(api.linkspan)))
  }
  const asked = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://linkspan${path}`, { unix: api.socket, ...init } as RequestInit)
    return [response.status, await response.json()]
  }
  for (const [path, init, status, code] of [
    ["/v1/nothing", {}, 404, "INVALID_REQUEST"],
    ["/v1/networks", { method: "POST", body: "{" }, 400, "INVALID_REQUEST"],
    ["/v1/networks", { method: "POST", body: "[]" }, 400, "INVALID_REQUEST"],
    ["/v1/networks", { method: "PUT", body: "{}" }, 404, "INVALID_REQUEST"],
    ["/v1/events?tail=many", {}, 400, "INVALID_REQUEST"],
  ] as const) {
    expect(await asked(path, init)).toEqual([status, expect.objectContaining({ code })])
  }
  expect(await asked("/v1/openapi.json")).toEqual([200, expect.objectContaining({ openapi: "3.1.0" })])
  expect(await asked("/v1.41/networks/web")).toEqual([200, expect.objectContaining({ Name: "web" })])
  await client.networks.remove("web")
  await following
  expect(kinds).toEqual(["network-created", "network-removed"])
  await expect(linkspanClient({ socket: host.file("none.sock") }).version()).rejects.toMatchObject({
    code: "DAEMON_LOST",
  })
  expect(log).toEqual([])
})

test("the client runs in Node", async () => {
  await using host = await Host.create({ uplink: false })
  await using api = await serve(host, [])
  const script = host.file("client.mjs")
  const built = await Bun.build({
    entrypoints: [new URL("../../src/frontends/api/client.ts", import.meta.url).pathname],
    target: "node",
    format: "esm",
  })
  const program = `
const linkspan = linkspanClient({ socket: ${JSON.stringify(api.socket)} })
const { result } = await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.50.0.0/24" }] })
const error = await linkspan.networks.create({ name: "web" }).catch(({ code }) => code)
const events = []
for await (const { kind } of linkspan.events()) events.push(kind)
await linkspan.networks.remove("web")
console.log(JSON.stringify([result.network.name, error, events]))
`
  await Bun.write(script, `${await built.outputs[0]?.text()}\n${program}`)
  const ran = await run(["node", script])
  expect(ran.ok().json()).toEqual(["web", "NAME_IN_USE", ["network-created"]])
})
