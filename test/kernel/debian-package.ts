// Programs of Debian packages that must not be installed to be tried: firewalld's installation starts it, on the
// machine itself. Packages are fetched by apt and unpacked into a directory of this checkout.

import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { run } from "../run.ts"

const CACHE = join(import.meta.dir, "../../node_modules/.cache/debian")

/** The root of a tree with the packages' files, as they would be below /. @throws Error when they cannot be fetched */
export async function unpacked(...packages: readonly string[]): Promise<string> {
  const list = packages.join("+")
  // NAME_MAX is 255.
  const root = join(CACHE, list.length <= 200 ? list : `${packages[0]}+${Bun.hash(list).toString(36)}`)
  if (existsSync(join(root, ".complete"))) {
    return root
  }
  const downloads = join(root, ".packages")
  mkdirSync(downloads, { recursive: true })
  ;(await run(["apt-get", "download", "-q", ...packages], { cwd: downloads, timeoutMs: 120_000 })).ok()
  for (const file of readdirSync(downloads)) {
    ;(await run(["dpkg", "-x", join(downloads, file), root])).ok()
  }
  await Bun.write(join(root, ".complete"), "")
  return root
}
