// npm run demo: installs what is missing, then shows linkspan's main job. Arguments go to `linkspan demo`.

import { spawn } from "node:child_process"
import { constants } from "node:os"
import { join } from "node:path"
import { prepare, ROOT, runScript } from "./prepare.mjs"

await runScript(async () => {
  const bun = prepare("demo")
  const args = ["--no-env-file", join(ROOT, "src/main.ts"), "demo", ...process.argv.slice(2)]
  const child = spawn(bun, args, { stdio: "inherit" })
  // The terminal sends ^C to both; the demo cleans up and decides when to end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT") {
        child.kill(signal)
      }
    })
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })
})
