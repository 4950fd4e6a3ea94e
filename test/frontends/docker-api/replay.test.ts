// Everything that a real client asked a real daemon, asked again here: the answers must be the daemon's, but for ids,
// times and what linkspan has none of.

import { expect, test } from "bun:test"
import exchanges from "../../fixtures/docker-api/exchanges.json"
import { Host } from "../../host.ts"
import { Api } from "./api.ts"

interface Exchange {
  readonly command: string
  readonly method: string
  readonly path: string
  readonly body?: Record<string, unknown>
  readonly status: number
  readonly headers?: Record<string, string>
  readonly contentType?: string
  readonly response?: unknown
  readonly stream?: readonly unknown[]
}

/** With what differs from one run to another taken out. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replaceAll(/\b[0-9a-f]{64}\b/g, "ID")
    .replaceAll(/\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/g, "TIME")
    .replaceAll(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, "MAC")
    .replaceAll(/\bfd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}/g, "ULA")
  return JSON.parse(text)
}

/** Docker's words, perhaps followed by linkspan's reason. */
function saysAsMuch(ours: unknown, theirs: unknown): void {
  const message = (value: unknown): string => (value as { readonly message: string }).message
  const cut = (text: string): string => text.replaceAll(/\b[0-9a-f]{12,64}\b/g, "ID")
  expect(cut(message(ours))).toStartWith(cut(message(theirs)))
}

const named = (name: string) => (network: unknown) => (network as { readonly Name: string }).Name === name

function sorted(networks: unknown): unknown[] {
  return (networks as { readonly Name: string }[]).toSorted((a, b) => a.Name.localeCompare(b.Name))
}

test("every captured request gets the daemon's answer", async () => {
  await using host = await Host.create()
  const k1 = await host.netns("k1")
  // The range that the daemon took its first network from.
  await using api = await Api.serve(host, { pools: ["172.18.0.0/16/16"] })
  const events: { Action: string; Attributes: Record<string, string> }[] = []
  const following = api.lines("/v1.50/events?filters=%7B%22type%22%3A%7B%22network%22%3Atrue%7D%7D")
  const followed = (async () => {
    for await (const line of following) {
      const { Action, Actor } = JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } }
      events.push({ Action, Attributes: Actor.Attributes })
      if (Actor.Attributes["name"] === "last") {
        return
      }
    }
  })()
  // Looked at in the end; what fails before that is what went wrong.
  followed.catch(() => undefined)

  for (const exchange of exchanges.exchanges as unknown as readonly Exchange[]) {
    const { command, method, path, status } = exchange
    if (path.endsWith("/containers/create?name=k1")) {
      // What the daemon did by itself is somebody else's here.
      await api.linkspan.attach({
        name: "k1",
        netns: { kind: "path", path: k1.path },
        networks: [{ network: "a1", aliases: ["al"] }],
        publish: [{ hostPort: 8080, containerPort: 80 }],
      })
      continue
    }
    if (path.endsWith("/start") || path.endsWith("/containers/k1?force=1") || path.endsWith("/networks/bridge")) {
      if (method === "DELETE" && path.endsWith("k1?force=1")) {
        await api.linkspan.detach("k1")
      }
      if (!path.endsWith("/networks/bridge") || method === "GET") {
        continue
      }
    }
    const { body } = exchange
    const reply = await api.ask(method, path, body === undefined ? {} : { body })
    const at = `${command}: ${method} ${path}`
    expect({ at, status: reply.status, text: status < 400 ? "" : reply.text }).toMatchObject({
      at,
      status,
      ...(status < 400 ? {} : { text: expect.any(String) }),
    })
    if (exchange.contentType !== undefined) {
      expect(reply.headers.get("content-type")).toBe(exchange.contentType)
    }
    compare(exchange, reply.json, reply.headers)
  }
  await api.linkspan.networks.create({ name: "last" })
  await followed
  await api.linkspan.networks.remove("last")
  expect(plain(events.slice(0, -1))).toEqual(
    plain(exchanges.events.filter(({ Attributes }) => Attributes.name !== "st")),
  )
  expect(api.log).toEqual([])
})

function compare({ path, status, headers, response, stream }: Exchange, ours: unknown, own: Headers): void {
  if (headers !== undefined) {
    const { "Api-Version": _version, ...same } = headers
    expect(Object.fromEntries(Object.keys(same).map((name) => [name, own.get(name)]))).toEqual(same)
    expect(own.get("Api-Version")).toBe("1.52")
  } else if (status >= 400) {
    saysAsMuch(ours, response)
  } else if (path.endsWith("/version") || path.endsWith("/info")) {
    sameShape(ours, response)
  } else if (path.includes("/networks?") || path.endsWith("/networks")) {
    expect(sorted(plain(ours))).toEqual(sorted(plain(response)).filter((network) => !named("bridge")(network)))
  } else if (path.includes("/containers/")) {
    sameContainer(ours, response)
  } else if (stream === undefined && response !== undefined) {
    expect(plain(ours)).toEqual(plain(response))
  }
}

/** Fields of the same kinds; those that are of images, engines and volumes may be empty or missing. */
function sameShape(ours: unknown, theirs: unknown): void {
  for (const [key, value] of Object.entries(ours as object)) {
    const other = (theirs as Record<string, unknown>)[key]
    expect({ key, known: other !== undefined }).toEqual({ key, known: true })
    if (value !== null && other !== null) {
      expect({ key, kind: typeof value, list: Array.isArray(value) }).toEqual({
        key,
        kind: typeof other as "string",
        list: Array.isArray(other),
      })
    }
  }
}

interface Container {
  readonly Name?: string
  readonly Names?: readonly string[]
  readonly NetworkSettings: {
    readonly Networks: Record<string, Record<string, unknown> & { readonly DNSNames: readonly string[] }>
    readonly Ports?: Record<string, readonly { readonly HostIp: string }[]>
  }
}

/** What Docker's clients read of a container's networks. */
function sameContainer(ours: unknown, theirs: unknown): void {
  const [own, other] = [ours, theirs].map((value) => (Array.isArray(value) ? value[0] : value)) as [
    Container,
    Container,
  ]
  sameShape(own, other)
  expect(plain({ Names: own.Names, Name: own.Name })).toEqual(plain({ Names: other.Names, Name: other.Name }))
  for (const [name, endpoint] of Object.entries(other.NetworkSettings.Networks)) {
    // Of what was asked for only what came of it is kept.
    const { IPAMConfig: _ipam, DriverOpts: _options, DNSNames: names, ...rest } = endpoint
    const mine = own.NetworkSettings.Networks[name]
    expect(plain(mine)).toMatchObject(plain(rest) as object)
    expect(mine?.DNSNames.slice(0, 2)).toEqual(names.slice(0, 2))
  }
  const published = other.NetworkSettings.Ports?.["80/tcp"]
  if (published !== undefined) {
    // The network has no IPv6, and there is no proxy that would lead it to IPv4.
    expect(own.NetworkSettings.Ports?.["80/tcp"]).toEqual(published.filter(({ HostIp }) => HostIp === "0.0.0.0"))
  }
}
