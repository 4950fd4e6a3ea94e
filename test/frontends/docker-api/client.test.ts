// Docker's own command line, Debian's and any other that is installed, against linkspan's socket.

import { expect, test } from "bun:test"
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs"
import { serveDockerApi } from "../../../src/frontends/docker-api/serve.ts"
import { ADDRESSES, Host } from "../../host.ts"
import { type Ran, run, toolEnvironment, until } from "../../run.ts"
import { Api } from "./api.ts"

const CLIENTS = [
  ...new Set(["/usr/bin/docker", Bun.which("docker")].flatMap((path) => (path === null ? [] : [realpathSync(path)]))),
]

class Client {
  readonly #program: string
  readonly environment: Record<string, string>

  constructor(program: string, api: Pick<Api, "socket">, host: Host) {
    this.#program = program
    // No configuration, so no plugins and no contexts of whoever runs the test.
    this.environment = {
      ...toolEnvironment(),
      DOCKER_HOST: `unix://${api.socket}`,
      DOCKER_CONFIG: host.file("docker-config"),
    }
  }

  command(...args: readonly string[]): string[] {
    return [this.#program, ...args]
  }

  run(...args: readonly string[]): Promise<Ran> {
    return run(this.command(...args), { env: this.environment })
  }

  /** What it printed. @throws Error when it failed */
  async ok(...args: readonly string[]): Promise<string> {
    return (await this.run(...args)).ok().stdout.trim()
  }

  /** What it said as it failed. */
  async refused(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args)
    expect({ args, code, stdout }).toMatchObject({ args, code: 1 })
    return stderr.replace(/^Error response from daemon: /, "").trim()
  }
}

