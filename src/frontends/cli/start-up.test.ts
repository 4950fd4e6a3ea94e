// How long a command takes to start is part of how long an attach takes. Loading node:fs, node:util or node:tty costs as
// much as half of one (they bring Node's streams along), so nothing that is always loaded may import them.

import { expect, test } from "bun:test"

const SOURCE = new URL("../../", import.meta.url)

/** The modules that are loaded together with these, dynamic imports left out. */
async function loadedWith(...entries: string[]): Promise<ReadonlySet<string>> {
  const loaded = new Set<string>()
  const transpiler = new Bun.Transpiler({ loader: "ts" })
  const left = entries.map((entry) => new URL(entry, SOURCE).href)
  for (let url = left.pop(); url !== undefined; url = left.pop()) {
    if (loaded.has(url)) {
      continue
    }
    loaded.add(url)
    if (url.startsWith("file:")) {
      const imports = transpiler.scanImports(await Bun.file(new URL(url)).text())
      left.push(...imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => resolve(path, url)))
    }
  }
  return loaded
}

function resolve(path: string, from: string): string {
  if (path.startsWith(".")) {
    return new URL(path, from).href
  }
  return path.startsWith("#") ? new URL(path.slice(1), SOURCE).href : path
}

test("the way to a change loads neither Node's other modules nor anything that only prints", async () => {
  const loaded = await loadedWith(
    "main.ts",
    "frontends/cli/cli.ts",
    "frontends/cli/process-world.ts",
    "frontends/cli/commands/attach.ts",
  )
  const names = [...loaded].map((url) => url.replace(SOURCE.href, ""))
  expect(names).toContain("frontends/cli/parse.ts")
  expect(
    names.filter(
      (name) =>
        !name.startsWith("frontends/cli/") && !/^(main\.ts$|frontends\/own-process\.ts$|model\/|inet\/)/.test(name),
    ),
  ).toEqual([])
  expect(names.filter((name) => name.startsWith("frontends/cli/print/"))).toEqual(["frontends/cli/print/look.ts"])
})

test("what it looks at would see such a module", async () => {
  expect([...(await loadedWith("frontends/cli/start-up.test.ts"))]).toContain("bun:test")
})
