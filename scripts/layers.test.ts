// Proves that the layer check can fail: plants one forbidden import after the other in a copy of the configuration and
// sees Biome refuse it, and plants the allowed ones beside them and sees them pass.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const ROOT = join(import.meta.dir, "..")

interface Plant {
  /** Where the line is planted. */
  readonly in: string
  readonly line: string
}

const REFUSED: readonly Plant[] = [
  // Upwards and sideways, by name.
  { in: "src/inet/a.ts", line: 'import { x } from "#model/x.ts"' },
  { in: "src/inet/b.ts", line: 'import { x } from "node:net"' },
  { in: "src/model/a.ts", line: 'import { x } from "#plan/x.ts"' },
  { in: "src/model/b.ts", line: 'import { x } from "some-package"' },
  { in: "src/wire/a.ts", line: 'import { x } from "#plan/x.ts"' },
  { in: "src/wire/b.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/wire/rtnl/c.ts", line: 'import { x } from "bun:ffi"' },
  { in: "src/plan/a.ts", line: 'import { x } from "#wire/x.ts"' },
  { in: "src/plan/b.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/plan/c.ts", line: 'import { x } from "#store/x.ts"' },
  { in: "src/plan/d.ts", line: 'import { x } from "node:fs"' },
  { in: "src/plan/firewall/e.ts", line: 'import { x } from "bun:sqlite"' },
  { in: "src/picture/a.ts", line: 'import { x } from "#engine/x.ts"' },
  { in: "src/picture/b.ts", line: 'import { x } from "node:fs"' },
  { in: "src/kernel/a.ts", line: 'import { x } from "#store/x.ts"' },
  { in: "src/kernel/b.ts", line: 'import { x } from "#engine/x.ts"' },
  { in: "src/kernel/c.ts", line: 'import { x } from "node:child_process"' },
  { in: "src/kernel/d.ts", line: 'import { x } from "bun:sqlite"' },
  { in: "src/store/a.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/store/b.ts", line: 'import { x } from "bun:ffi"' },
  { in: "src/dns/a.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/dns/b.ts", line: 'import { x } from "#store/x.ts"' },
  { in: "src/dns/c.ts", line: 'import { x } from "#engine/x.ts"' },
  { in: "src/engine/a.ts", line: 'import { x } from "#frontends/cli/x.ts"' },
  { in: "src/engine/b.ts", line: 'import { x } from "bun:ffi"' },
  { in: "src/engine/c.ts", line: 'import { x } from "bun:sqlite"' },
  { in: "src/frontends/cli/a.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/frontends/cli/b.ts", line: 'import { x } from "#frontends/http/x.ts"' },
  { in: "src/frontends/cni/c.ts", line: 'import { x } from "#plan/x.ts"' },
  { in: "src/frontends/docker/d.ts", line: 'import { x } from "#store/x.ts"' },
  { in: "src/frontends/ui/e.ts", line: 'import { x } from "#frontends/cli/x.ts"' },
  { in: "src/frontends/new-door/f.ts", line: 'import { x } from "#frontends/cli/x.ts"' },
  { in: "src/main.ts", line: 'import { x } from "#kernel/x.ts"' },
  { in: "src/index.ts", line: 'export { x } from "#kernel/x.ts"' },
  { in: "examples/a.ts", line: 'import { x } from "../src/engine/x.ts"' },
  { in: "examples/b.ts", line: 'import { x } from "#engine/x.ts"' },

  // Every way of writing an import.
  { in: "src/plan/f.ts", line: 'import type { X } from "#kernel/x.ts"' },
  { in: "src/plan/g.ts", line: 'import { type X } from "#kernel/x.ts"' },
  { in: "src/plan/h.ts", line: 'import "#kernel/x.ts"' },
  { in: "src/plan/i.ts", line: 'export { x } from "#kernel/x.ts"' },
  { in: "src/plan/j.ts", line: 'export type { X } from "#kernel/x.ts"' },
  { in: "src/plan/k.ts", line: 'export * from "#kernel/x.ts"' },
  { in: "src/plan/l.ts", line: 'export const x = await import("#kernel/x.ts")' },
  { in: "src/plan/m.ts", line: "export const x = await import(`#kernel/x.ts`)" },
  { in: "src/plan/n.ts", line: 'export const x = await import("#ker" + "nel/x.ts")' },
  { in: "src/plan/o.ts", line: 'export const x = require("#kernel/x.ts")' },
  { in: "src/plan/p.ts", line: 'export type X = import("#kernel/x.ts").X' },
  { in: "src/plan/q.ts", line: 'export type X = typeof import("#kernel/x.ts")' },

  // Relative paths out of the layer, at every depth and by detours.
  { in: "src/plan/r.ts", line: 'import { x } from "../kernel/x.ts"' },
  { in: "src/plan/s.ts", line: 'import type { X } from "../kernel/x.ts"' },
  { in: "src/plan/t.ts", line: 'import { x } from "./../kernel/x.ts"' },
  { in: "src/plan/u.ts", line: 'import { x } from "./drivers/../../kernel/x.ts"' },
  { in: "src/plan/v.ts", line: 'export const x = await import("../kernel/x.ts")' },
  { in: "src/plan/drivers/w.ts", line: 'import { x } from "../../kernel/x.ts"' },
  { in: "src/wire/rtnl/kinds/x.ts", line: 'import { x } from "../../../kernel/x.ts"' },
  { in: "src/frontends/cli/y.ts", line: 'import { x } from "../http/x.ts"' },
  { in: "src/frontends/cli/commands/z.ts", line: 'import { x } from "../../http/x.ts"' },
  { in: "src/engine/d.ts", line: 'import { x } from "../../test/host.ts"' },

  // Clock, chance and host in the pure layers.
  { in: "src/plan/clock.ts", line: "export const now = Date.now()" },
  { in: "src/plan/chance.ts", line: "export const dice = Math.random()" },
  { in: "src/model/host.ts", line: "export const pid = process.pid" },
  { in: "src/wire/file.ts", line: 'export const file = Bun.file("/proc/version")' },
]

