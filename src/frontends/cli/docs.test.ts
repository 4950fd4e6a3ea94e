// The generated documentation is what the tables say now. LINKSPAN_UPDATE_DOCS=1 rewrites it.

import { expect, test } from "bun:test"
import { CAUSES } from "#model/explain.ts"
import { COMMANDS } from "./commands.ts"
import { cliReference, errorReference } from "./print/reference.ts"

const DOCS = new URL("../../../docs/", import.meta.url)

async function checkDocument(name: string, current: string): Promise<void> {
  const file = Bun.file(new URL(name, DOCS))
  if (process.env["LINKSPAN_UPDATE_DOCS"] === "1") {
    await Bun.write(file, current)
  }
  expect((await file.exists()) ? await file.text() : "").toBe(current)
}

test("docs/cli.md is not stale", async () => {
  await checkDocument("cli.md", await cliReference(COMMANDS))
})

test("docs/errors.md is not stale", async () => {
  await checkDocument("errors.md", errorReference())
})

test("docs/explain.md names every cause", async () => {
  const text = await Bun.file(new URL("explain.md", DOCS)).text()
  const listed = [...text.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning])
  expect(listed.filter(([code]) => !["host", "outside", "internet"].includes(code ?? ""))).toEqual(
    Object.entries(CAUSES),
  )
})
