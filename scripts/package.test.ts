// What `npm ci` on a machine with nothing prepared depends on. npm leaves a platform's package out of the lock file when
// the registry that it asked does not have it, and then refuses that very file.

import { expect, test } from "bun:test"
import manifest from "../package.json"
import lock from "../package-lock.json"

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const packages: Readonly<Record<string, Locked>> = lock.packages
const dependencies: Readonly<Record<string, string>> = {
  ...("dependencies" in manifest ? (manifest.dependencies as Record<string, string>) : {}),
  ...manifest.devDependencies,
}

test("every version is exact and the one that is locked", () => {
  for (const [name, version] of Object.entries(dependencies)) {
    expect({ name, version }).toEqual({ name, version: packages[`node_modules/${name}`]?.version ?? "" })
  }
})

test("everything that a locked package may need is locked, for every platform", () => {
  const wanted = Object.values(packages).flatMap((each) =>
    Object.keys({ ...each.dependencies, ...each.optionalDependencies }),
  )
  const missing = wanted.filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
  expect(missing).toEqual([])
})

test("no registry is named", () => {
  expect(Object.values(packages).filter((each) => each.resolved !== undefined)).toEqual([])
})
