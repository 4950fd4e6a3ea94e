// time limit: 600 s
// Later Podmans than Debian's own, from its later suites: 5 with the second dialect of requests and with quadlets, 6 with
// the third and with `create`.

import { afterAll, beforeAll, expect } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "../../../scripts/build.ts"
import { debianRoot } from "../../debian-root.ts"
import { needs } from "../../features.ts"
import { Host } from "../../host.ts"
import { run } from "../../run.ts"
import { sectionsOf } from "./sections.ts"

const directory = mkdtempSync(join(tmpdir(), "linkspan-podman-"))
const executable = join(directory, "linkspan")

beforeAll(() => build(executable), 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const PACKAGES = ["podman", "netavark", "aardvark-dns", "catatonit", "crun", "iproute2", "nftables", "libnftables1"]

for (const suite of ["sid", "experimental"] as const) {
  const root = debianRoot(suite, PACKAGES)
  needs(`podman-of-${suite}`)(
    `Podman of Debian's ${suite} runs on linkspan's networks`,
    async () => {
      await using host = await Host.create({ uplink: false })
      const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
      const script = join(import.meta.dir, "newer.sh")
      const ran = await run(host.enter([...own, "bash", script, root ?? "", executable]), {
        timeoutMs: 170_000,
        env: { PATH: process.env["PATH"], HOME: "/root" },
      })
      expect(sectionsOf(ran.ok().stdout)).toMatchObject({
        installed: expect.stringMatching(/^3\naardvark-dns .*linkspan\nnetavark .*linkspan$/),
        // Published at 127.0.0.1 and ::1; two interfaces, names both ways, no way out of an internal network.
        running: expect.stringMatching(/^open\nopen\n2\n[12]\n[12]\n0$/),
        changed: "open\n1\n2\n1\nopen",
        quadlet: "open",
        removed: "[]\n1\nend",
      })
    },
    180_000,
  )
}
