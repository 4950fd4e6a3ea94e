// time limit: 180 s
// Debian's Podman with its CNI backend: ADD and DEL come from two processes, VERSION with every look at a network.

import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Host } from "../host.ts"
import { run } from "../run.ts"
import { CONFLIST } from "./plugin.ts"

const MAIN = join(import.meta.dir, "../../src/main.ts")

test("Podman's CNI backend: addresses, ports, names, a second network, and nothing stays", async () => {
  await using host = await Host.create({ uplink: false })
  const directory = host.file("cni")
  for (const name of ["plugins", "net.d"]) {
    mkdirSync(join(directory, name), { recursive: true })
  }
  const program = [process.execPath, "--no-env-file", MAIN]
  script(`${directory}/plugins/linkspan`, [...program, "__cni"])
  script(host.file("linkspan"), program)
  const { name: _, cniVersion: __, ...plugin } = CONFLIST
  const capabilities = { portMappings: true, ips: true, mac: true, aliases: true }
  const list = (name: string, keys: object): void =>
    writeFileSync(
      join(directory, "net.d", `${name}.conflist`),
      JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ ...plugin, capabilities, ...keys }] }),
    )
  list("lab", { names: true })
  list("back", { bridge: "cni1", ipam: { subnet: "10.78.1.0/24" } })
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
  const ran = await run(
    host.enter([...own, "bash", join(import.meta.dir, "podman.sh"), directory, host.file("linkspan")]),
    { timeoutMs: 150_000, env: { PATH: process.env["PATH"], HOME: "/root" } },
  )
  expect(sectionsOf(ran.ok().stdout)).toEqual({
    backend: expect.stringMatching(/^cni\n[\s\S]*lab linkspan/),
    asked: expect.stringMatching(/10\.77\.1\.9\/24[\s\S]*fd77::2\/64/),
    published: "open",
    views: "web",
    names: "Address: 10.77.1.2",
    conflict: 'published by container "web"',
    second: "10.78.1.2/24\ngone",
    reloaded: "open",
    removed: "lo",
  })
}, 180_000)

function script(path: string, command: readonly string[]): void {
  writeFileSync(path, `#!/bin/sh\nexec ${command.join(" ")} "$@"\n`)
  chmodSync(path, 0o755)
}

function sectionsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(/^\[(?=[a-z]+\]$)/m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("]")), section.slice(section.indexOf("]") + 1).trim()]),
  )
}
