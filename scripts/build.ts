// npm run build: one self-contained executable, dist/linkspan, with Bun and all of src inside. Links to it under the
// names of its other doors make it those programs. Its first code is ours (executable.ts). `bun scripts/build.ts [OUTFILE]`.

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { withClient } from "./executable.ts"

const ROOT = join(import.meta.dir, "..")

/** @throws Error with what the bundler said. */
export async function build(outfile: string): Promise<void> {
  mkdirSync(dirname(outfile), { recursive: true })
  // Beside it, and moved there when it is whole: what runs keeps the file that it has.
  const [bundled, whole] = [`${outfile}.bundled`, `${outfile}.whole`]
  const child = Bun.spawn(
    [
      process.execPath,
      "build",
      "--compile",
      // Parsed ahead of time: a command starts in half the time.
      "--bytecode",
      // A command ends before compiled code would have paid for its compiling: an attach takes a quarter less. What stays
      // for longer asks for the normal policy (Bun.unsafe.setJITPolicy).
      "--compile-jit-policy=100",
      "--minify",
      // A command reads its own part of the program only: `linkspan version` takes 32 ms instead of 51.
      "--splitting",
      "--format=esm",
      "--keep-names",
      // A tool that root runs must not take settings from whatever directory it is started in.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      "--reject-unresolved",
      "src/main.ts",
      `--outfile=${bundled}`,
    ],
    { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  )
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) {
    throw new Error(`Cannot build linkspan:\n${stdout}${stderr}`)
  }
  writeFileSync(whole, withClient(readFileSync(bundled)))
  chmodSync(whole, 0o755)
  rmSync(bundled)
  renameSync(whole, outfile)
}

if (import.meta.main) {
  const outfile = process.argv[2] ?? join(ROOT, "dist/linkspan")
  await build(outfile)
  console.error(`${outfile} (${Math.round(statSync(outfile).size / 1e6)} MB)`)
}
