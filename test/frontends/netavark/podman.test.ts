// time limit: 400 s
// The whole with Debian's own Podman, which linkspan is installed for: what its users do, seen by them.

import { afterAll, beforeAll, expect, test } from "bun:test"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "../../../scripts/build.ts"
import { needs } from "../../features.ts"
import { Host } from "../../host.ts"
import { run } from "../../run.ts"
import { sectionsOf } from "./sections.ts"

const directory = mkdtempSync(join(tmpdir(), "linkspan-podman-"))
const executable = join(directory, "linkspan")

beforeAll(async () => {
  // Also a user's to execute.
  chmodSync(directory, 0o755)
  await build(executable)
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A script in a host of its own, with its own mounts and processes. */
async function sections(host: Host, script: string): Promise<Record<string, string>> {
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
  const ran = await run(host.enter([...own, "bash", join(import.meta.dir, script), executable]), {
    timeoutMs: 170_000,
    env: { PATH: process.env["PATH"], HOME: "/root" },
  })
  return sectionsOf(ran.ok().stdout)
}

needs("unprivileged-user-namespaces", "tun")(
  "a user's Podman does so within what the user may do",
  async () => {
    await using host = await Host.create({ uplink: false })
    const said = await sections(host, "rootless.sh")
    expect(said["installed"]).toBe("3\n(linkspan)\n(linkspan)")
    expect(said["running"]).toBe("open\n2")
    expect(said["names"]).toBe("10.42.0.2\n10.42.0.3")
    // Tables in the user's own namespace, state in the user's own directory, none of the machine's.
    expect(said["where"]).toBe("table inet linkspan\ntable bridge linkspan\n1")
    expect(said["reloaded"]).toBe("open\n1")
    expect(said["removed"]).toBe("end")
  },
  180_000,
)

test("Podman runs containers and pods on linkspan's networks, with names, and leaves nothing", async () => {
  await using host = await Host.create({ uplink: false })
  const said = await sections(host, "podman.sh")
  expect(said["installed"]).toBe("3\n(linkspan)\n(linkspan)")
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
  expect(said["pod"]).toBe("open\nopen")
  expect(said["compose"]).toMatch(/^open\n[1-9]$/)
  // Left by the first call for all that came after it.
  expect(said["resident"]).toBe("there")
  expect(said["removed"]).toMatch(/^\[\]\n\[\]\n1: lo: [^\n]*\n3\n0$/)
}, 180_000)
