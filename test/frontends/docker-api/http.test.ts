// The socket itself: versions, errors, requests that make no sense, and many at once. Nothing here knows Docker.

import { expect, test } from "bun:test"
import { existsSync, statSync } from "node:fs"
import { connect } from "node:net"
import { serveDockerApi } from "../../../src/frontends/docker-api/serve.ts"
import { Host } from "../../host.ts"
import { run, until } from "../../run.ts"
import { Api, type Asked } from "./api.ts"

/** What comes back to these very bytes, until the other end says no more. */
function raw(socket: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ""
    const client = connect({ path: socket }, () => client.write(bytes))
    client.on("data", (piece) => {
      text += piece.toString()
    })
    client.on("end", () => resolve(text))
    client.on("close", () => resolve(text))
    client.on("error", reject)
  })
}

test("the API is negotiated, says what it is, and refuses the rest with a sentence", async () => {
  await using host = await Host.create({ uplink: false })
  await using api = await Api.serve(host)
  expect(statSync(api.socket).mode & 0o777).toBe(0o600)

  for (const path of ["/_ping", "/v1.24/_ping", "/v1.52/_ping"]) {
    const ping = await api.ask("GET", path)
    expect({ path, status: ping.status, text: ping.text }).toEqual({ path, status: 200, text: "OK" })
    expect(ping.headers.get("api-version")).toBe("1.52")
  }
  const head = await api.ask("HEAD", "/_ping")
  expect([head.status, head.text, head.headers.get("ostype")]).toEqual([200, "", "linux"])
  for (const [path, status, message] of [
    ["/v1.23/networks", 400, /^client version 1\.23 is too old\. Minimum supported API version is 1\.24/],
    ["/v1.99/networks", 400, /^client version 1\.99 is too new\. Maximum supported API version is 1\.52$/],
    ["/v1/networks", 400, /too old/],
    ["/v1.2.3/networks", 400, /too old/],
    ["/networks/%zz", 400, /begins no character/],
    ["/networks/no/such/thing", 404, /^page not found: linkspan serves .* GET \/networks\/no\/such\/thing$/],
    ["/v1.50/swarm", 404, /^page not found: .* GET \/swarm$/],
    ["/", 404, /^page not found/],
    ["/networks/nope", 404, /^network nope not found$/],
    ["/networks/host?scope=swarm", 404, /^network host not found$/],
    ["/containers/nope/json", 404, /^No such container: nope$/],
    ["/networks?filters={", 400, /^invalid filter/],
    ["/networks?filters=[]", 400, /^invalid filter/],
    ['/networks?filters={"driver":5}', 400, /^invalid filter/],
    ['/networks?filters={"type":["odd"]}', 400, /^invalid filter 'type=odd'$/],
    ['/networks?filters={"dangling":["perhaps"]}', 400, /^invalid filter/],
    ['/containers/json?filters={"ancestor":["x"]}', 400, /^invalid filter 'ancestor'$/],
    ["/containers/json?limit=many", 400, /^invalid limit/],
    ["/events?since=yesterday", 400, /^invalid since "yesterday"/],
    ["/events?since=2&until=1", 400, /cannot be after/],
    ['/events?filters={"colour":["x"]}', 400, /^invalid filter 'colour'$/],
  ] as const) {
    const { status: given, json, headers } = await api.ask("GET", path)
    expect({ path, given, json }).toEqual({ path, given: status, json: { message: expect.stringMatching(message) } })
    expect(headers.get("content-type")).toBe("application/json")
  }
  expect((await api.ask("GET", "/images/json")).json).toEqual([])
  expect((await api.ask("GET", "/volumes")).json).toEqual({ Volumes: [], Warnings: null })

  // Whatever a client calls the host, or if it does not.
  for (const name of ["Host: docker", "Host: ", "Host: %2Frun%2Fdocker.sock", "Host: /run/docker.sock"]) {
    const text = await raw(api.socket, `GET /v1.41/_ping HTTP/1.1\r\n${name}\r\nConnection: close\r\n\r\n`)
    expect({ name, text }).toEqual({ name, text: expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\nOK$/) })
  }
  expect(await raw(api.socket, "GET http://x/_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toEndWith("OK")
  expect(await raw(api.socket, "nonsense\r\n\r\n")).toStartWith("HTTP/1.1 400")
  expect(api.log).toEqual([])
})

test("a request that makes no sense is refused as Docker would, and changes nothing", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using api = await Api.serve(host)
  const { linkspan } = api
  await linkspan.networks.create({ name: "base", subnets: [{ prefix: "10.50.0.0/24" }] })
  await linkspan.networks.create({ name: "other", subnets: [{ prefix: "10.51.0.0/24" }] })
  await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "base" }] })
  const before = await linkspan.state()
  const beforeHost = await host.changes()

  const create = (body: object): Asked => ({ body: { Name: "x", ...body } })
  const pool = (config: object): Asked => create({ IPAM: { Config: [config] } })
  const option = (key: string, value: string): Asked => create({ Options: { [key]: value } })
  const join = (config: unknown): Asked => ({ body: { Container: "a", EndpointConfig: config } })
  const CREATE: readonly (readonly [Asked, number, RegExp])[] = [
    [{}, 400, /EOF/],
    [{ body: "{", headers: { "Content-Type": "application/json" } }, 400, /^invalid JSON/],
    [
      { body: '{"Name":"x"}', headers: { "Content-Type": "text/plain" } },
      400,
      /^unsupported Content-Type header \(text\/plain/,
    ],
    [{ body: '{"Name":"x"}', headers: { "Content-Type": "application/x-www-form-urlencoded" } }, 400, /Content-Type/],
    [{ body: [] }, 400, /must be an object/],
    [{ body: {} }, 400, /name is empty/],
    [create({ Name: null }), 400, /name is empty/],
    [create({ Name: 5 }), 400, /Name must be text, not 5/],
    [create({ Name: "a b" }), 400, /Name "a b" is not a name/],
    [create({ Name: "../x" }), 400, /is not a name/],
    [create({ Name: "n".repeat(64) }), 400, /is not a name/],
    [create({ Name: "base" }), 409, /^network with name base already exists$/],
    [create({ Name: "none" }), 403, /^operation is not permitted on predefined none network $/],
    [create({ Driver: 1 }), 400, /Driver must be text/],
    [create({ Driver: "nope" }), 404, /^plugin "nope" not found$/],
    [create({ Driver: "null" }), 403, /^only one instance of "null" network is allowed$/],
    [create({ Driver: "overlay" }), 403, /swarm manager/],
    [create({ Scope: "swarm" }), 403, /swarm is not active/],
    [create({ Scope: "galaxy" }), 400, /invalid scope "galaxy"/],
    [create({ Ingress: true }), 403, /^Ingress network/],
    [create({ Internal: "yes" }), 400, /Internal must be true or false/],
    [create({ EnableIPv4: false }), 400, /EnableIPv4 cannot be false without IPv6/],
    [create({ EnableIPv6: 1 }), 400, /EnableIPv6 must be true or false/],
    [create({ Labels: ["a"] }), 400, /Labels must be an object/],
    [create({ Labels: { a: 1 } }), 400, /Labels\.a must be text/],
    [create({ Labels: { "a b": "c" } }), 400, /Labels.*is not a label's key/],
    [create({ Labels: { "docker.create": "{}" } }), 400, /is linkspan's own/],
    [create({ Options: "x" }), 400, /Options must be an object/],
    [create({ IPAM: { Driver: "nope" } }), 404, /^plugin "nope" not found$/],
    [create({ IPAM: { Driver: "null" } }), 400, /"isolated"/],
    [create({ IPAM: { Config: {} } }), 400, /IPAM\.Config must be a list/],
    [create({ IPAM: { Config: [5] } }), 400, /IPAM\.Config\[0\] must be an object/],
    [create({ ConfigFrom: { Network: "nope" } }), 404, /configuration network "nope"/],
    [pool({ Subnet: 5 }), 400, /IPAM\.Config\[0\]\.Subnet must be text/],
    [pool({ Subnet: "10.0.0.0" }), 400, /IPAM\.Config\[0\]\.Subnet "10\.0\.0\.0" is not a subnet/],
    [
      pool({ Subnet: "10.98.0.1/24" }),
      400,
      /^invalid network config:\ninvalid subnet 10\.98\.0\.1\/24: it should be 10\.98\.0\.0\/24$/,
    ],
    [
      pool({ Subnet: "10.50.0.0/16" }),
      403,
      /^invalid pool request: Pool overlaps with other one on this address space: /,
    ],
    [pool({ Subnet: "192.0.2.0/24" }), 403, /Pool overlaps/],
    [pool({ Subnet: "10.98.0.0/24", Gateway: "10.99.0.1" }), 400, /IPAM\.Config\[0\]\.Gateway 10\.99\.0\.1/],
    [pool({ Subnet: "10.98.0.0/24", IPRange: "10.99.0.0/25" }), 400, /IPRange 10\.99\.0\.0\/25 is not within/],
    [
      pool({ Subnet: "10.98.0.0/24", AuxiliaryAddresses: { x: "here" } }),
      400,
      /AuxiliaryAddresses "here" is not an address/,
    ],
    [
      pool({ Subnet: "10.98.0.0/24", AuxiliaryAddresses: { DefaultGatewayIPv4: "10.98.0.9" } }),
      400,
      /DefaultGatewayIPv4/,
    ],
    [pool({ Gateway: "10.98.0.1" }), 400, /without a Subnet/],
    [option("com.docker.network.driver.mtu", "huge"), 400, /driver\.mtu must be a number of bytes/],
    [
      option("com.docker.network.driver.mtu", "1"),
      400,
      /Options\.com\.docker\.network\.driver\.mtu must be a whole number/,
    ],
    [option("com.docker.network.bridge.enable_icc", "maybe"), 400, /enable_icc must be "true" or "false"/],
    [option("com.docker.network.bridge.gateway_mode_ipv4", "isolated"), 400, /needs an internal network/],
    [option("com.docker.network.bridge.gateway_mode_ipv4", "odd"), 400, /must be "nat"/],
    [option("com.docker.network.bridge.name", "a/b"), 400, /is not an interface name/],
    [option("com.docker.network.bridge.name", "uplink"), 404, /not a bridge/],
    [option("com.docker.network.bridge.nam", "x"), 400, /did you mean "com\.docker\.network\.bridge\.name"/],
    [option("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"), 400, /host_binding_ipv4 is not offered here/],
    [option("com.docker.network.host_ipv6", "192.0.2.1"), 400, /the other family/],
    [
      create({ Internal: true, Options: { "com.docker.network.host_ipv4": "192.0.2.1" } }),
      400,
      /host_ipv4 is possible only/,
    ],
    [option("parent", "uplink"), 400, /is an option of driver/],
    [create({ Driver: "macvlan", Options: { parent: "nowhere" } }), 404, /no interface "nowhere"/],
    // All at once.
    [
      create({
        IPAM: { Config: [{ Subnet: "10.98.0.1/24" }] },
        Options: { "com.docker.network.driver.mtu": "x", y: "z" },
      }),
      400,
      /^invalid network config:\nOptions\.y [^\n]*\nOptions\.com[^\n]*\ninvalid subnet [^\n]*$/,
    ],
  ]
  const CONNECT: readonly (readonly [Asked, number, RegExp])[] = [
    [{}, 400, /EOF/],
    [{ body: {} }, 400, /Container is missing/],
    [{ body: { Container: "" } }, 400, /Container is missing/],
    [{ body: { Container: 5 } }, 400, /Container must be text/],
    [{ body: { Container: "nobody" } }, 404, /^No such container: nobody$/],
    [join([]), 400, /EndpointConfig must be an object/],
    [join({ Aliases: "x" }), 400, /Aliases must be a list/],
    [join({ Aliases: ["a b"] }), 400, /aliases\[0\] "a b" is not a name/],
    [join({ MacAddress: "odd" }), 400, /is not a MAC address/],
    [join({ GwPriority: "1" }), 400, /GwPriority must be a whole number/],
    [join({ IPAMConfig: { IPv4Address: "10.51.0" } }), 400, /is not an address/],
    [join({ IPAMConfig: { IPv4Address: "10.52.0.9" } }), 400, /is in no subnet of network "other"/],
    [join({ IPAMConfig: { IPv4Address: "10.51.0.1" } }), 403, /^Address already in use/],
    [join({ IPAMConfig: { IPv6Address: "fd00::9" } }), 400, /is in no subnet/],
    [join({ IPAMConfig: { LinkLocalIPs: ["169.254.1.1"] } }), 400, /LinkLocalIPs/],
    [join({ Links: ["b:c"] }), 404, /^No such container: b$/],
    [join({ Links: ["a:not a name"] }), 400, /not a name/],
    [join({ DriverOpts: { "com.docker.network.endpoint.ifname": "a/b" } }), 400, /is not an interface name/],
    [join({ DriverOpts: { "com.docker.network.endpoint.sysctls": "x=y" } }), 400, /is not offered here/],
  ]
  const REST: readonly (readonly [string, string, Asked, number, RegExp])[] = [
    ["POST", "/networks/nope/connect", join({}), 404, /^network nope not found$/],
    ["POST", "/networks/base/connect", join({}), 403, /^endpoint with name a already exists in network base$/],
    ["POST", "/networks/host/connect", join({}), 400, /host network/],
    ["POST", "/networks/none/connect", join({}), 400, /\(none\) mode/],
    [
      "POST",
      "/networks/other/disconnect",
      { body: { Container: "a" } },
      500,
      /^container [0-9a-f]{64} is not connected to network other$/,
    ],
    [
      "POST",
      "/networks/other/disconnect",
      { body: { Container: "a", Force: "yes" } },
      400,
      /Force must be true or false/,
    ],
    ["POST", "/networks/other/disconnect", { body: {} }, 400, /Container is missing/],
    ["POST", "/networks/base/disconnect", { body: { Container: "nobody" } }, 404, /^No such container/],
    ["DELETE", "/networks/base", {}, 403, /active endpoints \(name:"a" id:"[0-9a-f]{12}"\)$/],
    ["DELETE", "/networks/nope", {}, 404, /^network nope not found$/],
    ["DELETE", "/networks/host", {}, 403, /pre-defined/],
    ["DELETE", "/networks/bridge", {}, 403, /pre-defined/],
    ["POST", '/networks/prune?filters={"dangling":["true"]}', {}, 400, /^invalid filter 'dangling'$/],
    ["POST", '/networks/prune?filters={"until":["soon"]}', {}, 400, /^invalid until "soon"/],
    ["POST", '/networks/prune?filters={"until":["1h","2h"]}', {}, 400, /more than one until/],
    ["PUT", "/networks/base", {}, 404, /^page not found/],
    ["POST", "/containers/create", { body: {} }, 404, /^page not found/],
  ]
  const all = [
    ...CREATE.map((one) => ["POST", "/v1.50/networks/create", ...one] as const),
    ...CONNECT.map((one) => ["POST", "/v1.50/networks/other/connect", ...one] as const),
    ...REST,
  ]
  for (const [method, path, asked, status, message] of all) {
    const reply = await api.ask(method, path, asked)
    const at = `${method} ${path} ${JSON.stringify(asked)}`
    expect({ at, status: reply.status, json: reply.json }).toEqual({
      at,
      status,
      json: { message: expect.stringMatching(message) },
    })
    expect({ at, state: (await linkspan.state()).version }).toEqual({ at, state: before.version })
  }
  const large = await api.ask("POST", "/networks/create", create({ Labels: { a: "b".repeat(2 << 20) } }))
  expect(large.status).toBe(413)
  expect(await linkspan.state()).toEqual(before)
  expect(await host.changes()).toEqual(beforeHost)
  expect(api.log).toEqual([])

  await linkspan.detach("a")
  await linkspan.networks.prune()
})

test("whoever asks for events is answered before there is one, and let go of when leaving or when the service ends", async () => {
  await using host = await Host.create({ uplink: false })
  const linkspan = await host.linkspan()
  await using _open = linkspan
  const socket = host.file("docker.sock")
  await using service = await serveDockerApi(linkspan, { socket })
  const listeners = async (): Promise<number> => {
    const info = await fetch("http://docker/info", { unix: socket, keepalive: false })
    return ((await info.json()) as { NEventsListener: number }).NEventsListener
  }
  const leaving = new AbortController()
  // The head of the answer is all that this waits for.
  const first = await fetch("http://docker/events", { unix: socket, signal: leaving.signal })
  const second = await fetch("http://docker/events", { unix: socket })
  expect([first.status, await listeners()]).toEqual([200, 2])
  leaving.abort()
  expect(await until(async () => ((await listeners()) === 1 ? true : undefined), 5000)).toBeTrue()
  const rest = second.text().catch(() => "cut off")
  await service[Symbol.asyncDispose]()
  expect(["", "cut off"]).toContain(await rest)
})

test("from 1.52 on a network's inspection says how full it is, to the last of 2^64 addresses", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  await using api = await Api.serve(host)
  const config = [
    { Subnet: "10.50.0.0/24", IPRange: "10.50.0.64/26", AuxiliaryAddresses: { p: "10.50.0.70" } },
    { Subnet: "fd00:50::/64" },
  ]
  await api.ask("POST", "/networks/create", { body: { Name: "web", EnableIPv6: true, IPAM: { Config: config } } })
  await api.linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })
  expect((await api.ask("GET", "/v1.51/networks/web")).json).not.toHaveProperty("Status")
  const { text } = await api.ask("GET", "/v1.52/networks/web")
  // One container, the gateway, the reserved one and the two ends; of the range's 64, the reserved one and the container's.
  expect(text).toContain('"10.50.0.0/24":{"IPsInUse":5,"DynamicIPsAvailable":62}')
  expect(text).toContain('"fd00:50::/64":{"IPsInUse":3,"DynamicIPsAvailable":18446744073709551613}')
  await api.linkspan.detach("a")
  await api.linkspan.networks.remove("web")
})

