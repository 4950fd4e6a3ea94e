// Proves that npm test can fail: a small project with one fault of each kind goes through it.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

setDefaultTimeout(60_000)

const ROOT = join(import.meta.dir, "..")

const FILES: Readonly<Record<string, string>> = {
  "src/good.test.ts": 'test("one & <two>", () => {})\ndescribe("group", () => test("three", () => {}))',
  "src/bad.test.ts": 'test("fails", () => {\n  expect(1).toBe(2)\n})\ntest("passes", () => {})',
  "src/skip.test.ts": 'test.skip("later", () => {})\ntest("now", () => {})',
  "src/todo.test.ts": 'test.todo("some day", () => {})',
  "src/lacking.test.ts": 'test.skip("on hardware [needs flux-capacitor, root]", () => {})\ntest("now", () => {})',
  "src/pretending.test.ts": 'test.skip("as root [needs root]", () => {})\ntest("now", () => {})',
  "src/crash.test.ts": 'test("one", () => {})\ntest("ends the process", () => process.exit(3))',
  "src/signal.test.ts": 'test("kills itself", () => {\n  process.kill(process.pid, "SIGKILL")\n})',
  "src/broken.test.ts": 'import "./not-there.ts"\n\ntest("never", () => {})',
  "src/empty.test.ts": "export {}",
  "src/late.test.ts": '// time limit: 1 s\ntest("hangs", async () => {\n  await Bun.sleep(60_000)\n}, 60_000)',
  "src/unsteady.test.ts":
    'import { existsSync, writeFileSync } from "node:fs"\n' +
    'test("the second time", () => {\n  const again = existsSync("again")\n  writeFileSync("again", "")\n' +
    "  expect(again).toBe(true)\n})",
  "src/unhandled.test.ts": 'test("one", () => {\n  void Promise.reject(new Error("nobody listens"))\n})',
}

describe("npm test", () => {
  let project = ""

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "linkspan-runner-"))
    for (const part of ["package.json", "package-lock.json", "tsconfig.json", "biome.json", "scripts/lint"]) {
      cpSync(join(ROOT, part), join(project, part), { recursive: true })
    }
    for (const part of ["scripts/prepare.mjs", "scripts/test.mjs", "scripts/start.cjs", "scripts/ok.mjs"]) {
      cpSync(join(ROOT, part), join(project, part))
    }
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"))
    for (const [path, code] of Object.entries(FILES)) {
      plant(
        path,
        `import { describe, expect, test } from "bun:test"\n${code}\nexport const used = [describe, expect, test]\n`,
      )
    }
    plant(
      "test/features.ts",
      'console.log(JSON.stringify({ "flux-capacitor": { present: false }, root: { present: true } }))\n',
    )
  })

  afterAll(() => rmSync(project, { recursive: true, force: true }))

  const plant = (path: string, text: string): void => {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }

  const CASES: readonly {
    readonly file: string
    readonly last: string
    readonly strict?: string
    readonly says?: string
  }[] = [
    { file: "good", last: "2 passed, 0 failed" },
    { file: "bad", last: "1 passed, 1 failed", says: "Expected: 2" },
    {
      file: "skip",
      last: "1 passed, 0 failed, 1 skipped",
      strict: "1 passed, 1 failed",
      says: "later: skipped without naming a kernel feature that is missing",
    },
    { file: "todo", last: "0 passed, 0 failed, 1 skipped", strict: "0 passed, 1 failed" },
    { file: "lacking", last: "1 passed, 0 failed, 1 skipped", says: "this kernel has no flux-capacitor: 1 test" },
    {
      file: "pretending",
      last: "1 passed, 0 failed, 1 skipped",
      strict: "1 passed, 1 failed",
      says: "as root [needs root]: skipped although this machine has root",
    },
    { file: "crash", last: "0 passed, 1 failed", says: "ended with status 3" },
    { file: "signal", last: "0 passed, 1 failed", says: "was ended by SIGKILL" },
    { file: "broken", last: "0 passed, 1 failed", says: "not-there.ts" },
    { file: "empty", last: "0 passed, 1 failed" },
    { file: "late", last: "0 passed, 1 failed", says: "did not end within 1 s" },
    { file: "unhandled", last: "failed", says: "nobody listens" },
    {
      file: "unsteady",
      last: "1 passed, 0 failed",
      says: "Unsteady: failed, and passed when run again:\n  src/unsteady",
    },
    { file: "no-such-file", last: "0 passed, 1 failed", says: "Cannot find a test file of that name" },
  ]

  for (const { file, last, strict = last, says = "" } of CASES) {
    test(`closes with "${strict}" for ${file}, and says why`, async () => {
      const ran = await npmTest(["--unit", file], { LINKSPAN_REQUIRE: "all" })
      expect(ran.lastLine).toEndWith(strict)
      expect(ran.output).toContain(says)
      expect(ran.code).toBe(/ 0 failed/.test(ran.lastLine) ? 0 : 1)
    })
    if (strict !== last) {
      test(`closes with "${last}" for ${file} where skips are allowed`, async () => {
        const ran = await npmTest(["--unit", file])
        expect(ran.lastLine).toBe(last)
        expect(ran.code).toBe(0)
      })
    }
  }

  test("counts all files together, and runs none after its time is over", async () => {
    expect((await npmTest(["--unit", "good", "bad"])).lastLine).toBe("3 passed, 1 failed")
    const ran = await npmTest(["--unit", "good", "bad"], { LINKSPAN_TEST_MINUTES: "0" })
    expect(ran.lastLine).toBe("0 passed, 2 failed")
    expect(ran.output).toContain("not run: the time for the whole run was over")
  })

  test("fails for a format, a lint or a type error", async () => {
    rmSync(join(project, "src"), { recursive: true })
    rmSync(join(project, "test"), { recursive: true })
    plant("src/fine.ts", "export const fine = 1\n")
    expect((await npmTest(["--gates"])).lastLine).toBe("2 passed, 0 failed")
    for (const [code, says] of [
      ["export const x  = 1\n", "Formatter would have printed"],
      ["export const x: any = 1\n", "noExplicitAny"],
      ["export const x: string = 1\n", "TS2322"],
    ] as const) {
      plant("src/fault.ts", code)
      const ran = await npmTest(["--gates"])
      expect(ran.lastLine).toBe("1 passed, 1 failed")
      expect(ran.output).toContain(says)
      expect(ran.code).toBe(1)
    }
  })

  async function npmTest(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly output: string; readonly lastLine: string }> {
    const { LINKSPAN_REQUIRE: _require, LINKSPAN_TEST_MINUTES: _minutes, ...inherited } = process.env
    const child = Bun.spawn(["node", "scripts/start.cjs", "test", ...args], {
      cwd: project,
      env: { ...inherited, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    })
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
    return { code: await child.exited, output: stdout + stderr, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "" }
  }
})
