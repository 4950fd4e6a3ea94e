// npm run build: installs what is missing, then makes dist/linkspan (scripts/build.ts).

import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { prepare, ROOT, runScript } from "./prepare.mjs"

await runScript(() => {
  const args = [join(ROOT, "scripts/build.ts"), ...process.argv.slice(2)]
  return spawnSync(prepare("code"), args, { stdio: "inherit" }).status ?? 1
})