test.each(CLIENTS)("%s makes, shows, joins, leaves and removes networks", async (program) => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const b = await host.netns("b")
  await using api = await Api.serve(host)
  const docker = new Client(program, api, host)
  const { linkspan } = api

  expect(await docker.ok("version", "--format", "{{.Server.Version}}")).toBe("0.1.0")
  expect(await docker.ok("info", "--format", "{{.Containers}} {{.Plugins.Network}} {{.Swarm.LocalNodeState}}")).toBe(
    "0 [bridge host ipvlan macvlan null] inactive",
  )

  // Made: what ip sees is what was asked for.
  const options = ["--opt", "com.docker.network.driver.mtu=1400", "--opt", "com.docker.network.bridge.name=br-web"]
  const subnets = ["--subnet", "10.99.0.0/24", "--ip-range", "10.99.0.128/25", "--gateway", "10.99.0.254"]
  const six = ["--ipv6", "--subnet", "fd00:99::/64"]
  const label = ["--label", "colour=red", "--aux-address", "printer=10.99.0.200"]
  const id = await docker.ok("network", "create", ...options, ...subnets, ...six, ...label, "web")
  expect(id).toMatch(/^[0-9a-f]{12}0{52}$/)
  expect(await host.link("br-web")).toMatchObject({ mtu: 1400, addr_info: expect.anything() as never })
  expect((await host.link("br-web"))?.addr_info?.map(({ local }) => local)).toEqual(
    expect.arrayContaining(["10.99.0.254", "fd00:99::1"]),
  )
  expect(await docker.ok("network", "create", "--internal", "back")).toMatch(/^[0-9a-f]{64}$/)
  expect((await docker.ok("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")).split("\n")).toEqual([
    "back bridge local",
    "host host local",
    "none null local",
    "web bridge local",
  ])
  expect(await docker.ok("network", "ls", "-q", "--filter", "label=colour=red")).toBe(id.slice(0, 12))
  expect(
    await docker.ok("network", "ls", "--filter", "type=custom", "--filter", "name=ac", "--format", "{{.Name}}"),
  ).toBe("back")

  // Containers of somebody else's, put on it by Docker's client.
  for (const [name, netns] of [
    ["a", a],
    ["b", b],
  ] as const) {
    await linkspan.attach({
      name,
      netns: { kind: "path", path: netns.path },
      networks: [{ network: "back" }],
      labels: { tier: name },
    })
  }
  await docker.ok("network", "connect", "--ip", "10.99.0.7", "--ip6", "fd00:99::7", "--alias", "www", "web", "a")
  await docker.ok("network", "connect", "--link", "a:db", id.slice(0, 6), "b")
  expect(await docker.ok("inspect", "--format", "{{.NetworkSettings.Networks.web.Links}}", "b")).toBe("[a:db]")
  // A name that b alone knows.
  const links = (await linkspan.names.records()).filter(({ kind }) => kind === "link")
  expect(links).toMatchObject([{ name: "db", container: "b", target: "a" }])
  expect((await a.ip(["address", "show"])).flatMap(({ addr_info: info }) => info?.map(({ local }) => local))).toEqual(
    expect.arrayContaining(["10.99.0.7", "fd00:99::7"]),
  )
  await using server = await a.listen(80)
  expect(await b.connect("10.99.0.7", server.port)).toMatchObject({ ok: true, seenAs: "10.99.0.128" })
  expect(await b.connect("fd00:99::7", server.port)).toMatchObject({ ok: true })
  await using outside = await host.outside.listen(443)
  expect(await b.connect(ADDRESSES.internet4, outside.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
  const [shown] = JSON.parse(await docker.ok("network", "inspect", "web")) as [Record<string, unknown>]
  expect(shown).toMatchObject({
    Name: "web",
    Id: id,
    Labels: { colour: "red" },
    IPAM: {
      // The client of 20.10 keeps them in a map, and sends them in any order.
      Config: expect.arrayContaining([
        {
          Subnet: "10.99.0.0/24",
          IPRange: "10.99.0.128/25",
          Gateway: "10.99.0.254",
          AuxiliaryAddresses: { printer: "10.99.0.200" },
        },
        { Subnet: "fd00:99::/64", Gateway: "fd00:99::1" },
      ]),
    },
    Options: { "com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.name": "br-web" },
  })
  const members = Object.values(shown["Containers"] as Record<string, { readonly Name: string }>)
  expect(members.toSorted((one, other) => one.Name.localeCompare(other.Name))).toMatchObject([
    { Name: "a", IPv4Address: "10.99.0.7/24", IPv6Address: "fd00:99::7/64" },
    { Name: "b", IPv4Address: "10.99.0.128/24" },
  ])
  expect(await docker.ok("ps", "--format", "{{.Names}} {{.State}} {{.Networks}}", "--filter", "label=tier=a")).toMatch(
    /^a running (back,web|web,back)$/,
  )
  const address = "{{.NetworkSettings.Networks.web.IPAddress}} {{.NetworkSettings.Networks.web.Aliases}}"
  expect(await docker.ok("inspect", "--format", address, "a")).toBe("10.99.0.7 [www]")

  // What Docker's users read when it is refused.
  expect(await docker.refused("network", "rm", "web")).toStartWith(
    "error while removing network: network web has active endpoints (",
  )
  expect(await docker.refused("network", "connect", "web", "a")).toBe(
    "endpoint with name a already exists in network web",
  )
  expect(await docker.refused("network", "connect", "web", "nobody")).toBe("No such container: nobody")
  expect(await docker.refused("network", "connect", "host", "a")).toStartWith(
    "container cannot be disconnected from host",
  )
  expect(
    await docker.refused("network", "create", "-o", "com.docker.network.bridge.enable_icc=perhaps", "x"),
  ).toContain('Options.com.docker.network.bridge.enable_icc must be "true" or "false", not "perhaps"')
  expect(await docker.refused("network", "create", "--subnet", "10.99.0.0/16", "x")).toContain(
    "Pool overlaps with other one on this address space",
  )
  expect((await docker.run("volume", "create", "x")).stderr).toContain("page not found: linkspan serves")

  // Left and removed, without a trace.
  await docker.ok("network", "disconnect", "web", "b")
  await docker.ok("network", "disconnect", "--force", "web", "a")
  expect(await docker.refused("network", "disconnect", "web", "a")).toMatch(/is not connected to network web$/)
  expect(await docker.ok("network", "prune", "--force", "--filter", "label!=colour")).toBe("")
  expect(await docker.ok("network", "prune", "--force", "--filter", "until=1h")).toBe("")
  expect(await docker.ok("network", "prune", "--force")).toBe("Deleted Networks:\nweb")
  expect(await host.link("br-web")).toBeUndefined()
  await linkspan.detach("a")
  await linkspan.detach("b")
  expect(await docker.ok("network", "rm", "back")).toBe("back")
  expect(api.log).toEqual([])
})

test.each(CLIENTS)("%s hears of what happens, whoever does it, and of what has happened", async (program) => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using api = await Api.serve(host)
  const docker = new Client(program, api, host)
  const format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"
  const since = String(Math.floor(Date.now() / 1000))
  await docker.ok("network", "create", "before")
  await using events = host.start(docker.command("events", "--since", since, "--format", format), {
    env: docker.environment,
  })
  expect(await events.nextLine()).toBe("network create before")
  ;(await host.cli(["network", "create", "theirs"])).ok()
  expect(await events.nextLine()).toBe("network create theirs")
  ;(await host.cli(["attach", "--netns", a.path, "--network", "theirs", "a"])).ok()
  expect([await events.nextLine(), await events.nextLine(), await events.nextLine()]).toEqual([
    "container create a",
    "network connect theirs",
    "container start a",
  ])
  await docker.ok("network", "connect", "before", "a")
  expect(await events.nextLine()).toBe("network connect before")
  ;(await host.cli(["network", "update", "theirs", "--label", "x=y"])).ok()
  expect(await events.nextLine()).toBe("network update theirs")
  ;(await host.cli(["detach", "a"])).ok()
  expect([await events.nextLine(), await events.nextLine()].toSorted()).toEqual([
    "network disconnect before",
    "network disconnect theirs",
  ])
  expect([await events.nextLine(), await events.nextLine()]).toEqual(["container die a", "container destroy a"])
  await docker.ok("network", "rm", "before", "theirs")
  expect([await events.nextLine(), await events.nextLine()]).toEqual([
    "network destroy before",
    "network destroy theirs",
  ])
  await events.stop()

  const until = ["--since", since, "--until", String(Math.ceil(Date.now() / 1000))]
  const past = await docker.ok("events", ...until, "--format", format, "--filter", "network=theirs")
  expect(past.split("\n")).toEqual([
    "network create theirs",
    "network connect theirs",
    "network update theirs",
    "network disconnect theirs",
    "network destroy theirs",
  ])
})

