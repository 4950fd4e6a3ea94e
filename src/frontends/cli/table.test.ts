// What must hold for every command there is.

import { describe, expect, test } from "bun:test"
import { VERSION } from "#model/version.ts"
import { COMMANDS } from "./commands.ts"
import { readBashLine } from "./completion/bash-line.ts"
import { GLOBAL_OPTIONS } from "./globals.ts"
import { grammar } from "./grammar.ts"
import { findCommand, nextWords, spellings, visibleEntries } from "./table.ts"
import { call } from "./testing/world.ts"

const manifest: unknown = await Bun.file(new URL("../../../package.json", import.meta.url)).json()

describe("every command", () => {
  for (const entry of visibleEntries(COMMANDS)) {
    describe(entry.words, () => {
      test("is found by every spelling", () => {
        for (const spelling of spellings(entry)) {
          expect(findCommand(COMMANDS, spelling.split(" "))).toEqual({ kind: "command", entry })
        }
      })

      test("has a summary in the house style, and examples that work", async () => {
        const { command } = await entry.load()
        expect(command.summary).toMatch(/^[A-Z].*[^.]$/)
        expect(command.examples.length).toBeGreaterThan(0)
        for (const { line } of command.examples) {
          // What the shell does with the rest of the line is not linkspan's.
          const own = /linkspan [^<>|)]*/.exec(line.replace("$(linkspan ps -aq)", "api"))?.[0] ?? ""
          const { words, current } = readBashLine(own.trim(), own.length, "")
          const called = await call([...words, current])
          expect({ line, status: called.status, stderr: called.stderr }).toEqual({ line, status: 0, stderr: "" })
        }
      })

      test("has no option that means two things", async () => {
        const { command } = await entry.load()
        const own = Object.keys(command.options)
        // Of --output a command may have formats of its own.
        expect(own.filter((key) => key in GLOBAL_OPTIONS && key !== "output")).toEqual([])
        const letters = Object.values(grammar(command).options).flatMap((option) => option.short ?? [])
        expect(letters).toEqual([...new Set(letters)])
        const names = Object.entries(grammar(command).options).flatMap(([key, option]) => [
          key,
          ...(option.aliases ?? []),
        ])
        expect(names).toEqual([...new Set(names)])
      })

      test("shows help, however it is asked for", async () => {
        const help = await call(["help", ...entry.words.split(" ")])
        expect(help).toMatchObject({ status: 0, stderr: "" })
        expect(help.stdout).toContain(`Usage: linkspan ${entry.words}`)
        expect(await call([...entry.words.split(" "), "--help"])).toMatchObject({ status: 0, stdout: help.stdout })
        expect(await call(["-h", ...entry.words.split(" ")])).toMatchObject({ status: 0, stdout: help.stdout })
        for (const line of help.stdout.split("\n").filter((line) => !line.startsWith("  linkspan"))) {
          expect(Bun.stringWidth(line)).toBeLessThanOrEqual(100)
        }
      })
    })
  }
})

test("help lists every command, and a group's by the group's word", async () => {
  const { stdout } = await call([])
  for (const { words } of visibleEntries(COMMANDS)) {
    expect(stdout).toContain(`  ${words} `)
  }
  expect(stdout).not.toContain("__complete")
  expect((await call(["--help"])).stdout).toBe(stdout)
  expect((await call(["help"])).stdout).toBe(stdout)
  const group = await call(["network"])
  expect(group).toMatchObject({ status: 0, stderr: "" })
  expect(group.stdout).toContain("network create")
  expect(group.stdout).not.toContain("  run ")
  expect((await call(["help", "network"])).stdout).toBe(group.stdout)
})

test("help fits a narrow terminal", async () => {
  const { stdout } = await call(["help", "run"], { look: { colour: false, columns: 60 } })
  for (const line of stdout.split("\n").filter((line) => !/^ {2}linkspan|^Usage/.test(line))) {
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(60)
  }
})

test("the words that may come next", () => {
  expect(nextWords(COMMANDS, ["firewall"])).toEqual(["status", "integrate", "rules", "remove"])
  expect(nextWords(COMMANDS, [])).toContain("network")
  expect(nextWords(COMMANDS, ["run"])).toEqual([])
})

test("the version is that of package.json", async () => {
  expect(manifest).toHaveProperty("version", VERSION)
  for (const line of ["version", "--version", "network --debug --version"].slice(0, 2)) {
    expect((await call(line.split(" "))).stdout).toStartWith(`linkspan ${VERSION} (Bun `)
  }
})
