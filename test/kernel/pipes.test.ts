// What goes on by itself ends with the program that reads it, also while there is nothing to write.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { Host } from "../host.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]
/** The first three write at once, and then nothing; the last one has nothing to write for an hour. */
const READ = [
  [["logs", "-f", "a"], "head -c 1"],
  [["events", "-f"], "head -c 1"],
  [["capture", "a"], "head -c 1"],
  [["top", "--interval", "3600"], "true"],
] as const

test("a command whose reader has ended ends as well", async () => {
  await using host = await Host.create({ uplink: false })
  const command = ["sh", "-c", "echo one; exec sleep 1000"]
  ;(await host.cli(["run", "-d", "--name", "a", "--network", "none", "--", ...command])).ok()
  for (const [args, reader] of READ) {
    const places = ["--state-dir", host.stateDir, "--run-dir", host.runDir]
    const { stderr } = await host.exec(["sh", "-c", `"$@" | ${reader}`, "sh", ...LINKSPAN, ...args, ...places])
    expect({ args, stderr }).toEqual({ args, stderr: "" })
  }
  ;(await host.cli(["rm", "--force", "a"])).ok()
})
