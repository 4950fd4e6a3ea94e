// time limit: 180 s
// The whole with Debian's own Podman and its aardvark-dns: what its users do, seen by them.

import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Bundle } from "../../bundle.ts"
import { Host } from "../../host.ts"
import { run } from "../../run.ts"
import { MAIN } from "./call.ts"

const AARDVARK = "/usr/lib/podman/aardvark-dns"

test("Podman runs containers on linkspan's networks, with names, and leaves nothing", async () => {
  using bundle = await Bundle.of(MAIN)
  await using host = await Host.create({ uplink: false })
  const directory = host.file("helpers")
  mkdirSync(directory)
  script(`${directory}/netavark`, [process.execPath, "--no-env-file", bundle.path, "netavark"])
  script(host.file("linkspan"), [process.execPath, "--no-env-file", bundle.path])
  symlinkSync(AARDVARK, `${directory}/aardvark-dns`)
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
  const ran = await run(
    host.enter([...own, "bash", join(import.meta.dir, "podman.sh"), directory, host.file("linkspan")]),
    { timeoutMs: 150_000, env: { PATH: process.env["PATH"], HOME: "/root" } },
  )
  const said = sectionsOf(ran.ok().stdout)
  expect(said["addresses"]).toContain("inet 10.88.0.2/16")
  expect(said["published"]).toBe("open\nopen")
  expect(said["views"]).toContain('"podman0"')
  expect(said["views"]).toContain('"web"')
  expect(said["names"]).toContain("10.42.0.9")
  expect(said["names"]).toContain("aa:bb:cc:dd:ee:01")
  expect(said["connected"]).toBe("eth1\n1\ngone")
  expect(said["reloaded"]).toBe("open")
  expect(said["restarted"]).toBe("open")
  expect(said["conflict"]).toBe('published by container "web"')
  expect(said["internal"]).toBe("0")
  expect(said["removed"]).toMatch(/^\[\]\n\[\]\n1: lo: [^\n]*\n0$/)
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