test("twenty at once: each is done whole, or refused because another was first", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  await using api = await Api.serve(host)
  const twenty = <T>(act: (n: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 20 }, (_, n) => act(n)))
  const tally = (replies: readonly { readonly status: number }[]): Record<number, number> =>
    Object.fromEntries(
      Map.groupBy(replies, ({ status }) => status)
        .entries()
        .map(([status, own]) => [status, own.length]),
    )

  // Beside another process that does the same.
  const [made, theirs] = await Promise.all([
    twenty((n) => api.ask("POST", "/networks/create", { body: { Name: `n${n}`, EnableIPv6: true } })),
    host.cli(["network", "create", "theirs"]),
  ])
  theirs.ok()
  expect(tally(made)).toEqual({ 201: 20 })
  const listed = (await api.ask("GET", "/networks")).json as { IPAM: { Config: { Subnet: string }[] | null } }[]
  const subnets = listed.flatMap(({ IPAM }) => (IPAM.Config ?? []).map(({ Subnet }) => Subnet))
  expect(subnets.length).toBe(41)
  expect(new Set(subnets).size).toBe(41)

  expect(tally(await twenty(() => api.ask("POST", "/networks/create", { body: { Name: "same" } })))).toEqual({
    201: 1,
    409: 19,
  })
  await api.linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "same" }] })
  expect(tally(await twenty(() => api.ask("POST", "/networks/theirs/connect", { body: { Container: "a" } })))).toEqual({
    200: 1,
    403: 19,
  })
  expect(tally(await twenty((n) => api.ask("POST", `/networks/n${n}/connect`, { body: { Container: "a" } })))).toEqual({
    200: 20,
  })
  expect((await a.ip(["address", "show"])).length).toBe(23)
  expect(tally(await twenty((n) => api.ask("DELETE", `/networks/n${n}`)))).toEqual({ 403: 20 })
  expect(
    tally(await twenty((n) => api.ask("POST", `/networks/n${n}/disconnect`, { body: { Container: "a" } }))),
  ).toEqual({ 200: 20 })
  expect(tally(await twenty(() => api.ask("DELETE", "/networks/n0")))).toEqual({ 204: 1, 404: 19 })
  await api.linkspan.detach("a")
  expect(
    ((await api.ask("POST", "/networks/prune")).json as { NetworksDeleted: string[] }).NetworksDeleted.length,
  ).toBe(21)
  expect(api.log).toEqual([])
})

