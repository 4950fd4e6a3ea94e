// time limit: 300 s
// The bundle of examples/docker-plugin as a plugin that dockerd itself starts and ends.

import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { ADDRESSES, Host } from "../../host.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(280_000)

const ROOT = resolve(import.meta.dir, "../../..")
const CONFIG = join(ROOT, "examples/docker-plugin/config.json")
/** In place of a root filesystem of its own, the machine's. */
const BORROWED = ["/usr", "/bin", "/lib", "/lib64", "/etc", ROOT]

interface Config {
  entrypoint: string[]
  mounts: { source: string; destination: string; type: string; options: string[] }[]
}

test("a managed plugin, made from the bundle, has networks whose containers reach out and are reached", async () => {
  await using host = await Host.create()
  await using docker = await Docker.start(host, ["--iptables=false", "--ip-forward=false"])
  const bundle = host.file("bundle")
  const config = (await Bun.file(CONFIG).json()) as Config
  const command = `${process.execPath} --no-env-file ${join(ROOT, "src/main.ts")}`
  config.entrypoint = config.entrypoint.map((word) =>
    word.replace("/usr/bin/linkspan", `env LINKSPAN_DNS=off ${command}`),
  )
  const places: Record<string, string> = { "/var/lib/linkspan": host.stateDir, "/run/linkspan": host.runDir }
  config.mounts = [
    ...config.mounts.map((mount) => ({ ...mount, source: places[mount.source] ?? mount.source })),
    ...BORROWED.map((path) => ({ source: path, destination: path, type: "bind", options: ["rbind", "ro"] })),
  ]
  for (const path of [...BORROWED, ...config.mounts.map(({ destination }) => destination), "/tmp"]) {
    mkdirSync(join(bundle, "rootfs", path), { recursive: true })
  }
  for (const path of [host.stateDir, host.runDir]) {
    mkdirSync(path, { recursive: true })
  }
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config))
  await docker.ok("plugin", "create", "span", bundle)
  await docker.ok("plugin", "enable", "--timeout", "60", "span")

  await docker.ok("network", "create", "-d", "span:latest", "--ipam-driver", "span:latest", "--ipv6", "web")
  const one = await docker.run("one", "--network", "web", "-p", "8080:80")
  {
    await using beyond = await host.outside.listen(443)
    await using _web = await one.listen(80)
    expect(await one.connect(ADDRESSES.internet4, beyond.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
    expect(await host.outside.connect(ADDRESSES.host6, 8080)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside6 })
    expect(await host.connect("127.0.0.1", 8080)).toMatchObject({ ok: true })
  }
  await docker.ok("rm", "-f", "one")
  await docker.ok("network", "rm", "web")
  await docker.ok("plugin", "disable", "span")
  await docker.ok("plugin", "rm", "span")
})
