// A probe that is itself wrong would excuse a skipped test, so the probes are held against the kernel's own
// configuration where it can be read.

import { expect } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { release } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { needs } from "./features.ts"
import { run } from "./run.ts"

needs("kernel-config")("every probe agrees with the kernel's configuration", async () => {
  const config = kernelConfig()
  const table = (await run([process.execPath, join(import.meta.dir, "features.ts")])).json<
    Record<string, { readonly what: string; readonly present: boolean }>
  >()
  const options = Object.values(table).filter((feature) => feature.what.startsWith("CONFIG_"))
  expect(options.length).toBeGreaterThan(10)
  const wrong = options.filter(({ what, present }) => {
    const built = new RegExp(`^${what}=([ym])$`, "m").exec(config)?.[1]
    // A module may be missing on disk, so only what is built in must be found.
    return present ? built === undefined : built === "y"
  })
  expect(wrong).toEqual([])
})

function kernelConfig(): string {
  if (existsSync("/proc/config.gz")) {
    return gunzipSync(readFileSync("/proc/config.gz")).toString()
  }
  return readFileSync(`/boot/config-${release()}`, "utf8")
}