test("the socket is nobody's but root's, is taken over when it is stale, and never from somebody alive", async () => {
  await using host = await Host.create({ uplink: false })
  await using linkspan = await host.linkspan()
  const socket = host.file("docker.sock")
  {
    await using _first = await serveDockerApi(linkspan, { socket, group: "12345" })
    expect(statSync(socket)).toMatchObject({ uid: 0, gid: 12345 })
    expect(statSync(socket).mode & 0o777).toBe(0o660)
    await expect(serveDockerApi(linkspan, { socket })).rejects.toThrow(/another process serves it/)
  }
  expect(existsSync(socket)).toBeFalse()
  await expect(serveDockerApi(linkspan, { socket, group: "no-such-group" })).rejects.toThrow(/no group "no-such-group"/)
  expect(existsSync(socket)).toBeFalse()
  const file = host.file("a-file")
  await Bun.write(file, "")
  await expect(serveDockerApi(linkspan, { socket: file })).rejects.toThrow(/something else is there/)
  await expect(serveDockerApi(linkspan, { socket: host.file("no/such/dir") })).rejects.toThrow(
    /Cannot serve Docker's API/,
  )
  // What a killed process leaves.
  const bind = `import socket; socket.socket(socket.AF_UNIX).bind("${socket}")`
  ;(await run(["python3", "-c", bind])).ok()
  expect(statSync(socket).isSocket()).toBeTrue()
  await using again = await serveDockerApi(linkspan, { socket })
  expect((await fetch("http://docker/_ping", { unix: again.address, keepalive: false })).status).toBe(200)
})
