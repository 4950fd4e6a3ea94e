import { expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DirectoryNews, watchDirectory } from "./directory-watch.ts"

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "linkspan-watch-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test("what is written right after a change that was told of is told of too", async () => {
  using directory = scratch()
  const file = join(directory.path, "log")
  writeFileSync(file, "")
  using news = new DirectoryNews(directory.path)
  // Bun's own watch loses most of these.
  for (let time = 0; time < 300; time++) {
    appendFileSync(file, "x")
    await news.next()
  }
})

test("files are named, whatever happens to them", async () => {
  using directory = scratch()
  const at = (name: string): string => join(directory.path, name)
  const seen = new Set<string>()
  const all = Promise.withResolvers<void>()
  using _watch = watchDirectory(directory.path, (names) => {
    for (const name of names) {
      seen.add(name)
    }
    if (seen.size === 4) {
      all.resolve()
    }
  })
  writeFileSync(at("written"), "x")
  writeFileSync(at("first"), "")
  renameSync(at("first"), at("second"))
  writeFileSync(at("ünlich"), "")
  rmSync(at("written"))
  await all.promise
  expect([...seen].sort()).toEqual(["first", "second", "written", "ünlich"])
})

test("a directory that is not there is an error, and an ended watch tells nothing", async () => {
  using directory = scratch()
  expect(() => watchDirectory(join(directory.path, "none"), () => undefined)).toThrow("none")
  let told = 0
  watchDirectory(directory.path, () => {
    told += 1
  })[Symbol.dispose]()
  using news = new DirectoryNews(directory.path)
  writeFileSync(join(directory.path, "x"), "")
  await news.next()
  expect(told).toBe(0)
})