const ALLOWED: readonly Plant[] = [
  { in: "src/inet/ok.ts", line: 'export { x } from "./other.ts"' },
  { in: "src/model/ok.ts", line: 'export { x } from "#inet/x.ts"' },
  { in: "src/wire/rtnl/ok.ts", line: 'export { x } from "../schema.ts"' },
  { in: "src/wire/rtnl/kinds/ok.ts", line: 'export { x } from "../../schema.ts"' },
  { in: "src/plan/ok.ts", line: 'export type { X } from "#model/x.ts"' },
  { in: "src/plan/ok.test.ts", line: 'export { x } from "bun:test"' },
  { in: "src/kernel/ok.ts", line: 'export { x } from "bun:ffi"' },
  { in: "src/kernel/ok2.ts", line: 'export type { X } from "#plan/op.ts"' },
  { in: "src/store/ok.ts", line: 'export { x } from "bun:sqlite"' },
  { in: "src/dns/ok.ts", line: 'export { x } from "#wire/dns/x.ts"' },
  { in: "src/engine/ok.ts", line: 'export { x } from "#kernel/x.ts"' },
  { in: "src/engine/ok2.ts", line: 'export { x } from "node:fs/promises"' },
  { in: "src/frontends/cli/ok.ts", line: 'export { x } from "#engine/x.ts"' },
  { in: "src/frontends/cli/ok2.ts", line: 'export const x = await import("./ok.ts")' },
  { in: "src/frontends/cli/commands/ok.ts", line: 'export { x } from "../ok.ts"' },
  { in: "examples/ok.ts", line: 'export { x } from "linkspan"' },
]

const CYCLE: readonly Plant[] = [
  { in: "src/engine/cycle-a.ts", line: 'import { b } from "./cycle-b.ts"\nexport const a = () => b' },
  { in: "src/engine/cycle-b.ts", line: 'import { a } from "./cycle-a.ts"\nexport const b = () => a' },
]

/** Rules whose diagnostics speak of layers; others (an unused import, a barrel) are beside the point here. */
const LAYER_RULES = /noRestrictedImports|noRestrictedGlobals|noImportCycles|noCommonJs|plugin/

describe("the layer check", () => {
  let copy = ""
  let refused = new Set<string>()

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "linkspan-layers-"))
    for (const part of ["biome.json", "package.json", "scripts/lint"]) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true })
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"))
    for (const plant of [...REFUSED, ...ALLOWED, ...CYCLE]) {
      const path = join(copy, plant.in)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `${plant.line}\n`)
    }
    refused = lint(copy)
  })

  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  for (const plant of REFUSED) {
    test(`refuses ${plant.line} in ${plant.in}`, () => {
      expect(refused.has(plant.in)).toBe(true)
    })
  }

  for (const plant of ALLOWED) {
    test(`allows ${plant.line} in ${plant.in}`, () => {
      expect(refused.has(plant.in)).toBe(false)
    })
  }

  test("refuses two files that import each other", () => {
    expect(CYCLE.map((plant) => refused.has(plant.in))).toEqual([true, true])
  })
})

/** The files in which a rule about layers found something. */
function lint(directory: string): Set<string> {
  const run = Bun.spawnSync({
    cmd: [
      join(ROOT, "node_modules/.bin/biome"),
      "lint",
      "--reporter=json",
      "--max-diagnostics=none",
      "src",
      "examples",
    ],
    cwd: directory,
    stderr: "pipe",
  })
  const report = JSON.parse(run.stdout.toString()) as {
    readonly diagnostics: readonly { readonly category: string; readonly location: { readonly path: string } }[]
  }
  return new Set(report.diagnostics.filter((d) => LAYER_RULES.test(d.category)).map((d) => d.location.path))
}
