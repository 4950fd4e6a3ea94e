// The examples do what they say, as they stand, and leave nothing.

import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { Host } from "./host.ts"

const EXAMPLES = join(import.meta.dir, "../examples")
/** The default directories are the machine's own, so they are covered. */
const COVERED = 'mount -t tmpfs none /var/lib && mount -t tmpfs none /run && exec "$@"'

const SAID: Readonly<Record<string, RegExp>> = {
  "dry-run.ts": /^ip link add ls-[0-9a-f]+ .*type bridge/m,
  "first-network.ts":
    /^network example: .*\ncontainer example-a: .*\ncontainer example-b: .*\neth0 in the container is lv-/m,
  "publish.ts": /^linkspan chose host port [0-9]+\nPORT_IN_USE: /m,
  "sandbox.ts": /is there a way out\?\nno\nexit status 0\n$/,
}

test("every example that is a program is run by this test", () => {
  expect(
    readdirSync(EXAMPLES)
      .filter((name) => name.endsWith(".ts"))
      .toSorted(),
  ).toEqual(Object.keys(SAID))
})

test.each(Object.entries(SAID))("examples/%s", async (name, said) => {
  await using host = await Host.create()
  const program = [process.execPath, "--no-env-file", join(EXAMPLES, name)]
  const { stdout, stderr } = await host.exec(["unshare", "--mount", "sh", "-c", COVERED, "sh", ...program])
  expect(stderr).toBe("")
  expect(stdout).toMatch(said)
})
