import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { versionAnswer } from "../src/frontends/cni/versions.ts"
import { withClient } from "./executable.ts"

const directory = mkdtempSync(join(tmpdir(), "linkspan-executable-"))
const program = join(directory, "linkspan")

beforeAll(() => writeFileSync(program, withClient(readFileSync(process.execPath)), { mode: 0o755 }))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function ran(args: readonly string[], env: Readonly<Record<string, string>>): { out: string; code: number } {
  const { stdout, exitCode } = Bun.spawnSync([program, ...args], { env, stdin: "ignore", stderr: "ignore" })
  return { out: stdout.toString(), code: exitCode }
}

test("the client answers before the runtime starts, and the runtime starts where it does not", () => {
  expect(ran([], { CNI_COMMAND: "VERSION" })).toEqual({ out: versionAnswer(), code: 0 })
  expect(ran(["--version"], {})).toEqual({ out: `${Bun.version}\n`, code: 0 })
  // What the client looks at, and finds nobody to ask.
  const script = join(directory, "attach")
  writeFileSync(script, "console.log(process.argv.length, process.env.X, import.meta.path)")
  expect(ran([script, "é"], { X: "1", LINKSPAN_RUN_DIR: directory })).toEqual({ out: `3 1 ${script}\n`, code: 0 })
  expect(ran(["attach"], { LINKSPAN_RUN_DIR: "x".repeat(4096) }).code).toBe(1)
  expect(ran(["attach"], { LINKSPAN_RUN_DIR: directory }).code).toBe(1)
})

test("what is no executable of Bun's is refused", () => {
  const elf = readFileSync(process.execPath).subarray(0, 4096)
  expect(() => withClient(Buffer.from("#!/bin/sh\n".padEnd(100)))).toThrow("no 64-bit")
  expect(() => withClient(Buffer.concat([elf.subarray(0, 4), Buffer.from([1]), elf.subarray(5)]))).toThrow("no 64-bit")
  // Its note segment has been taken.
  expect(() => withClient(withClient(Buffer.from(elf)))).toThrow("no note segment")
})