/** Certificates of an authority of its own, in directories as Docker's client wants them, by the names of their owners. */
async function authority(host: Host, name: string, owners: readonly string[]): Promise<Record<string, string>> {
  const place = host.file(name)
  const openssl = async (...args: readonly string[]): Promise<void> => {
    ;(await run(["openssl", ...args], { cwd: place })).ok()
  }
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  mkdirSync(place)
  await openssl("req", "-x509", ...key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", `/CN=${name}`)
  await Bun.write(`${place}/names`, "subjectAltName=IP:127.0.0.1")
  for (const owner of owners) {
    mkdirSync(`${place}/${owner}`)
    await openssl("req", ...key, "-keyout", `${owner}/key.pem`, "-out", "request", "-subj", `/CN=${owner}`)
    const sign = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "names"]
    await openssl("x509", "-req", "-in", "request", ...sign, "-out", `${owner}/cert.pem`, "-days", "2")
    copyFileSync(`${place}/ca.pem`, `${place}/${owner}/ca.pem`)
  }
  return Object.fromEntries(owners.map((owner) => [owner, `${place}/${owner}`]))
}

test("over TLS it is there for clients whose certificates are signed, and for nobody else", async () => {
  await using host = await Host.create({ uplink: false })
  await using linkspan = await host.linkspan()
  const { server = "", friend = "" } = await authority(host, "ours", ["server", "friend"])
  const { stranger = "" } = await authority(host, "theirs", ["stranger"])
  copyFileSync(`${friend}/ca.pem`, `${stranger}/ca.pem`)
  // Loopback of this process's own namespace.
  const port = freePort()
  const tls = { hostname: "127.0.0.1", port, certificates: server }
  await using _service = await serveDockerApi(linkspan, { socket: host.file("docker.sock"), tls })
  const ask = (certificates: string | undefined): Promise<Ran> =>
    run([CLIENTS[0] as string, "network", "ls", "--format", "{{.Name}}"], {
      env: {
        ...toolEnvironment(),
        DOCKER_CONFIG: host.file("docker-config"),
        DOCKER_HOST: `tcp://127.0.0.1:${port}`,
        ...(certificates === undefined ? {} : { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates }),
      },
    })
  expect((await ask(friend)).ok().stdout.trim().split("\n")).toEqual(["host", "none"])
  for (const other of [stranger, undefined]) {
    const refused = await ask(other)
    expect([refused.code, refused.stdout]).toEqual([1, ""])
  }
  const nobody = await fetch(`https://127.0.0.1:${port}/networks`, {
    tls: { ca: readFileSync(`${friend}/ca.pem`, "utf8") },
    keepalive: false,
  }).then(
    (response) => response.text(),
    () => "refused",
  )
  expect(nobody).toBe("refused")
  await expect(
    serveDockerApi(linkspan, { socket: host.file("other.sock"), tls: { ...tls, certificates: "/nowhere" } }),
  ).rejects.toThrow(/Cannot serve Docker's API at "https:\/\/127\.0\.0\.1:[0-9]+".*ca\.pem/)
  expect(existsSync(host.file("other.sock"))).toBeFalse()
})

function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  return listener.port
}

test("linkspan daemon --docker-api serves it beside the commands that are handed to it", async () => {
  await using host = await Host.create({ uplink: false })
  await using daemon = host.startCli(["daemon", "--docker-api"])
  const socket = `${host.runDir}/docker.sock`
  expect(await until(() => (existsSync(socket) ? true : undefined), 30_000)).toBeTrue()
  const docker = new Client(CLIENTS[0] as string, { socket }, host)
  await docker.ok("network", "create", "--subnet", "10.60.0.0/24", "web")
  const format = "{{.Action}} {{.Actor.Attributes.name}}"
  await using events = host.start(docker.command("events", "--since", "1h", "--format", format), {
    env: docker.environment,
  })
  expect(await events.nextLine()).toBe("create web")
  ;(await host.cli(["network", "create", "other"])).ok()
  expect(await events.nextLine()).toBe("create other")
  ;(await host.cli(["network", "rm", "web"])).ok()
  expect(await events.nextLine()).toBe("destroy web")
  expect(await docker.ok("network", "ls", "-q", "--filter", "type=custom", "--format", "{{.Name}}")).toBe("other")
  await docker.ok("network", "rm", "other")
  await events.stop()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
  expect(existsSync(socket)).toBeFalse()
})
