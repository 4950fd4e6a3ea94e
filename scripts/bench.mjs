// npm run bench: installs the programs that linkspan is measured against, then measures. Arguments go to the benchmark.

import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { isRoot, PrepareError, prepare, ROOT, runScript } from "./prepare.mjs"

await runScript(() => {
  if (!isRoot()) {
    throw new PrepareError(
      "Cannot measure without root: every contender needs it",
      "Run it as root: sudo npm run bench",
    )
  }
  const bun = prepare("bench")
  const args = ["--no-env-file", join(ROOT, "benchmarks/main.ts"), ...process.argv.slice(2)]
  return spawnSync(bun, args, { stdio: "inherit" }).status ?? 1
})
